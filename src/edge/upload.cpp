#include "edge/upload.hpp"

#include <algorithm>

#include "edge/forward_head.hpp"

namespace edgecase::edge {
namespace {

constexpr size_t kBytesPerTurn = 1024 * 1024;  // then others may run

}  // namespace

void remember(Buffers& buffers, RequestBody& body, std::string_view payload, uint32_t limit_bytes) {
    if (!body.replayable) return;
    if (buffers.replay.size() + payload.size() > limit_bytes) {
        body.replayable = false;
        buffers.replay.release();
        return;
    }
    buffers.replay.append(payload);
}

void write_last_chunk(base::ByteBuffer& out, std::span<const http::FieldView> trailers) {
    out.append("0\r\n");
    for (const http::FieldView& field : trailers) {
        if (!may_be_trailer(field)) continue;
        h1::write_field(out, field.name, field.value);
    }
    out.append("\r\n");
}

net::Task<void> Upload::run() {
    last_progress_ = parts_.loop.now();
    end_ = co_await pump();
    if (end_ != End::complete && end_ != End::origin_failed && end_ != End::origin_stalled) {
        parts_.body.client_failed = true;
    }
    parts_.loop.fire_soon(on_end_);
}

Upload::End Upload::read_end(const net::ReadResult& got) {
    if (got) return End::client_fin;
    error_ = got.error();
    return got.error().kind == net::ErrorKind::deadline ? End::client_timeout : End::client_reset;
}

/// Decodes until the input is used up, the body ends or the batch is full. False: a rule was
/// broken.
bool Upload::decode(std::string_view input, Batch& batch, size_t& consumed) {
    h1::BodyDecoder& decoder = parts_.buffers.request_body;
    consumed = 0;
    while (consumed < input.size() && !batch.full()) {
        const auto step = decoder.next(input.substr(consumed));
        consumed += step.consumed;
        parts_.body.wire_bytes += step.consumed;
        parts_.body.bytes += step.payload.size();
        batch.add(step.payload);
        remember(parts_.buffers, parts_.body, step.payload,
                 parts_.settings.limits.replay_body_bytes);
        if (step.state == h1::BodyDecoder::State::failed) return false;
        if (step.state == h1::BodyDecoder::State::done) break;
    }
    return true;
}

net::Task<Upload::End> Upload::pump() {
    h1::BodyDecoder& decoder = parts_.buffers.request_body;
    base::ByteBuffer& pending = parts_.buffers.upload;
    // Read from the client and not yet decoded. It outlives this upload: a retry goes on with it,
    // and what stands behind the body is the client's next request.
    base::ByteBuffer& unread = parts_.buffers.client_next;
    const uint64_t limit = parts_.settings.limits.request_body_bytes;
    bool first = parts_.wait_for_continue;
    size_t since_yield = 0;
    Batch batch;
    while (decoder.state() == h1::BodyDecoder::State::more) {
        size_t have = std::min(unread.size(), parts_.scratch.size());
        if (have > 0) {
            std::copy_n(unread.view().data(), have, parts_.scratch.data());
            unread.consume(have);
        } else {
            // With a length the read stops at the body's end, so that nothing behind it is taken.
            size_t wanted = std::min(read_size_.bytes(), parts_.scratch.size());
            if (!parts_.chunked) wanted = std::min<uint64_t>(wanted, decoder.remaining_bytes());
            const base::Deadline deadline =
                first ? base::Deadline::never()
                      : parts_.loop.after(parts_.settings.timeouts.client_body);
            const net::ReadResult got =
                co_await parts_.client.read_some(parts_.scratch.first(wanted), deadline);
            if (!got || *got == 0) co_return read_end(got);
            have = *got;
        }
        first = false;
        std::string_view input(parts_.scratch.data(), have);
        while (!input.empty() && decoder.state() == h1::BodyDecoder::State::more) {
            batch.clear();
            size_t consumed = 0;
            if (!decode(input, batch, consumed)) co_return End::client_broken;
            input.remove_prefix(consumed);
            if (limit > 0 && parts_.body.bytes > limit) co_return End::too_large;
            if (batch.empty()) continue;
            std::span<iovec> parts = batch.finish(parts_.chunked, size_line_);
            net::WriteResult written = parts_.origin.write_now(parts);
            if (written && !parts.empty()) {
                // The scratch is not ours while we wait.
                keep(parts, pending);
                unread.append(input);
                input = {};
                read_size_.lagged();
                std::array whole{net::part(pending.view())};
                written = co_await parts_.origin.write_all_unless_stalled(
                    whole, parts_.settings.timeouts.write);
                pending.clear();
            } else {
                read_size_.kept_up(have);
            }
            if (!written) {
                unread.append(input);
                co_return write_end(written.error());
            }
            sent_ += batch.payload_bytes();
            last_progress_ = parts_.loop.now();
        }
        unread.append(input);
        since_yield += have;
        if (since_yield > kBytesPerTurn) {
            since_yield = 0;
            co_await parts_.loop.yield();
        }
    }
    if (decoder.state() == h1::BodyDecoder::State::failed) co_return End::client_broken;
    parts_.body.read_whole = true;
    if (parts_.chunked) {
        pending.clear();
        write_last_chunk(pending, decoder.trailers());
        std::array whole{net::part(pending.view())};
        const net::WriteResult written =
            co_await parts_.origin.write_all_unless_stalled(whole, parts_.settings.timeouts.write);
        pending.clear();
        if (!written) co_return write_end(written.error());
    }
    last_progress_ = parts_.loop.now();
    co_return End::complete;
}

Upload::End Upload::write_end(const net::Error& error) {
    error_ = error;
    return error.kind == net::ErrorKind::deadline ? End::origin_stalled : End::origin_failed;
}

}  // namespace edgecase::edge
