// Owns the protocol state of one HTTP/2 connection: frames on one side, one HTTP/1.1 message text
// per stream and direction on the other; no I/O, no clock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_buffer.hpp"
#include "base/clock.hpp"
#include "h2/fault.hpp"
#include "h2/frame_log.hpp"

namespace edgecase::h2 {

enum class Role : uint8_t { client, server };  // ours

struct Limits {
    uint32_t concurrent_streams = 128;       // server: allowed to the client; client: used at most
    uint32_t header_list_bytes = 32 * 1024;  // received; name + value + 32 each (RFC 9113 §6.5.2)
    uint32_t stream_window_bytes = 256 * 1024;
    uint32_t connection_window_bytes = 1024 * 1024;
    uint32_t stream_buffer_bytes = 64 * 1024;  // text written and not let out by flow control yet
    // Floods, server role. Each is a count per second, measured over the last ten; more ends the
    // connection with ENHANCE_YOUR_CALM.
    uint32_t resets_per_second = 50;  // RST_STREAM by the client before the response's end
    uint32_t settings_per_second = 10;
    uint32_t pings_per_second = 20;
    uint32_t empty_frames_per_second = 100;  // DATA or HEADERS without payload and END_STREAM
    uint32_t continuations = 32;             // frames of one header block
};

/// Told from within receive(), write() and produce(); must not call back into the session.
class Events {
  public:
    virtual ~Events() = default;
    virtual void on_opened(uint32_t stream_id) = 0;    // server: a client's request begins
    virtual void on_readable(uint32_t stream_id) = 0;  // readable() has grown, or the text ended
    virtual void on_writable(uint32_t stream_id) = 0;  // write() would take more again
    virtual void on_closed(uint32_t stream_id) = 0;    // reset, refused or failed: see stream_fault
    virtual void on_settings() = 0;                    // the other side's first SETTINGS came
    virtual void on_goaway() = 0;                      // no further stream may be opened
    virtual void on_ping_ack() = 0;
};

/// Each stream looks like an HTTP/1.1 connection that carries one exchange: the client role writes
/// a request's text and reads the response's; the server role the other way round. So all messages
/// pass the one strict parser, whichever protocol they came by (docs/adr/0009-one-gate.md).
class Session {
  public:
    Session(Role role, const Limits& limits, Events& events);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    // ---- the socket's side ----

    /// Bytes from the other side. False: the connection is at its end (see fault()); what
    /// produce() still gives (a GOAWAY) should be sent first.
    bool receive(std::string_view bytes, base::SteadyTime now);
    /// Appends frames to send, at most about `maximum_bytes`. False: nothing to send.
    bool produce(base::ByteBuffer& out, size_t maximum_bytes);
    bool wants_to_write() const;

    // ---- the streams' side ----

    /// Client role: a new stream to write a request to; its frames wait for the whole head.
    /// Errors: nullopt when can_open() is false.
    std::optional<uint32_t> open();
    /// Whether the other side's limit, GOAWAY and the stream numbers allow one more.
    bool can_open() const;

    /// Takes message text; less than all when the stream's buffer is full (on_writable follows).
    /// Once a stream has failed everything is taken and dropped.
    size_t write(uint32_t stream_id, std::string_view text);
    /// The message text that has come and is not consumed. Stays valid until the next call.
    std::string_view readable(uint32_t stream_id) const;
    /// Gives the bytes back to flow control.
    void consume(uint32_t stream_id, size_t bytes);
    /// Whether readable() will not grow any more: the message is whole.
    bool ended(uint32_t stream_id) const;
    /// Whether the message written is whole and all of it has gone to produce().
    bool sent_whole(uint32_t stream_id) const;
    /// Why the stream failed; null while it has not.
    const Fault* stream_fault(uint32_t stream_id) const;
    /// The user is done with the stream. If either message is not whole it is reset with
    /// `error_code` (NO_ERROR when the response is whole and only the request is not). Its id means
    /// nothing afterwards.
    void close(uint32_t stream_id, uint32_t error_code);

    // ---- the connection ----

    void send_ping();
    /// No further streams: GOAWAY with NO_ERROR, running ones go on.
    void shut_down();
    const std::optional<Fault>& fault() const;
    /// GOAWAY received, whether or not anything failed by it.
    const std::optional<Fault>& goaway() const;
    bool settings_received() const;
    bool going_away() const;
    size_t open_streams() const;
    /// Those, and the closed ones whose response is not all on the wire yet.
    size_t unfinished_streams() const;
    /// What the other side allows at once; before its SETTINGS 100.
    uint32_t peer_stream_limit() const;
    const FrameLog& frames() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace edgecase::h2
