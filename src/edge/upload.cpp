#include "edge/upload.hpp"

#include <algorithm>
#include <string>

namespace edgecase::edge {

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
        if (http::is_hop_by_hop(field.known)) continue;
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
    const uint64_t limit = parts_.settings.limits.request_body_bytes;
    bool first = parts_.wait_for_continue;
    Batch batch;
    while (decoder.state() == h1::BodyDecoder::State::more) {
        // With a length the read stops at the body's end, so that nothing of a next request is
        // taken.
        size_t wanted = std::min(read_size_.bytes(), parts_.scratch.size());
        if (!parts_.chunked) wanted = std::min<uint64_t>(wanted, decoder.remaining_bytes());
        const base::Deadline deadline =
            first ? base::Deadline::never()
                  : parts_.loop.after(parts_.settings.timeouts.client_body);
        const net::ReadResult got =
            co_await parts_.client.read_some(parts_.scratch.first(wanted), deadline);
        if (!got || *got == 0) co_return read_end(got);
        first = false;
        std::string_view input(parts_.scratch.data(), *got);
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
                // The rest of the input moves too: the scratch is not ours while we wait.
                keep(parts, pending);
                const std::string rest(input);
                read_size_.lagged();
                std::array whole{net::part(pending.view())};
                written = co_await parts_.origin.write_all_unless_stalled(
                    whole, parts_.settings.timeouts.write);
                pending.clear();
                if (written && !rest.empty()) {
                    std::copy(rest.begin(), rest.end(), parts_.scratch.begin());
                    input = std::string_view(parts_.scratch.data(), rest.size());
                }
            } else {
                read_size_.kept_up(*got);
            }
            if (!written) {
                error_ = written.error();
                co_return written.error().kind == net::ErrorKind::deadline ? End::origin_stalled
                                                                           : End::origin_failed;
            }
            sent_ += batch.payload_bytes();
            last_progress_ = parts_.loop.now();
        }
        // What came behind a chunked body is the client's next request.
        if (!input.empty()) parts_.buffers.client_next.append(input);
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
        if (!written) {
            error_ = written.error();
            co_return written.error().kind == net::ErrorKind::deadline ? End::origin_stalled
                                                                       : End::origin_failed;
        }
    }
    last_progress_ = parts_.loop.now();
    co_return End::complete;
}

}  // namespace edgecase::edge
