#include <fmt/core.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "h2/connection.hpp"
#include "h2/fault.hpp"
#include "h2/frame_log.hpp"
#include "h2/frame_scanner.hpp"
#include "h2/header_block.hpp"
#include "h2/rate_counter.hpp"
#include "h2/session.hpp"
#include "h2/stream_table.hpp"

namespace edgecase::h2 {
namespace {

constexpr uint32_t kMaxFrameBytes = 16384;  // SETTINGS_MAX_FRAME_SIZE as it is by default
constexpr size_t kSampleBytes = 64;
constexpr uint32_t kPriorityBytes = 5;
// Entries are searched for each other: many in one frame cost their square (CVE-2020-11080).
constexpr uint32_t kMaxSettingsBytes = 32 * 6;

}  // namespace

bool Connection::check_preface(std::string_view& bytes) {
    const std::string_view wanted = kPreface.substr(preface_seen_);
    const std::string_view came = bytes.substr(0, wanted.size());
    if (!wanted.starts_with(came)) {
        std::string sample(kPreface.substr(0, preface_seen_));
        sample += bytes.substr(0, kSampleBytes);
        break_connection(Rule::not_http2, NGHTTP2_PROTOCOL_ERROR, 0,
                         "no preface: " + evidence(sample));
        return false;
    }
    preface_seen_ += came.size();
    return true;
}

/// SETTINGS come first. The type, the fourth byte, decides even when no whole header ever comes.
bool Connection::check_first_frame(std::string_view bytes) {
    std::string sample(scanner_.held());
    sample += bytes.substr(0, kSampleBytes);
    if (sample.size() < 4) return true;
    constexpr char kSettings = static_cast<char>(FrameType::settings);
    const bool whole = sample.size() >= 9;
    const bool settings = sample[3] == kSettings &&
                          (!whole || ((sample[4] & kAck) == 0 &&
                                      sample.substr(5, 4) == std::string_view("\0\0\0\0", 4)));
    first_frame_seen_ = whole;
    if (settings) return true;
    break_connection(Rule::not_http2, NGHTTP2_PROTOCOL_ERROR, 0,
                     "no SETTINGS frame: " + evidence(sample));
    return false;
}

bool Connection::check_frame(const FrameHead& frame) {
    log_received(frame);
    return check_size(frame) && check_continuations(frame) && check_place(frame) &&
           check_padding(frame) && check_floods(frame) && check_stream(frame) &&
           check_windows(frame);
}

void Connection::log_received(const FrameHead& frame) {
    frames_.add({.sent = false,
                 .type = frame.type,
                 .flags = frame.flags,
                 .stream_id = frame.stream_id,
                 .length = frame.length,
                 .error_code = frame.error_code});
}

bool Connection::check_size(const FrameHead& frame) {
    bool fits = frame.length <= kMaxFrameBytes;
    switch (frame_type(frame.type)) {
        case FrameType::priority:
            fits = frame.length == kPriorityBytes;
            break;
        case FrameType::rst_stream:
        case FrameType::window_update:
            fits = frame.length == 4;
            break;
        case FrameType::settings:
            fits = fits && (frame.has(kAck) ? frame.length == 0 : frame.length % 6 == 0);
            break;
        case FrameType::ping:
            fits = frame.length == 8;
            break;
        case FrameType::goaway:
            fits = fits && frame.length >= 8;
            break;
        case FrameType::data:
        case FrameType::headers:
        case FrameType::push_promise:
        case FrameType::continuation:
        case FrameType::unknown:
            break;
    }
    if (fits) return true;
    break_connection(Rule::frame_size, NGHTTP2_FRAME_SIZE_ERROR, frame.stream_id,
                     fmt::format("{} of {} bytes", frame_type_name(frame.type), frame.length));
    return false;
}

bool Connection::check_continuations(const FrameHead& frame) {
    const bool continues = frame.is(FrameType::continuation);
    if (block_stream_ == 0) {
        if (frame.is(FrameType::headers) && !frame.has(kEndHeaders)) {
            block_stream_ = frame.stream_id;
            block_frames_ = 0;
        }
        if (!continues) return true;
        break_connection(Rule::protocol, NGHTTP2_PROTOCOL_ERROR, frame.stream_id,
                         "CONTINUATION without a header block to continue");
        return false;
    }
    if (!continues || frame.stream_id != block_stream_) {
        break_connection(Rule::protocol, NGHTTP2_PROTOCOL_ERROR, frame.stream_id,
                         fmt::format("{} within the header block of stream {}",
                                     frame_type_name(frame.type), block_stream_));
        return false;
    }
    if (frame.has(kEndHeaders)) block_stream_ = 0;
    if (++block_frames_ <= limits_.continuations) return true;
    break_connection(
        Rule::continuation_flood, NGHTTP2_ENHANCE_YOUR_CALM, frame.stream_id,
        fmt::format("more than {} CONTINUATION frames in one header block", limits_.continuations));
    return false;
}

bool Connection::check_place(const FrameHead& frame) {
    std::string_view breach;
    const bool on_connection = frame.stream_id == 0;
    switch (frame_type(frame.type)) {
        case FrameType::data:
        case FrameType::headers:
        case FrameType::priority:
        case FrameType::rst_stream:
        case FrameType::continuation:
            if (on_connection) breach = "on stream 0";
            break;
        case FrameType::settings:
        case FrameType::ping:
        case FrameType::goaway:
            if (!on_connection) breach = "on a stream";
            break;
        case FrameType::push_promise:
            breach = role_ == Role::server ? "from a client" : "although push is off";
            break;
        case FrameType::window_update:
        case FrameType::unknown:
            break;
    }
    if (breach.empty()) return true;
    break_connection(Rule::protocol, NGHTTP2_PROTOCOL_ERROR, frame.stream_id,
                     fmt::format("{} {}", frame_type_name(frame.type), breach));
    return false;
}

bool Connection::check_padding(const FrameHead& frame) {
    const bool headers = frame.is(FrameType::headers);
    if (!headers && !frame.is(FrameType::data)) return true;
    const bool priority = headers && frame.has(kPriority);
    uint32_t needed = priority ? kPriorityBytes : 0;
    if (frame.has(kPadded)) needed += 1 + frame.pad_length;
    if (needed <= frame.length) return true;
    break_connection(Rule::protocol, NGHTTP2_PROTOCOL_ERROR, frame.stream_id,
                     frame_type_name(frame.type) + " with more padding than payload");
    return false;
}

bool Connection::check_floods(const FrameHead& frame) {
    if (frame.is(FrameType::settings) && frame.length > kMaxSettingsBytes) {
        break_connection(
            Rule::settings_flood, NGHTTP2_ENHANCE_YOUR_CALM, frame.stream_id,
            fmt::format("SETTINGS of {} bytes, more than {}", frame.length, kMaxSettingsBytes));
        return false;
    }
    if (role_ == Role::client) return true;
    const auto over = [&](RateCounter& counter, uint32_t limit, Rule rule, std::string_view what) {
        if (counter.add(now_, limit)) return false;
        break_connection(rule, NGHTTP2_ENHANCE_YOUR_CALM, frame.stream_id,
                         fmt::format("more than {} {} a second", limit, what));
        return true;
    };
    if (frame.is(FrameType::settings) && !frame.has(kAck)) {
        return !over(settings_, limits_.settings_per_second, Rule::settings_flood, "SETTINGS");
    }
    if (frame.is(FrameType::ping) && !frame.has(kAck)) {
        return !over(pings_, limits_.pings_per_second, Rule::ping_flood, "PING");
    }
    if (frame.is(FrameType::data) || frame.is(FrameType::headers)) {
        // Padding is no payload.
        const uint32_t padding = frame.has(kPadded) ? 1 + frame.pad_length : 0;
        if (frame.length > padding || frame.has(kEndStream)) return true;
        return !over(empty_frames_, limits_.empty_frames_per_second, Rule::empty_frame_flood,
                     "empty frames");
    }
    if (frame.is(FrameType::rst_stream)) {
        const Stream* const stream = by_wire(frame.stream_id);
        if (stream != nullptr && !stream->sent_whole) count_reset();
    }
    return !pending_;
}

bool Connection::is_idle(uint32_t wire) const {
    if (wire % 2 == 0) return true;  // we do not push, and allow no push
    return wire > (role_ == Role::client ? last_sent_ : highest_seen_);
}

bool Connection::check_stream(const FrameHead& frame) {
    const bool headers = frame.is(FrameType::headers);
    const bool matters = headers || frame.is(FrameType::data) || frame.is(FrameType::rst_stream) ||
                         frame.is(FrameType::window_update);
    if (!matters || frame.stream_id == 0) return true;
    if (!is_idle(frame.stream_id)) return check_known_stream(frame);
    if (headers && role_ == Role::server && frame.stream_id % 2 == 1) {
        highest_seen_ = frame.stream_id;
        return true;
    }
    break_connection(Rule::closed_stream, NGHTTP2_PROTOCOL_ERROR, frame.stream_id,
                     frame_type_name(frame.type) + " on a stream that was never opened");
    return false;
}

bool Connection::check_known_stream(const FrameHead& frame) {
    const bool data = frame.is(FrameType::data);
    if (!data && !frame.is(FrameType::headers)) return true;
    const Stream* const stream = by_wire(frame.stream_id);
    bool closed = false;
    if (stream != nullptr) {
        closed = stream->peer_ended;
    } else {
        const bool ignored = role_ == Role::server && frame.stream_id > highest_opened_;
        closed = !ignored && !reset_by_us_.may_hold(frame.stream_id);
    }
    if (closed) {
        break_connection(Rule::closed_stream, NGHTTP2_STREAM_CLOSED, frame.stream_id,
                         frame_type_name(frame.type) + " on a closed stream");
        return false;
    }
    const bool begun = stream == nullptr || stream->head_received || stream->interim_received;
    if (!data || begun || stream->fault) return true;
    break_connection(Rule::protocol, NGHTTP2_PROTOCOL_ERROR, frame.stream_id,
                     "DATA before HEADERS");
    return false;
}

bool Connection::check_windows(const FrameHead& frame) {
    if (!frame.is(FrameType::data) || frame.length == 0) return true;
    nghttp2_session* const session = session_.get();
    const auto wire = static_cast<int32_t>(frame.stream_id);
    const auto length = static_cast<int64_t>(frame.length);
    const int64_t room = int64_t{nghttp2_session_get_effective_local_window_size(session)} -
                         nghttp2_session_get_effective_recv_data_length(session);
    const int32_t window = nghttp2_session_get_stream_effective_local_window_size(session, wire);
    const int32_t filled = nghttp2_session_get_stream_effective_recv_data_length(session, wire);
    const bool known = window >= 0 && filled >= 0;
    if (length <= room && (!known || length <= int64_t{window} - filled)) return true;
    break_connection(Rule::flow_control, NGHTTP2_FLOW_CONTROL_ERROR, frame.stream_id,
                     fmt::format("DATA of {} bytes with {} left in the window of {}", length,
                                 length > room ? room : int64_t{window} - filled,
                                 length > room ? "the connection" : "the stream"));
    return false;
}

}  // namespace edgecase::h2
