// Owns the request body on its way from the client to the origin, beside the wait for the response.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "config/settings.hpp"
#include "edge/buffers.hpp"
#include "edge/relay_write.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"

namespace edgecase::edge {

/// The body of one request, across all attempts: what was read of it, and what is kept for a retry.
struct RequestBody {
    bool read_whole = true;      // its last byte has arrived
    bool replayable = true;      // all that was read is still in Buffers::replay
    uint64_t bytes = 0;          // payload read so far
    uint64_t wire_bytes = 0;     // with chunk framing
    bool client_failed = false;  // nothing more will come
};

class Upload {
  public:
    enum class End : uint8_t {
        running,
        complete,
        client_fin,
        client_reset,
        client_timeout,
        client_broken,  // the body broke a rule: Buffers::request_body has the error
        too_large,
        origin_failed,   // a write failed: the origin closed or reset
        origin_stalled,  // a write waited longer than the write timeout
    };

    struct Parts {
        net::Loop& loop;
        const config::Settings& settings;
        std::span<char> scratch;
        net::Stream& client;
        net::Stream& origin;
        Buffers& buffers;
        RequestBody& body;
        bool chunked;
        bool wait_for_continue;  // no time limit on the first byte: the client awaits 100
    };

    /// `on_end` fires (soon, not in our stack) when the upload is over, however it ended.
    Upload(Parts parts, net::Timer& on_end) : parts_(parts), on_end_(on_end), task_(run()) {}

    void start() { task_.start(); }
    End end() const { return end_; }
    uint64_t body_bytes_sent() const { return sent_; }
    void set_bytes_sent(uint64_t bytes) { sent_ = bytes; }
    /// When the last byte went to the origin.
    base::SteadyTime last_progress() const { return last_progress_; }
    const std::optional<net::Error>& error() const { return error_; }

  private:
    net::Task<void> run();
    net::Task<End> pump();
    End read_end(const net::ReadResult& got);
    End write_end(const net::Error& error);
    bool decode(std::string_view input, Batch& batch, size_t& consumed);

    Parts parts_;
    net::Timer& on_end_;
    End end_ = End::running;
    uint64_t sent_ = 0;
    base::SteadyTime last_progress_{};
    std::optional<net::Error> error_;
    ReadSize read_size_;
    base::ByteBuffer size_line_;
    net::Background<void> task_;
};

/// Appends payload to the replay buffer while all of it fits under the limit.
void remember(Buffers& buffers, RequestBody& body, std::string_view payload, uint32_t limit_bytes);

/// The last chunk with the body's trailers.
void write_last_chunk(base::ByteBuffer& out, std::span<const http::FieldView> trailers);

}  // namespace edgecase::edge
