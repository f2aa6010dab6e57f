// One attempt on one connection: obtain it, send the request, wait for the response head. Which of
// the ways to fail it was is said by origin/origin_failure and edge/client_failure.
#include <algorithm>
#include <array>

#include "base/ascii.hpp"
#include "edge/client_failure.hpp"
#include "edge/exchange.hpp"
#include "edge/forward_head.hpp"
#include "edge/head_limits.hpp"
#include "http/trace_parent.hpp"
#include "origin/transport_failure.hpp"

namespace edgecase::edge {

using cause::Failure;

void Exchange::turn_to(origin::Upstream::Member& member) {
    member_ = &member;
    origin_ = &member.origin;
    record_.origin_url = origin_->url_text();
    const http::RequestHeadView& head = buffers_.request_head.head();
    buffers_.request_out.clear();
    std::array<char, http::TraceParent::kTextBytes> trace;
    std::string_view traceparent;
    if (record_.trace) {
        trace = http::TraceParent{record_.trace.high, record_.trace.low, record_.ray.value(),
                                  trace_flags_}
                    .text();
        traceparent = {trace.data(), trace.size()};
    }
    const bool drop_tracestate =
        worker_.settings().trace_parents != config::TraceParents::passed && !trace_continued_;
    write_request_head(
        buffers_.request_out, head,
        {ray_text_, client_ip_, session_.is_tls() ? "https" : "http", worker_.loop_token(),
         worker_.settings().host_to_origin && !head.host.empty() ? head.host : origin_->authority(),
         upgrade_, traceparent, drop_tracestate});
}

/// Where the request may be sent once more after that failure. Null: nowhere.
origin::Upstream::Member* Exchange::other_origin(const Failure& failure) {
    const bool nothing_sent = failure.row().retry == cause::Retry::connect;
    const bool resendable =
        nothing_sent || (bytes_received_ == 0 && body_.replayable && !body_.client_failed);
    if (!cause::may_fail_over(failure.cause()) || !resendable ||
        worker_.settings().limits.retries == 0) {
        return nullptr;
    }
    return upstream_->choose_other(*member_, client_ip_, worker_.loop().now());
}

net::Task<Exchange::Outcome> Exchange::attempt(record::Attempt& attempt, origin::Wish wish) {
    if (Outcome failure = co_await obtain_connection(attempt, wish)) co_return failure;
    if (Outcome failure = co_await send_request(attempt)) co_return failure;
    co_return co_await read_response_head(attempt);
}

net::Task<Exchange::Outcome> Exchange::obtain_connection(record::Attempt& attempt,
                                                         origin::Wish wish) {
    bytes_received_ = 0;
    interim_ = 0;
    sending_ = {};
    write_error_.reset();
    idle_before_ = {};
    if (!wish.fresh) connection_ = origin_->take_existing(wish);
    if (connection_) {
        idle_before_ = worker_.loop().now() - connection_->idle_since;
        attempt.idle_us = base::microseconds(idle_before_);
        attempt.connect_us = 0;
        attempt.dns_us = 0;
        if (connection_->tls_version != 0) attempt.tls_us = 0;
    } else {
        net::Background<std::expected<origin::Connection, Failure>> connecting(
            origin_->connect(attempt, wish, others_));
        connecting.start();
        if (!connecting.done()) {
            watch_.start();
            while (!co_await interrupt_.join(connecting)) {
                if (watch_.gone()) co_return client_gone(ClientPhase::waiting);
                if (shutting_down_) co_return shutdown_failure();
            }
            watch_.stop();
        }
        auto connected = connecting.result();
        if (!connected) co_return connected.error();
        connection_.emplace(std::move(*connected));
    }
    attempt.origin = connection_->origin;
    attempt.edge = connection_->edge;
    attempt.connection_id = connection_->id;
    attempt.reused = connection_->reused();
    attempt.nth_request = connection_->requests;
    attempt.tls_version = connection_->tls_version;
    attempt.tls_resumed = connection_->tls_resumed;
    attempt.stream_id = connection_->stream_id;
    attempt.http2 = connection_->stream_id != 0;
    co_return std::nullopt;
}

net::Task<Exchange::Outcome> Exchange::send_request(record::Attempt& attempt) {
    const base::SteadyTime begin = worker_.loop().clock().now();
    sent_at_ = last_read_ = begin;
    const http::RequestHeadView& head = buffers_.request_head.head();
    const bool chunked = head.framing.kind == http::Framing::Kind::chunked;
    sending_.body_bytes_total = head.framing.length;
    const std::string_view payload = buffers_.replay.view();
    base::ByteBuffer& frame = buffers_.upload;
    frame.clear();
    size_t before = 0;
    if (chunked && !payload.empty()) {
        h1::write_chunk_size(frame, payload.size());
        before = frame.size();
        frame.append("\r\n");
    }
    if (chunked && body_.read_whole) write_last_chunk(frame, buffers_.request_body.trailers());
    const std::string_view frames = frame.view();
    std::array parts{net::part(buffers_.request_out.view()), net::part(frames.substr(0, before)),
                     net::part(payload), net::part(frames.substr(before))};
    const net::WriteResult written = co_await connection_->stream.write_all_unless_stalled(
        parts, worker_.settings().timeouts.write);
    frame.clear();
    sent_at_ = worker_.loop().clock().now();
    attempt.send_us = base::microseconds(sent_at_ - begin);
    sending_.complete = written && body_.read_whole;
    sending_.failed = !written;
    if (!written) write_error_ = written.error();
    if (written) {
        sending_.body_bytes_sent = payload.size();
    } else if (written.error().kind == net::ErrorKind::deadline) {
        buffers_.response_head.reset(response_limits(worker_.settings().limits), {});
        const origin::AttemptView view = attempt_view();
        co_return origin::wait_timeout(view, buffers_.response_head, "write",
                                       worker_.settings().timeouts.write);
    }
    // A failed write is not the last word: the origin may have answered before it closed.
    if (written && !body_.read_whole) {
        upload_.emplace(Upload::Parts{worker_.loop(), worker_.settings(), worker_.scratch(),
                                      session_.client(), connection_->stream, buffers_, body_,
                                      chunked, head.expects_continue && body_.bytes == 0},
                        interrupt_);
        upload_->set_bytes_sent(payload.size());
        upload_->start();
    }
    co_return std::nullopt;
}

net::Task<Exchange::Outcome> Exchange::read_response_head(record::Attempt& attempt) {
    h1::ResponseHeadParser& parser = buffers_.response_head;
    base::ByteBuffer& in = buffers_.origin_in;
    const h1::HeadLimits limits = response_limits(worker_.settings().limits);
    const origin::AttemptView view = attempt_view();
    in.clear();
    parser.reset(limits, {head_only_, false});
    interrupt_.set_target(&connection_->stream.descriptor());
    if (!upload_) watch_.start();
    bool broken = false;
    for (;;) {
        const h1::Progress progress =
            in.empty() ? h1::Progress::need_more : parser.parse(in.view());
        if (progress == h1::Progress::failed) {
            broken = true;
        } else if (progress == h1::Progress::complete) {
            attempt.status = parser.head().status;
            if (!parser.head().is_interim()) break;
            if (++interim_ > worker_.settings().limits.interim_responses) {
                co_return origin::too_many_interim(view,
                                                   worker_.settings().limits.interim_responses);
            }
            if (Outcome failure = co_await pass_interim()) co_return failure;
            in.consume(parser.head_bytes());
            head_begun_at_ = last_read_;
            parser.reset(limits, {head_only_, false});
            continue;
        }
        if (broken) {
            attempt.status = parser.status();
            co_return origin::head_broken(view, parser);
        }
        // What happened while this was busy elsewhere (writing an interim response) interrupts no
        // read.
        if (Outcome failure = interrupted()) co_return failure;
        const net::ReadResult got = co_await connection_->stream.read_some(
            in.reserve_free(Buffers::kReadBytes), wait_deadline());
        if (upload_) {
            sending_.body_bytes_sent = upload_->body_bytes_sent();
            sending_.complete = upload_->end() == Upload::End::complete;
            sending_.failed = upload_->end() == Upload::End::origin_failed;
            if (sending_.failed) write_error_ = upload_->error();
            sent_at_ = std::max(sent_at_, upload_->last_progress());
        }
        if (got && *got > 0) {
            last_read_ = worker_.loop().clock().now();
            if (in.empty()) head_begun_at_ = last_read_;
            if (bytes_received_ == 0) {
                attempt.first_byte_us = base::microseconds(last_read_ - sent_at_);
            }
            bytes_received_ += *got;
            in.commit(*got);
            continue;
        }
        if (!got && got.error().kind == net::ErrorKind::cancelled) continue;
        if (!got && got.error().kind == net::ErrorKind::deadline) {
            if (Outcome failure = wait_expired()) co_return failure;
            continue;
        }
        if (!got && got.error().kind == net::ErrorKind::layer) {
            attempt.status = parser.status();
            attempt.close = origin::transport_close(view);
            co_return origin::transport_failure(view);
        }
        if (!in.empty() && parser.finish(in.view()) == h1::Progress::failed) {
            broken = true;
            continue;
        }
        attempt.status = parser.status();
        // The kernel tells of a RST once: to the write it broke, and to no read after it.
        const bool write_saw_reset = write_error_ && write_error_->kind == net::ErrorKind::reset;
        const origin::Ending ending = !got              ? origin::Ending::of(got.error())
                                      : write_saw_reset ? origin::Ending::of(*write_error_)
                                                        : origin::Ending::fin();
        attempt.close = origin::close_of(ending);
        co_return origin::head_ended(view, parser, in.view(), ending);
    }
    head_at_ = last_read_;
    head_read_ = true;
    response_head_bytes_ = parser.head_bytes();
    attempt.header_us = base::microseconds(head_at_ - sent_at_);
    attempt.header_bytes = static_cast<uint32_t>(response_head_bytes_);
    if (parser.head().status == 101) co_return check_upgrade();
    co_return std::nullopt;
}

/// When the wait for the next response byte has lasted too long, whatever it then is.
base::Deadline Exchange::wait_deadline() const {
    const config::Timeouts& timeouts = worker_.settings().timeouts;
    using base::Deadline;
    if (bytes_received_ > 0 &&
        buffers_.response_head.position() != h1::ResponseHeadParser::Position::nothing) {
        return Deadline::after(last_read_, timeouts.read)
            .earlier(Deadline::after(head_begun_at_, timeouts.effective_response_head()));
    }
    if (uploading()) {
        const bool awaits_100 = buffers_.request_head.head().expects_continue && body_.bytes == 0;
        // While the client sends, the origin owes nothing; the upload has limits of its own.
        if (!awaits_100) return Deadline::never();
        // Once the origin has said 100 it is the client that owes the body.
        if (interim_ > 0) return Deadline::after(last_read_, timeouts.client_body);
    }
    const base::SteadyTime since = std::max(sent_at_, last_read_);
    const Deadline read = Deadline::after(since, timeouts.read);
    const Deadline ack = Deadline::after(sent_at_, timeouts.ack);
    // Past the ACK limit with everything acknowledged only the read limit is left.
    return ack.passed(worker_.loop().now()) ? read : read.earlier(ack);
}

base::Deadline Exchange::body_deadline() const {
    return uploading() ? base::Deadline::never()
                       : worker_.loop().after(worker_.settings().timeouts.read);
}

/// Which limit has passed, if it ends the request; an ACK limit with all acknowledged does not.
Exchange::Outcome Exchange::wait_expired() {
    const config::Timeouts& timeouts = worker_.settings().timeouts;
    const h1::ResponseHeadParser& parser = buffers_.response_head;
    const base::SteadyTime now = worker_.loop().now();
    const origin::AttemptView view = attempt_view();
    if (parser.position() != h1::ResponseHeadParser::Position::nothing) {
        const bool dripped =
            base::Deadline::after(head_begun_at_, timeouts.effective_response_head()).passed(now);
        return origin::wait_timeout(view, parser, dripped ? "response_head" : "read",
                                    dripped ? timeouts.effective_response_head() : timeouts.read);
    }
    if (uploading() && interim_ > 0) {
        return client_body_timeout(body_.bytes, timeouts.client_body);
    }
    if (base::Deadline::after(sent_at_, timeouts.ack).passed(now) &&
        origin::lacks_acknowledgement(*connection_)) {
        return origin::wait_timeout(view, parser, "ack", timeouts.ack);
    }
    const base::SteadyTime since = std::max(sent_at_, last_read_);
    if (base::Deadline::after(since, timeouts.read).passed(now)) {
        return origin::wait_timeout(view, parser, "read", timeouts.read);
    }
    return std::nullopt;
}

void Exchange::shut_down() {
    shutting_down_ = true;
    worker_.loop().fire_soon(interrupt_);
}

/// Why the wait was cut short, if that ends the request.
Exchange::Outcome Exchange::interrupted() {
    if (shutting_down_) return shutdown_failure();
    if (watch_.gone()) {
        return client_gone(head_read_ ? ClientPhase::receiving : ClientPhase::waiting);
    }
    if (!upload_) return std::nullopt;
    switch (upload_->end()) {
        case Upload::End::running:
        case Upload::End::origin_failed:
            return std::nullopt;  // the read will say how
        case Upload::End::complete:
            watch_.start();  // nobody reads from the client now
            return std::nullopt;
        case Upload::End::client_fin:
        case Upload::End::client_reset:
            return client_gone(ClientPhase::sending_body);
        case Upload::End::client_timeout:
            return client_body_timeout(body_.bytes, worker_.settings().timeouts.client_body);
        case Upload::End::client_broken:
            return bad_request_body(buffers_.request_body.error(), body_.bytes);
        case Upload::End::too_large:
            return request_body_too_large(body_.bytes,
                                          worker_.settings().limits.request_body_bytes);
        case Upload::End::origin_stalled:
            break;
    }
    const origin::AttemptView view = attempt_view();
    return origin::wait_timeout(view, buffers_.response_head, "write",
                                worker_.settings().timeouts.write);
}

/// 100, 103 and their like go to the client as they come; HTTP/1.0 has no place for them.
net::Task<Exchange::Outcome> Exchange::pass_interim() {
    if (client_is_10_) co_return std::nullopt;
    base::ByteBuffer& out = buffers_.response_out;
    out.clear();
    write_response_head(out, buffers_.response_head.head(),
                        {ray_text_, http::Framing::empty(), false, false, ""});
    co_return co_await send_interim();
}

/// What is in `Buffers::response_out`.
net::Task<Exchange::Outcome> Exchange::send_interim() {
    base::ByteBuffer& out = buffers_.response_out;
    std::array parts{net::part(out.view())};
    const net::WriteResult written = co_await session_.client().write_all_unless_stalled(
        parts, worker_.settings().timeouts.client_write);
    out.clear();
    if (written) co_return std::nullopt;
    if (written.error().kind == net::ErrorKind::deadline) {
        co_return client_slow_reader(0, worker_.settings().timeouts.client_write);
    }
    co_return client_left(ClientPhase::waiting, &written.error(), body_.bytes, 0);
}

Exchange::Outcome Exchange::check_upgrade() {
    const http::FieldView* const got =
        http::find(buffers_.response_head.head().fields, http::FieldName::upgrade);
    const std::string_view answered = got == nullptr ? std::string_view() : got->value;
    bool offered = false;
    base::for_each_list_element(upgrade_, [&](std::string_view element) {
        offered = offered || base::iequals(element, answered);
    });
    if (offered) return std::nullopt;
    const origin::AttemptView view = attempt_view();
    return origin::unexpected_upgrade(view, upgrade_, answered);
}

/// Before the present attempt, which may be moved.
void Exchange::add_other_attempts() {
    for (record::Attempt& other : others_) {
        record_.attempts.insert(record_.attempts.end() - 1, std::move(other));
    }
    others_.clear();
}

void Exchange::end_attempt(record::Attempt& attempt, const Failure* failure) {
    if (connection_) {
        attempt.bytes_sent = connection_->stream.bytes_written() - connection_->bytes_before;
        attempt.bytes_received = bytes_received_;
        attempt.total_us = base::microseconds(worker_.loop().clock().now() - sent_at_);
    }
    if (failure == nullptr) return;
    attempt.cause = failure->cause();
    attempt.evidence = failure->evidence();
}

void Exchange::release_connection(bool reusable) {
    interrupt_.set_target(nullptr);
    if (!connection_) return;
    origin_->give_back(std::move(*connection_), reusable);
    connection_.reset();
}

origin::AttemptView Exchange::attempt_view() const {
    return {*connection_, sending_,    worker_.loop().clock(), sent_at_, bytes_received_,
            interim_,     idle_before_};
}

}  // namespace edgecase::edge
