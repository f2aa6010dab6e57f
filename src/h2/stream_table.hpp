// Owns the streams of one connection, in use and kept for use again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/byte_buffer.hpp"
#include "h1/body_decoder.hpp"
#include "h1/request_head.hpp"
#include "h1/response_head.hpp"
#include "h2/fault.hpp"

namespace edgecase::h2 {

/// One exchange: the text of the message that comes, and the payload of the one that goes.
struct Stream {
    uint32_t id = 0;    // as the user knows it
    uint32_t wire = 0;  // as the frames say it; 0: nothing was sent yet

    // The message that comes, as text.
    base::ByteBuffer text;
    uint64_t text_base = 0;  // bytes consumed so far: the offset of text's first byte
    uint64_t shown = 0;      // offset behind the last byte the user has seen
    uint64_t chunk_at = 0;   // offset of the open chunk's size; 0: no chunk is open
    uint64_t chunk_size = 0;
    uint64_t held = 0;  // bytes of DATA not given back to flow control
    uint64_t body_bytes = 0;
    std::optional<uint64_t> content_length;
    bool head_received = false;  // the final one
    bool interim_received = false;
    bool chunked = false;
    bool bodiless = false;  // to HEAD, 204, 304
    bool peer_ended = false;
    bool ended = false;

    // The message that goes.
    base::ByteBuffer head_text;  // its beginning, while the head is not whole
    base::ByteBuffer payload;
    h1::RequestHeadParser request_head;
    h1::ResponseHeadParser response_head;
    h1::BodyDecoder body;
    bool head_sent = false;
    bool payload_whole = false;
    bool sent_whole = false;
    bool deferred = false;  // nghttp2 waits for resume
    bool blocked = false;   // write() took less than all

    // The exchange.
    bool to_head = false;
    bool to_connect = false;
    bool wire_open = false;  // nghttp2 knows it
    bool counted = false;    // among those the other side's limit is about
    bool cut = false;        // reset when nothing but our own message was missing
    bool detached = false;   // the user is done, the rest of the message still goes
    bool reset_when_sent = false;
    std::optional<Fault> fault;
};

/// Found by id. Ids of one side rise by two, so they fill the slots without collisions.
class StreamTable {
  public:
    /// A fresh stream, not in the table yet.
    Stream& take();
    void insert(Stream& stream);
    void erase(uint32_t id);
    Stream* find(uint32_t id) const;
    /// Back to those kept for use again.
    void give_back(Stream& stream);
    size_t size() const { return size_; }
    /// Those that were taken and not given back, whether or not they have an id.
    size_t taken() const { return all_.size() - free_.size(); }

    template <typename Visit>
    void for_each(Visit visit) const {
        for (Stream* const stream : slots_) {
            if (stream != nullptr) visit(*stream);
        }
    }

  private:
    static constexpr size_t kKeptBytes = size_t{64} * 1024;  // of storage, with a free stream

    size_t slot_of(uint32_t id) const { return (id >> 1) & (slots_.size() - 1); }
    void put(Stream& stream);

    std::vector<Stream*> slots_ = std::vector<Stream*>(16);
    size_t size_ = 0;
    std::vector<std::unique_ptr<Stream>> all_;
    std::vector<Stream*> free_;
};

}  // namespace edgecase::h2
