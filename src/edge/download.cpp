#include "edge/download.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "edge/client_failure.hpp"
#include "edge/upload.hpp"
#include "origin/transport_failure.hpp"

namespace edgecase::edge {

namespace {

constexpr size_t kCopiedBytes = 4096;
constexpr size_t kBeyondEnd = 256;  // read past a response's end, to see whether anything is there

}  // namespace

using cause::Failure;
using State = h1::BodyDecoder::State;

net::Task<std::optional<Failure>> Download::run(size_t body_offset) {
    Buffers& buffers = parts_.buffers;
    const std::string_view first = buffers.origin_in.view().substr(body_offset);
    h1::BodyDecoder& decoder = buffers.response_body;

    // The common case in one step: the whole response is here, in one piece.
    if (decoder.state() != State::done) {
        const auto step = decoder.next(first);
        if (step.state == State::failed) {
            co_return origin::body_broken(parts_.attempt, decoder);
        }
        if (step.state == State::done && decoder.framing().kind == http::Framing::Kind::length) {
            keep_extra(first.substr(step.consumed));
            co_return co_await commit(step.payload);
        }
        buffers.held.append(step.payload);
        if (auto failure = decode_held(first.substr(step.consumed))) co_return failure;
    } else {
        keep_extra(first);
        co_return co_await commit({});
    }

    if (!must_stream_at_once()) {
        if (auto failure = co_await hold()) co_return failure;
    }
    if (auto failure = co_await commit(buffers.held.view())) co_return failure;
    buffers.held.clear();
    if (complete_) co_return std::nullopt;
    co_return co_await stream();
}

/// For the record; the bytes themselves go nowhere.
void Download::keep_extra(std::string_view extra) {
    constexpr size_t kKept = 4096;
    if (!extra.empty()) extra_ = extra.substr(0, kKept);
}

/// Event streams must not wait, and what is announced to be longer than the bound would not be held
/// to its end anyway.
bool Download::must_stream_at_once() const {
    const auto& limits = parts_.worker.settings().limits;
    const http::Framing& framing = parts_.buffers.response_body.framing();
    if (framing.kind == http::Framing::Kind::length && framing.length > limits.hold_back_bytes) {
        return true;
    }
    const http::FieldView* const type =
        http::find(parts_.head.fields, http::FieldName::content_type);
    return type != nullptr &&
           base::iequals(base::trim(type->value.substr(0, type->value.find(';'))),
                         "text/event-stream");
}

/// Decodes all of `input` into the held payload; what follows the end is extra.
std::optional<Failure> Download::decode_held(std::string_view input) {
    h1::BodyDecoder& decoder = parts_.buffers.response_body;
    while (!input.empty() && decoder.state() == State::more) {
        const auto step = decoder.next(input);
        parts_.buffers.held.append(step.payload);
        input.remove_prefix(step.consumed);
        if (step.state == State::failed) return origin::body_broken(parts_.attempt, decoder);
    }
    if (decoder.state() == State::failed) return origin::body_broken(parts_.attempt, decoder);
    keep_extra(input);
    return std::nullopt;
}

/// Null: `got` is payload, or a proper end by FIN (then fin_ended_).
std::optional<Failure> Download::read_failure(const net::ReadResult& got) {
    h1::BodyDecoder& decoder = parts_.buffers.response_body;
    if (got && *got > 0) return std::nullopt;
    if (got) {
        const net::Layer* const layer = parts_.connection.stream.layer();
        const bool by_close = decoder.framing().kind == http::Framing::Kind::close;
        const bool cut = by_close && layer != nullptr && !layer->ended_properly();
        if (!cut && decoder.finish()) {
            fin_ended_ = true;
            return std::nullopt;
        }
        origin_close_ = record::Close::fin;
        return origin::body_ended(parts_.attempt, decoder, origin::Ending::fin());
    }
    if (got.error().kind == net::ErrorKind::deadline) {
        return origin::body_timeout(parts_.attempt, decoder,
                                    parts_.worker.settings().timeouts.read);
    }
    if (got.error().kind == net::ErrorKind::layer) {
        origin_close_ = origin::transport_close(parts_.attempt);
        return origin::transport_failure(parts_.attempt);
    }
    const origin::Ending ending = origin::Ending::of(got.error());
    origin_close_ = origin::close_of(ending);
    return origin::body_ended(parts_.attempt, decoder, ending);
}

net::Task<std::optional<Failure>> Download::hold() {
    const auto& settings = parts_.worker.settings();
    Buffers& buffers = parts_.buffers;
    const base::Deadline until =
        base::Deadline::after(parts_.head_at, settings.limits.hold_back_time);
    h1::BodyDecoder& decoder = buffers.response_body;
    const bool sized = decoder.framing().kind == http::Framing::Kind::length;
    while (!body_done() && buffers.held.size() <= settings.limits.hold_back_bytes) {
        if (auto failure = parts_.host.interrupted()) co_return failure;
        const base::Deadline read_limit = parts_.host.body_deadline();
        const base::Deadline deadline = until.earlier(read_limit);
        // With a known length the bytes go straight to where they are held; a few more than that
        // may come, which is how bytes behind the end are noticed.
        const std::span<char> space =
            sized ? buffers.held.reserve_free(decoder.remaining_bytes() + kBeyondEnd)
                        .first(decoder.remaining_bytes() + kBeyondEnd)
                  : parts_.worker.scratch().first(ReadSize::kSmallest);
        const net::ReadResult got = co_await parts_.connection.stream.read_some(space, deadline);
        if (!got && got.error().kind == net::ErrorKind::cancelled) continue;
        if (!got && got.error().kind == net::ErrorKind::deadline && until < read_limit) break;
        if (auto failure = read_failure(got)) co_return failure;
        if (fin_ended_) break;
        parts_.bytes_received += *got;
        if (sized) {
            const auto step = decoder.next({space.data(), *got});
            keep_extra({space.data() + step.consumed, *got - step.consumed});
            buffers.held.commit(step.payload.size());
        } else if (auto failure = decode_held({space.data(), *got})) {
            co_return failure;
        }
    }
    co_return std::nullopt;
}

Failure Download::write_failure(const net::Error& error) const {
    if (error.kind == net::ErrorKind::deadline) {
        return client_slow_reader(sent_, parts_.worker.settings().timeouts.client_write);
    }
    return client_left(ClientPhase::receiving, &error, 0, sent_);
}

/// Sends the head and `payload`, and the end if the body is done.
net::Task<std::optional<Failure>> Download::commit(std::string_view payload) {
    Buffers& buffers = parts_.buffers;
    const bool chunked = parts_.framing.kind == http::Framing::Kind::chunked;
    const bool done = body_done() || fin_ended_;
    if (chunked) {
        // Size line and last chunk stand in the head's buffer: three parts whatever there is.
        if (!payload.empty()) h1::write_chunk_size(buffers.response_out, payload.size());
        const size_t before = buffers.response_out.size();
        if (!payload.empty()) buffers.response_out.append("\r\n");
        if (done) write_last_chunk(buffers.response_out, buffers.response_body.trailers());
        const std::string_view out = buffers.response_out.view();
        std::array parts{net::part(out.substr(0, before)), net::part(payload),
                         net::part(out.substr(before))};
        const net::WriteResult written = co_await parts_.client.write_all_unless_stalled(
            parts, parts_.worker.settings().timeouts.client_write);
        if (!written) co_return write_failure(written.error());
    } else {
        // A small body is copied behind the head: cheaper than a write of two parts.
        const bool small = payload.size() <= kCopiedBytes;
        if (small) buffers.response_out.append(payload);
        std::array parts{net::part(buffers.response_out.view()),
                         net::part(small ? std::string_view() : payload)};
        const net::WriteResult written = co_await parts_.client.write_all_unless_stalled(
            parts, parts_.worker.settings().timeouts.client_write);
        if (!written) co_return write_failure(written.error());
    }
    committed_ = true;
    committed_at_ = parts_.worker.loop().clock().now();
    sent_ += payload.size();
    complete_ = done;
    co_return std::nullopt;
}

net::Task<std::optional<Failure>> Download::stream() {
    const auto& settings = parts_.worker.settings();
    net::Loop& loop = parts_.worker.loop();
    Buffers& buffers = parts_.buffers;
    h1::BodyDecoder& decoder = buffers.response_body;
    const bool chunked = parts_.framing.kind == http::Framing::Kind::chunked;
    base::ByteBuffer& pending = buffers.held;
    base::ByteBuffer& size_line = buffers.response_out;
    Batch batch;
    size_t since_yield = 0;
    while (!body_done()) {
        if (auto failure = parts_.host.interrupted()) co_return failure;
        const std::span<char> scratch = parts_.worker.scratch().first(
            std::min(read_size_.bytes(), parts_.worker.scratch().size()));
        const net::ReadResult got =
            co_await parts_.connection.stream.read_some(scratch, parts_.host.body_deadline());
        if (!got && got.error().kind == net::ErrorKind::cancelled) continue;
        if (auto failure = read_failure(got)) co_return failure;
        if (fin_ended_) break;
        parts_.bytes_received += *got;
        // Nothing is awaited until all of the scratch is decoded and written or copied.
        std::string_view input(scratch.data(), *got);
        bool lagging = false;
        while (!input.empty() && decoder.state() == State::more) {
            batch.clear();
            while (!input.empty() && decoder.state() == State::more && !batch.full()) {
                const auto step = decoder.next(input);
                input.remove_prefix(step.consumed);
                batch.add(step.payload);
            }
            if (batch.empty()) continue;
            sent_ += batch.payload_bytes();
            std::span<iovec> parts = batch.finish(chunked, size_line);
            if (!lagging) {
                const net::WriteResult written = parts_.client.write_now(parts);
                if (!written) co_return write_failure(written.error());
            }
            if (!parts.empty()) {
                lagging = true;
                keep(parts, pending);
            }
        }
        if (lagging) {
            read_size_.lagged();
            std::array whole{net::part(pending.view())};
            const net::WriteResult written = co_await parts_.client.write_all_unless_stalled(
                whole, settings.timeouts.client_write);
            pending.clear();
            if (pending.capacity() > Buffers::kKeptBytes) pending.release();
            if (!written) co_return write_failure(written.error());
            since_yield = 0;
        } else {
            read_size_.kept_up(*got);
        }
        if (decoder.state() == State::failed) {
            co_return origin::body_broken(parts_.attempt, decoder);
        }
        keep_extra(input);
        since_yield += *got;
        if (since_yield > Worker::kScratchBytes * 2) {
            since_yield = 0;
            co_await loop.yield();
        }
    }
    if (chunked) {
        size_line.clear();
        write_last_chunk(size_line, decoder.trailers());
        std::array whole{net::part(size_line.view())};
        const net::WriteResult written =
            co_await parts_.client.write_all_unless_stalled(whole, settings.timeouts.client_write);
        if (!written) co_return write_failure(written.error());
    }
    complete_ = true;
    co_return std::nullopt;
}

}  // namespace edgecase::edge
