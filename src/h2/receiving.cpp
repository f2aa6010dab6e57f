#include <fmt/core.h>
#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "h1/limits.hpp"
#include "h1/response_head.hpp"
#include "h2/connection.hpp"
#include "h2/fault.hpp"
#include "h2/frame_scanner.hpp"
#include "h2/header_block.hpp"
#include "h2/session.hpp"
#include "h2/stream_table.hpp"
#include "h2/text_limits.hpp"

namespace edgecase::h2 {
namespace {

constexpr size_t kSizeDigits = 8;      // of a chunk: enough for any window
constexpr size_t kUnclosedFactor = 2;  // times the streams allowed at once
constexpr size_t kUnreadHeads = 2;     // times the limit of one head, before the final one
constexpr uint32_t kBombFactor = 4;    // times the limit is no accident any more

/// Which rule the library's complaint is about.
Rule rule_of(int error) {
    switch (error) {
        case NGHTTP2_ERR_HEADER_COMP:
            return Rule::compression;
        case NGHTTP2_ERR_FLOW_CONTROL:
            return Rule::flow_control;
        case NGHTTP2_ERR_FRAME_SIZE_ERROR:
            return Rule::frame_size;
        case NGHTTP2_ERR_STREAM_CLOSED:
            return Rule::closed_stream;
        case NGHTTP2_ERR_SETTINGS_EXPECTED:
        case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
            return Rule::not_http2;
        default:
            return Rule::protocol;
    }
}

uint32_t code_of(Rule rule) {
    if (rule == Rule::compression) return NGHTTP2_COMPRESSION_ERROR;
    if (rule == Rule::flow_control) return NGHTTP2_FLOW_CONTROL_ERROR;
    if (rule == Rule::frame_size) return NGHTTP2_FRAME_SIZE_ERROR;
    if (rule == Rule::closed_stream) return NGHTTP2_STREAM_CLOSED;
    return NGHTTP2_PROTOCOL_ERROR;
}

Fault broken(Rule rule, std::string detail) {
    return make_fault(rule, NGHTTP2_PROTOCOL_ERROR, std::move(detail));
}

}  // namespace

void Connection::receive(std::string_view bytes, base::SteadyTime now) {
    now_ = now;
    if (role_ == Role::server && preface_seen_ < kPreface.size()) {
        const size_t before = preface_seen_;
        const std::string_view all = bytes;
        if (!check_preface(bytes)) return settle();
        const size_t size = preface_seen_ - before;
        feed({all.substr(0, size), false, false});
        bytes.remove_prefix(size);
    }
    while (!bytes.empty() && !pending_ && !fault_) {
        if (!first_frame_seen_ && !check_first_frame(bytes)) break;
        const FrameScanner::Piece piece = scanner_.next(bytes);
        if (piece.bytes.empty()) break;
        if (piece.begins && !check_frame(scanner_.head())) break;
        feed(piece);
    }
    settle();
}

void Connection::feed(const FrameScanner::Piece& piece) {
    const ssize_t taken = nghttp2_session_mem_recv(
        session_.get(), reinterpret_cast<const uint8_t*>(piece.bytes.data()), piece.bytes.size());
    if (taken < 0 && !pending_) {
        const int error = static_cast<int>(taken);
        const bool flood = error == NGHTTP2_ERR_FLOODED;
        const bool pings = scanner_.head().is(FrameType::ping);
        const Rule rule = !flood ? rule_of(error) : pings ? Rule::ping_flood : Rule::settings_flood;
        break_connection(rule, flood ? NGHTTP2_ENHANCE_YOUR_CALM : code_of(rule), 0,
                         nghttp2_strerror(error));
        return;
    }
    // The library reports a broken header block to nobody: it only never says that it ended. Nor
    // does it for a stream that we reset within its block; there its GOAWAY tells, see on_sent().
    const FrameHead& head = scanner_.head();
    const bool ends_block = piece.ends && head.has(kEndHeaders) &&
                            (head.is(FrameType::headers) || head.is(FrameType::continuation));
    if (!ends_block || block_open_ == 0) return;
    const uint32_t wire = std::exchange(block_open_, 0);
    if (reset_by_us_.may_hold(wire)) return;
    break_connection(Rule::compression, NGHTTP2_COMPRESSION_ERROR, wire,
                     "a header block that cannot be decoded");
}

void Connection::on_begin_headers(uint32_t wire) {
    Stream* stream = by_wire(wire);
    block_open_ = wire;
    if (role_ == Role::server && stream == nullptr) stream = open_for_client(wire);
    const bool first = stream != nullptr && !stream->head_received;
    block_.begin(!first                  ? HeaderBlock::Kind::trailers
                 : role_ == Role::server ? HeaderBlock::Kind::request
                                         : HeaderBlock::Kind::response,
                 limits_.header_list_bytes);
}

/// A stream that is closed on the wire stays until its user closes it too; a client must not pile
/// them up faster than that.
Stream* Connection::open_for_client(uint32_t wire) {
    highest_opened_ = wire;
    const auto id = static_cast<int32_t>(wire);
    // GOAWAY may not have left yet; its last-stream-id is settled all the same.
    if (shut_down_) {
        nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        reset_by_us_.add(wire);
        return nullptr;
    }
    if (streams_.size() >= size_t{limits_.concurrent_streams} * kUnclosedFactor) {
        nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        reset_by_us_.add(wire);
        count_reset();
        return nullptr;
    }
    Stream& stream = streams_.take();
    stream.id = stream.wire = wire;
    stream.wire_open = true;
    stream.response_head.reset(kOwnText, {});
    streams_.insert(stream);
    nghttp2_session_set_stream_user_data(session_.get(), id, &stream);
    events_.on_opened(wire);
    return &stream;
}

void Connection::on_header(std::string_view name, std::string_view value) {
    if (pending_) return;
    block_.add(name, value);
    if (block_.list_bytes() <= uint64_t{limits_.header_list_bytes} * kBombFactor) return;
    break_connection(role_ == Role::server ? Rule::header_bomb : Rule::header_list_size,
                     NGHTTP2_ENHANCE_YOUR_CALM, block_open_, block_.detail());
}

void Connection::on_headers(uint32_t wire, bool end_stream) {
    block_open_ = 0;
    Stream* const stream = by_wire(wire);
    if (stream == nullptr || pending_) return;
    if (end_stream) stream->peer_ended = true;
    if (stream->fault || stream->detached) return;
    if (!block_.finish()) {
        Fault fault = broken(block_.rule(), block_.detail());
        fault.field = block_.field();
        return fail_stream(*stream, std::move(fault));
    }
    switch (block_.kind()) {
        case HeaderBlock::Kind::request:
            return on_request(*stream, end_stream);
        case HeaderBlock::Kind::response:
            return on_response(*stream, end_stream);
        case HeaderBlock::Kind::trailers:
            return on_trailers(*stream, end_stream);
    }
}

void Connection::on_request(Stream& stream, bool end_stream) {
    stream.head_received = true;
    stream.to_head = block_.method() == "HEAD";
    stream.to_connect = block_.method() == "CONNECT";
    stream.response_head.reset(kOwnText, {stream.to_head, stream.to_connect});
    stream.content_length = block_.content_length();
    stream.chunked = !stream.content_length && !end_stream && !stream.to_connect;
    block_.write_request(stream.text, stream.chunked);
    if (end_stream) return end_message(stream, false);
    events_.on_readable(stream.id);
}

void Connection::on_response(Stream& stream, bool end_stream) {
    const uint16_t status = block_.status();
    if (status < 200) {
        stream.interim_received = true;
        // HEADERS know no flow control: a reader that is busy elsewhere must not let them pile up.
        if (stream.text.size() > size_t{limits_.header_list_bytes} * kUnreadHeads) {
            return fail_stream(stream, broken(Rule::header_list_size,
                                              "interim responses faster than they are taken"));
        }
        block_.write_response(stream.text, false, false);
        if (end_stream) {
            return fail_stream(stream, broken(Rule::closed_early,
                                              fmt::format("END_STREAM with status {}", status)));
        }
        return events_.on_readable(stream.id);
    }
    stream.head_received = true;
    stream.bodiless = stream.to_head || status == 204 || status == 304;
    stream.content_length = block_.content_length();
    stream.chunked = !stream.content_length && !end_stream && !stream.bodiless;
    block_.write_response(stream.text, stream.chunked, end_stream && !stream.bodiless);
    if (end_stream) return end_message(stream, false);
    events_.on_readable(stream.id);
}

void Connection::on_trailers(Stream& stream, bool end_stream) {
    if (end_stream) return end_message(stream, true);
    fail_stream(stream, broken(Rule::bad_pseudo, "a second head: trailers without END_STREAM"));
}

void Connection::on_data(uint32_t wire, std::string_view bytes) {
    Stream* const stream = by_wire(wire);
    nghttp2_session* const session = session_.get();
    // Towards an origin many clients share the connection: one who reads slowly holds the window of
    // its own stream only. Towards a client the connection's window bounds what it can make us
    // keep.
    if (role_ == Role::client) nghttp2_session_consume_connection(session, bytes.size());
    if (stream == nullptr || stream->fault || stream->detached || pending_) {
        if (role_ == Role::server) nghttp2_session_consume_connection(session, bytes.size());
        if (stream != nullptr) {
            nghttp2_session_consume_stream(session, static_cast<int32_t>(wire), bytes.size());
        }
        return;
    }
    stream->held += bytes.size();
    stream->body_bytes += bytes.size();
    if (!stream->head_received) {
        return fail_stream(*stream, broken(Rule::closed_early, "DATA before the final head"));
    }
    if (stream->bodiless || stream->to_connect) {
        return fail_stream(*stream, broken(Rule::content_length, "DATA where no body may be"));
    }
    if (stream->content_length && stream->body_bytes > *stream->content_length) {
        return fail_stream(
            *stream,
            broken(Rule::content_length, fmt::format("at least {} bytes of DATA, announced {}",
                                                     stream->body_bytes, *stream->content_length)));
    }
    if (stream->chunked) {
        add_chunk(*stream, bytes);
    } else {
        stream->text.append(bytes);
    }
    events_.on_readable(stream->id);
}

/// A chunk that the user has not seen grows: small DATA frames must not multiply in memory by the
/// size of the lines around them.
void Connection::add_chunk(Stream& stream, std::string_view bytes) {
    base::ByteBuffer& text = stream.text;
    const auto end = [&] { return stream.text_base + text.size(); };
    if (stream.chunk_at == 0 || stream.chunk_at < stream.shown) {
        if (stream.chunk_at != 0) text.append("\r\n");
        stream.chunk_at = end();
        stream.chunk_size = 0;
        text.append("00000000\r\n");
    }
    text.append(bytes);
    stream.chunk_size += bytes.size();
    char* digit = text.reserve_free(0).data() - (end() - stream.chunk_at) + kSizeDigits;
    uint64_t size = stream.chunk_size;
    for (size_t i = 0; i < kSizeDigits; ++i, size >>= 4) *--digit = "0123456789abcdef"[size & 15U];
}

void Connection::end_message(Stream& stream, bool with_trailers) {
    const bool counts = stream.content_length && !stream.bodiless;
    if (counts && stream.body_bytes != *stream.content_length) {
        return fail_stream(stream, broken(Rule::content_length,
                                          fmt::format("{} bytes of DATA, announced {}",
                                                      stream.body_bytes, *stream.content_length)));
    }
    if (stream.chunked) {
        stream.text.append(stream.chunk_at != 0 ? "\r\n0\r\n" : "0\r\n");
        if (with_trailers) block_.write_trailers(stream.text);
        stream.text.append("\r\n");
    }
    stream.ended = true;
    events_.on_readable(stream.id);
}

void Connection::on_reset(uint32_t wire, uint32_t error_code) {
    Stream* const stream = by_wire(wire);
    if (stream == nullptr) return;
    stream->peer_ended = true;
    if (role_ == Role::client && stream->ended) {
        // The response is whole; that the rest of the request is not wanted is no fault.
        stream->cut = true;
        if (!stream->detached) events_.on_writable(stream->id);
        return;
    }
    Rule rule = Rule::reset;
    if (error_code == NGHTTP2_NO_ERROR) rule = Rule::closed_early;
    if (error_code == NGHTTP2_REFUSED_STREAM) rule = Rule::unprocessed;
    fail_stream(*stream,
                make_fault(rule, error_code, "RST_STREAM with " + error_code_name(error_code)),
                true);
}

void Connection::on_goaway(const nghttp2_goaway& frame) {
    const auto last = static_cast<uint32_t>(frame.last_stream_id);
    Fault fault = make_fault(Rule::goaway, frame.error_code);
    fault.last_stream_id = last;
    fault.is_connection = true;
    if (frame.opaque_data_len > 0) {
        fault.detail =
            evidence({reinterpret_cast<const char*>(frame.opaque_data), frame.opaque_data_len});
    }
    goaway_ = fault;
    events_.on_goaway();
    if (role_ == Role::client) {
        streams_.for_each([&](Stream& stream) {
            if (stream.wire != 0 && stream.wire <= last) return;
            Fault unprocessed = fault;
            unprocessed.rule = Rule::unprocessed;
            unprocessed.stream_id = stream.wire;
            fail_stream(stream, std::move(unprocessed), true);
        });
    }
    if (frame.error_code == NGHTTP2_NO_ERROR || pending_) return;
    pending_ = std::move(fault);
    pending_by_them_ = true;
}

void Connection::on_frame(const nghttp2_frame& frame) {
    const auto wire = static_cast<uint32_t>(frame.hd.stream_id);
    const bool end_stream = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame.hd.type) {
        case NGHTTP2_HEADERS:
            return on_headers(wire, end_stream);
        case NGHTTP2_DATA: {
            Stream* const stream = by_wire(wire);
            if (!end_stream || stream == nullptr) return;
            stream->peer_ended = true;
            if (stream->fault || stream->detached || pending_) return;
            if (stream->head_received) return end_message(*stream, false);
            return fail_stream(*stream, broken(Rule::closed_early, "END_STREAM without a head"));
        }
        case NGHTTP2_RST_STREAM:
            return on_reset(wire, frame.rst_stream.error_code);
        case NGHTTP2_SETTINGS:
            if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0 || settings_received_) return;
            settings_received_ = true;
            return events_.on_settings();
        case NGHTTP2_GOAWAY:
            return on_goaway(frame.goaway);
        case NGHTTP2_PING:
            if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) events_.on_ping_ack();
            return;
        default:
            return;
    }
}

void Connection::on_invalid_frame(const nghttp2_frame& frame, int error) {
    const auto wire = static_cast<uint32_t>(frame.hd.stream_id);
    if (error == NGHTTP2_ERR_REFUSED_STREAM) {
        reset_by_us_.add(wire);
        return count_reset();
    }
    const Rule rule = rule_of(error);
    break_connection(rule, code_of(rule), wire,
                     frame_type_name(frame.hd.type) + ": " + nghttp2_strerror(error));
}

void Connection::on_stream_close(uint32_t wire, uint32_t error_code) {
    Stream* const stream = by_wire(wire);
    if (stream == nullptr) return;
    stream->wire_open = false;
    uncount(*stream);
    if (stream->detached) return release(*stream);
    const bool whole = stream->ended && stream->sent_whole;
    if (stream->fault || stream->cut || whole || pending_) return;
    const bool refused = error_code == NGHTTP2_REFUSED_STREAM;
    fail_stream(*stream,
                make_fault(refused ? Rule::unprocessed : Rule::reset, error_code,
                           "closed with " + error_code_name(error_code)),
                true);
}

}  // namespace edgecase::h2
