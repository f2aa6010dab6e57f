#include <fmt/core.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/byte_buffer.hpp"
#include "h1/body_decoder.hpp"
#include "h1/head_lines.hpp"
#include "h1/rule.hpp"
#include "h2/connection.hpp"
#include "h2/fault.hpp"
#include "h2/header_block.hpp"
#include "h2/session.hpp"
#include "h2/stream_table.hpp"
#include "h2/text_limits.hpp"
#include "http/message.hpp"

namespace edgecase::h2 {
namespace {

/// What the library ended the connection for, where it told nobody but the other side.
Rule rule_of_code(uint32_t code) {
    switch (code) {
        case NGHTTP2_COMPRESSION_ERROR:
            return Rule::compression;
        case NGHTTP2_FLOW_CONTROL_ERROR:
            return Rule::flow_control;
        case NGHTTP2_FRAME_SIZE_ERROR:
            return Rule::frame_size;
        case NGHTTP2_STREAM_CLOSED:
            return Rule::closed_stream;
        default:
            return Rule::protocol;
    }
}

bool has_body(const http::Framing& framing) {
    return framing.kind == http::Framing::Kind::chunked ||
           (framing.kind == http::Framing::Kind::length && framing.length > 0);
}

/// The body comes from on_read(), which finds its stream by number.
constexpr nghttp2_data_provider no_source(nghttp2_data_source_read_callback read) {
    return {.source = {.ptr = nullptr}, .read_callback = read};
}

ssize_t read_body(nghttp2_session* /*session*/, int32_t wire, uint8_t* /*buffer*/, size_t maximum,
                  uint32_t* flags, nghttp2_data_source* /*source*/, void* impl) {
    return static_cast<Connection*>(impl)->on_read(static_cast<uint32_t>(wire), maximum, *flags);
}

}  // namespace

bool Connection::produce(base::ByteBuffer& out, size_t maximum_bytes) {
    const size_t before = out.size();
    out_ = &out;
    out_limit_ = before + maximum_bytes;
    while (out.size() < out_limit_ && !last_goaway_sent_) {
        const uint8_t* bytes = nullptr;
        const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
        if (size < 0 && !fault_) {
            break_connection(Rule::protocol, NGHTTP2_INTERNAL_ERROR, 0,
                             nghttp2_strerror(static_cast<int>(size)));
        }
        if (size <= 0) break;
        out.append({reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)});
    }
    out_ = nullptr;
    settle();
    return out.size() > before;
}

size_t Connection::write(Stream& stream, std::string_view text) {
    size_t taken = 0;
    while (taken < text.size()) {
        // Nobody will read it: a failed stream, or bytes behind the message's end.
        if (stream.fault || stream.cut || fault_ || stream.payload_whole) return text.size();
        const std::string_view rest = text.substr(taken);
        if (!stream.head_sent) {
            taken += take_head(stream, rest);
            continue;
        }
        const size_t buffer = limits_.stream_buffer_bytes;
        const size_t room = buffer - std::min(buffer, stream.payload.size());
        if (room == 0) {
            stream.blocked = true;
            break;
        }
        const h1::BodyDecoder::Step step = stream.body.next(rest.substr(0, room));
        stream.payload.append(step.payload);
        taken += step.consumed;
        if (step.state == h1::BodyDecoder::State::failed) {
            refuse_text(stream, h1::to_string(stream.body.error().rule));
        }
        stream.payload_whole = step.state == h1::BodyDecoder::State::done;
    }
    if (stream.deferred && (!stream.payload.empty() || stream.payload_whole)) {
        stream.deferred = false;
        nghttp2_session_resume_data(session_.get(), static_cast<int32_t>(stream.wire));
    }
    return taken;
}

/// A head mostly comes at once and is parsed where it is; else its parts are gathered.
size_t Connection::take_head(Stream& stream, std::string_view text) {
    const size_t before = stream.head_text.size();
    std::string_view candidate = text;
    if (before > 0) {
        stream.head_text.append(text);
        candidate = stream.head_text.view();
    }
    bool complete = false;
    size_t head_bytes = 0;
    const bool good = role_ == Role::client
                          ? send_request(stream, candidate, complete, head_bytes)
                          : send_response(stream, candidate, complete, head_bytes);
    if (!good) return text.size();
    if (!complete) {
        if (before == 0) stream.head_text.append(text);
        return text.size();
    }
    stream.head_text.clear();
    return head_bytes - before;
}

bool Connection::send_request(Stream& stream, std::string_view text, bool& complete,
                              size_t& head_bytes) {
    const h1::Progress progress = stream.request_head.parse(text);
    if (progress == h1::Progress::failed) {
        refuse_text(stream, h1::to_string(stream.request_head.error().rule));
        return false;
    }
    if (progress == h1::Progress::need_more) return true;
    complete = true;
    head_bytes = stream.request_head.head_bytes();
    const http::RequestHeadView& head = stream.request_head.head();
    stream.to_head = head.method == "HEAD";
    stream.to_connect = head.method == "CONNECT";
    const bool body = has_body(head.framing);
    fields_.set_request(head);
    const nghttp2_data_provider source = no_source(read_body);
    const int32_t wire = nghttp2_submit_request(session_.get(), nullptr, fields_.data(),
                                                fields_.size(), body ? &source : nullptr, &stream);
    if (wire < 0) {
        // The numbers have run out, or GOAWAY came.
        fail_stream(stream,
                    make_fault(Rule::unprocessed, NGHTTP2_REFUSED_STREAM, nghttp2_strerror(wire)),
                    true);
        return false;
    }
    stream.wire = static_cast<uint32_t>(wire);
    stream.wire_open = true;
    stream.head_sent = true;
    stream.payload_whole = !body;
    stream.body.reset(head.framing, kOwnText);
    return true;
}

bool Connection::send_response(Stream& stream, std::string_view text, bool& complete,
                               size_t& head_bytes) {
    const h1::Progress progress = stream.response_head.parse(text);
    if (progress == h1::Progress::failed) {
        refuse_text(stream, h1::to_string(stream.response_head.error().rule));
        return false;
    }
    if (progress == h1::Progress::need_more) return true;
    complete = true;
    head_bytes = stream.response_head.head_bytes();
    const http::ResponseHeadView& head = stream.response_head.head();
    if (head.status == 101 || head.framing.kind == http::Framing::Kind::close) {
        refuse_text(stream, head.status == 101 ? "status 101" : "a body without framing");
        return false;
    }
    fields_.set_response(head);
    const auto wire = static_cast<int32_t>(stream.wire);
    if (head.is_interim()) {
        nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, wire, nullptr, fields_.data(),
                               fields_.size(), nullptr);
        stream.response_head.reset(kOwnText, {stream.to_head, stream.to_connect});
        return true;
    }
    const bool body = has_body(head.framing);
    const nghttp2_data_provider source = no_source(read_body);
    nghttp2_submit_response(session_.get(), wire, fields_.data(), fields_.size(),
                            body ? &source : nullptr);
    stream.head_sent = true;
    stream.payload_whole = !body;
    stream.body.reset(head.framing, kOwnText);
    return true;
}

/// Our own mistake: what was written is no message that HTTP/2 could carry.
void Connection::refuse_text(Stream& stream, std::string_view what) {
    if (stream.wire_open) reset_wire(stream, NGHTTP2_INTERNAL_ERROR);
    fail_stream(stream,
                make_fault(Rule::protocol, NGHTTP2_INTERNAL_ERROR,
                           fmt::format("the text written is no message: {}", what)),
                true);
}

ssize_t Connection::on_read(uint32_t wire, size_t maximum, uint32_t& flags) {
    if (out_ == nullptr || out_->size() >= out_limit_) return NGHTTP2_ERR_PAUSE;
    Stream* const stream = by_wire(wire);
    if (stream == nullptr || stream->fault || fault_) return NGHTTP2_ERR_DEFERRED;
    if (stream->payload.empty() && !stream->payload_whole) {
        stream->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    const size_t size = std::min(maximum, stream->payload.size());
    flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (!stream->payload_whole || size < stream->payload.size()) {
        return static_cast<ssize_t>(size);
    }
    flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream->body.trailers().empty()) return static_cast<ssize_t>(size);
    fields_.set_trailers(stream->body.trailers());
    if (fields_.size() == 0) return static_cast<ssize_t>(size);
    flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    nghttp2_submit_trailer(session_.get(), static_cast<int32_t>(wire), fields_.data(),
                           fields_.size());
    return static_cast<ssize_t>(size);
}

int Connection::on_send_data(uint32_t wire, std::string_view header, size_t size) {
    Stream* const stream = by_wire(wire);
    if (stream == nullptr || out_ == nullptr || stream->payload.size() < size) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    out_->append(header);
    out_->append(stream->payload.view().substr(0, size));
    stream->payload.consume(size);
    if (stream->blocked && stream->payload.size() <= limits_.stream_buffer_bytes / 2) {
        stream->blocked = false;
        if (!stream->detached) events_.on_writable(stream->id);
    }
    return 0;
}

void Connection::on_sent(const nghttp2_frame& frame) {
    const auto wire = static_cast<uint32_t>(frame.hd.stream_id);
    FrameSeen seen{.sent = true,
                   .type = frame.hd.type,
                   .flags = frame.hd.flags,
                   .stream_id = wire,
                   .length = static_cast<uint32_t>(frame.hd.length)};
    if (frame.hd.type == NGHTTP2_RST_STREAM) seen.error_code = frame.rst_stream.error_code;
    if (frame.hd.type == NGHTTP2_GOAWAY) seen.error_code = frame.goaway.error_code;
    frames_.add(seen);
    if (frame.hd.type == NGHTTP2_GOAWAY) {
        if (frame.goaway.error_code == NGHTTP2_NO_ERROR) return;
        last_goaway_sent_ = true;
        if (fault_ || pending_) return;
        const nghttp2_goaway& goaway = frame.goaway;
        break_connection(
            rule_of_code(goaway.error_code), goaway.error_code, 0,
            evidence({reinterpret_cast<const char*>(goaway.opaque_data), goaway.opaque_data_len}));
        return;
    }
    if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return;
    if (role_ == Role::client && wire > last_sent_) last_sent_ = wire;
    if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
    Stream* const stream = by_wire(wire);
    if (stream == nullptr) return;
    stream->sent_whole = true;
    if (stream->detached && stream->reset_when_sent) reset_wire(*stream, NGHTTP2_NO_ERROR);
}

/// A request that waited in the library's queue and may not be sent any more.
void Connection::on_not_sent(const nghttp2_frame& frame) {
    const bool request =
        frame.hd.type == NGHTTP2_HEADERS && frame.headers.cat == NGHTTP2_HCAT_REQUEST;
    if (!request) return;
    const auto wire = static_cast<uint32_t>(frame.hd.stream_id);
    streams_.for_each([&](Stream& stream) {
        if (stream.wire != wire) return;
        stream.wire_open = false;
        uncount(stream);
        fail_stream(
            stream,
            make_fault(Rule::unprocessed, NGHTTP2_REFUSED_STREAM, "the request was not sent"),
            true);
    });
}

}  // namespace edgecase::h2
