// Owns what stands behind Session: nghttp2's session, the streams beside it, the rules before it.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/byte_buffer.hpp"
#include "base/clock.hpp"
#include "h2/fault.hpp"
#include "h2/field_list.hpp"
#include "h2/frame_log.hpp"
#include "h2/frame_scanner.hpp"
#include "h2/header_block.hpp"
#include "h2/id_ring.hpp"
#include "h2/rate_counter.hpp"
#include "h2/session.hpp"
#include "h2/stream_table.hpp"

namespace edgecase::h2 {

inline Fault make_fault(Rule rule, uint32_t error_code, std::string detail = {}) {
    Fault fault;
    fault.rule = rule;
    fault.error_code = error_code;
    fault.detail = std::move(detail);
    return fault;
}

/// The frames' rules are checked here, one frame at a time, before nghttp2 sees it, because it has
/// no name for many breaches and forgives others.
struct Connection {
    Connection(Role role, const Limits& limits, Events& events);

    // ---- frame_rules.cpp: what a frame's header alone decides; false: it broke a rule ----
    bool check_preface(std::string_view& bytes);
    bool check_first_frame(std::string_view bytes);
    bool check_frame(const FrameHead& frame);
    bool check_size(const FrameHead& frame);
    bool check_place(const FrameHead& frame);
    bool check_padding(const FrameHead& frame);
    bool check_stream(const FrameHead& frame);
    bool check_known_stream(const FrameHead& frame);
    bool check_windows(const FrameHead& frame);
    bool check_floods(const FrameHead& frame);
    bool check_continuations(const FrameHead& frame);
    bool is_idle(uint32_t wire) const;
    void log_received(const FrameHead& frame);

    // ---- receiving.cpp ----
    void receive(std::string_view bytes, base::SteadyTime now);
    void feed(const FrameScanner::Piece& piece);
    void on_begin_headers(uint32_t wire);
    Stream* open_for_client(uint32_t wire);
    void on_header(std::string_view name, std::string_view value);
    void on_headers(uint32_t wire, bool end_stream);
    void on_request(Stream& stream, bool end_stream);
    void on_response(Stream& stream, bool end_stream);
    void on_trailers(Stream& stream, bool end_stream);
    void on_data(uint32_t wire, std::string_view bytes);
    void add_chunk(Stream& stream, std::string_view bytes);
    void end_message(Stream& stream, bool with_trailers);
    void on_reset(uint32_t wire, uint32_t error_code);
    void on_goaway(const nghttp2_goaway& frame);
    void on_frame(const nghttp2_frame& frame);
    void on_invalid_frame(const nghttp2_frame& frame, int error);
    void on_stream_close(uint32_t wire, uint32_t error_code);

    // ---- sending.cpp ----
    bool produce(base::ByteBuffer& out, size_t maximum_bytes);
    size_t write(Stream& stream, std::string_view text);
    size_t take_head(Stream& stream, std::string_view text);
    bool send_request(Stream& stream, std::string_view text, bool& complete, size_t& head_bytes);
    bool send_response(Stream& stream, std::string_view text, bool& complete, size_t& head_bytes);
    void refuse_text(Stream& stream, std::string_view what);
    ssize_t on_read(uint32_t wire, size_t maximum, uint32_t& flags);
    int on_send_data(uint32_t wire, std::string_view header, size_t size);
    void on_sent(const nghttp2_frame& frame);
    void on_not_sent(const nghttp2_frame& frame);

    // ---- session.cpp ----
    Stream* by_wire(uint32_t wire) const;
    /// Gives up the stream: RST_STREAM with `error_code` unless the other side ended it.
    void fail_stream(Stream& stream, Fault fault, bool by_them = false);
    /// Notes what ends the connection; settle() acts on it once nghttp2 is out of its callbacks.
    void break_connection(Rule rule, uint32_t error_code, uint32_t wire, std::string detail);
    void settle();
    void count_reset();
    void reset_wire(Stream& stream, uint32_t error_code);
    void uncount(Stream& stream);
    void close(Stream& stream, uint32_t error_code);
    void release(Stream& stream);

    struct Deleter {
        void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
    };

    const Role role_;
    const Limits limits_;
    Events& events_;
    std::unique_ptr<nghttp2_session, Deleter> session_;
    StreamTable streams_;
    FrameScanner scanner_;
    FrameLog frames_;
    HeaderBlock block_;
    FieldList fields_;
    IdRing reset_by_us_;

    std::optional<Fault> pending_;  // found within a callback
    bool pending_by_them_ = false;
    std::optional<Fault> fault_;
    std::optional<Fault> goaway_;
    base::SteadyTime now_;
    RateCounter resets_;
    RateCounter settings_;
    RateCounter pings_;
    RateCounter empty_frames_;

    base::ByteBuffer* out_ = nullptr;  // while produce() runs
    size_t out_limit_ = 0;             // its size at which no further DATA begins

    size_t preface_seen_ = 0;
    uint32_t next_id_ = 1;         // client: of the next open()
    uint32_t last_sent_ = 0;       // client: the newest stream the other side can know
    uint32_t highest_seen_ = 0;    // server: the newest stream begun by the client
    uint32_t highest_opened_ = 0;  // server: the newest that was not ignored
    uint32_t block_stream_ = 0;    // whose header block goes on; 0: none
    uint32_t block_frames_ = 0;    // CONTINUATIONs of it
    uint32_t block_open_ = 0;      // wire id whose block nghttp2 is decoding
    uint32_t active_ = 0;          // client: streams that count against the other side's limit
    bool first_frame_seen_ = false;
    bool settings_received_ = false;
    bool shut_down_ = false;
    bool last_goaway_sent_ = false;
};

}  // namespace edgecase::h2
