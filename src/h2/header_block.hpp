// Owns the judging of one received header block and its rewriting as HTTP/1.1 text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_buffer.hpp"
#include "h2/fault.hpp"
#include "http/field_name.hpp"

namespace edgecase::h2 {

/// `bytes` printable and cut, as a Fault keeps it.
std::string evidence(std::string_view bytes);

/// The first fault is kept; what follows is counted but not stored. Reused from block to block:
/// header blocks of one connection never interleave.
class HeaderBlock {
  public:
    enum class Kind : uint8_t { request, response, trailers };

    void begin(Kind kind, uint32_t list_limit_bytes);
    void add(std::string_view name, std::string_view value);
    /// The block is whole: what is missing? Errors: false, see rule().
    bool finish();

    Kind kind() const { return kind_; }
    size_t list_bytes() const { return list_bytes_; }
    Rule rule() const { return rule_; }  // none: no fault
    const std::string& field() const { return field_; }
    std::string detail() const;

    uint16_t status() const { return status_; }
    std::string_view method() const { return pseudo(Pseudo::method); }
    std::optional<uint64_t> content_length() const { return content_length_; }

    /// Appends the head; a body without length is announced as chunked when `chunked`.
    void write_request(base::ByteBuffer& out, bool chunked) const;
    /// `without_length`: a Content-Length of 0 is to be said, since the message ends here.
    void write_response(base::ByteBuffer& out, bool chunked, bool without_length) const;
    /// Appends the field lines of trailers, without the blank line.
    void write_trailers(base::ByteBuffer& out) const { out.append(fields_.view()); }

  private:
    enum class Pseudo : uint8_t { method, scheme, authority, path, status, unknown };

    void add_pseudo(std::string_view name, std::string_view value);
    void add_field(std::string_view name, std::string_view value);
    void add_length(std::string_view name, std::string_view value);
    void add_host(std::string_view name, std::string_view value);
    bool finish_request();
    void fail(Rule rule, std::string_view name, std::string_view value, std::string_view detail);
    void fail(Rule rule, std::string_view detail) { fail(rule, {}, {}, detail); }
    bool seen(Pseudo which) const { return pseudos_[static_cast<size_t>(which)].seen; }
    std::string_view pseudo(Pseudo which) const {
        const Span& span = pseudos_[static_cast<size_t>(which)];
        return std::string_view(pseudo_text_).substr(span.offset, span.size);
    }
    void write_length(base::ByteBuffer& out, bool chunked, bool zero) const;

    struct Span {
        size_t offset = 0;
        size_t size = 0;
        bool seen = false;
    };

    Kind kind_ = Kind::request;
    uint32_t list_limit_ = 0;
    size_t list_bytes_ = 0;
    Rule rule_ = Rule::none;
    std::string field_;
    std::string_view detail_;
    std::array<Span, 5> pseudos_{};
    std::string pseudo_text_;
    base::ByteBuffer fields_;
    base::ByteBuffer cookie_;
    std::optional<uint64_t> content_length_;
    uint16_t status_ = 0;
    bool regular_seen_ = false;
    bool te_trailers_ = false;
};

}  // namespace edgecase::h2
