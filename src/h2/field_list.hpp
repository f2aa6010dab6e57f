// Owns the fields of one message to send, as nghttp2 wants them.
#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace edgecase::h2 {

/// Views into the head it is made from; nghttp2 copies them, and lowers the case of names. Reused
/// from message to message.
class FieldList {
  public:
    void set_request(const http::RequestHeadView& head);
    void set_response(const http::ResponseHeadView& head);
    void set_trailers(std::span<const http::FieldView> fields);

    const nghttp2_nv* data() const { return entries_.data(); }
    size_t size() const { return entries_.size(); }

  private:
    void add(std::string_view name, std::string_view value, uint8_t flags = NGHTTP2_NV_FLAG_NONE);
    void add_fields(std::span<const http::FieldView> fields, bool of_request);

    std::vector<nghttp2_nv> entries_;
    std::array<char, 3> status_{};
};

}  // namespace edgecase::h2
