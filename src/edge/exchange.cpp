#include "edge/exchange.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"
#include "edge/client_failure.hpp"
#include "edge/forward_head.hpp"
#include "edge/head_limits.hpp"
#include "edge/local_reply.hpp"
#include "edge/router.hpp"
#include "edge/tunnel.hpp"
#include "h1/writer.hpp"
#include "http/trace_parent.hpp"

namespace edgecase::edge {

using cause::Cause;
using cause::Failure;

namespace {

constexpr size_t kLoopMembers = 16;  // CDN-Loop members beyond which any chain is called a loop

}  // namespace

Exchange::Exchange(Session& session, Buffers& buffers)
    : worker_(session.worker()),
      session_(session),
      buffers_(buffers),
      watch_(session.client(), interrupt_) {
    written_before_ = session.client().bytes_written();
    record_.attempts = std::move(buffers_.attempts);
    record_.attempts.clear();
}

Exchange::~Exchange() {
    if (!completed_ && !quiet_) {
        note(shutdown_failure());
        record_.aborted = committed_;
        complete();
    }
    upload_.reset();
    release_connection(false);
    buffers_.attempts = std::move(record_.attempts);
}

// The life of a request. Each step either goes on or names the failure that ends it.
net::Task<Exchange::Then> Exchange::run() {
    started_ = worker_.loop().clock().now();
    record_.start = worker_.loop().clock().wall_now();
    record_.ray = worker_.make_ray(record_.start);
    ray_text_ = {record_.ray, worker_.settings().colo};

    if (Outcome failure = co_await read_request_head()) co_return co_await refuse(*failure);
    if (quiet_) co_return Then::close;
    if (Outcome failure = admit()) co_return co_await refuse(*failure);
    if (worker_.settings().early_hints && session_.is_http2()) {
        if (Outcome failure = co_await hint_early()) co_return co_await refuse(*failure);
    }
    if (Outcome failure = co_await contact_origin()) co_return co_await refuse(*failure);
    if (buffers_.response_head.head().status == 101) co_return co_await tunnel();
    co_return co_await respond();
}

// ---- Step 1: the request head ------------------------------------------------------------------

net::Task<Exchange::Outcome> Exchange::read_request_head() {
    h1::RequestHeadParser& parser = buffers_.request_head;
    base::ByteBuffer& in = buffers_.client_in;
    parser.reset(request_limits(worker_.settings().limits));
    const base::Deadline deadline = worker_.loop().after(worker_.settings().timeouts.client_head);
    interrupt_.set_target(&session_.client().descriptor());
    for (;;) {
        const h1::Progress progress = parser.parse(in.view());
        if (progress == h1::Progress::complete) break;
        if (progress == h1::Progress::failed) co_return bad_request_head(parser.error());
        const net::ReadResult got =
            co_await session_.client().read_some(in.reserve_free(Buffers::kReadBytes), deadline);
        const bool blank = in.view().find_first_not_of("\r\n") == std::string_view::npos;
        if (!got && got.error().kind == net::ErrorKind::cancelled && !blank) {
            co_return shutdown_failure();
        }
        if (!got && got.error().kind == net::ErrorKind::deadline && !blank) {
            co_return client_head_timeout(in.size(), worker_.settings().timeouts.client_head);
        }
        if (!got || *got == 0) {
            if (blank) {
                quiet_ = true;
                co_return std::nullopt;
            }
            if (parser.finish(in.view()) == h1::Progress::failed) {
                co_return bad_request_head(parser.error());
            }
            co_return client_left(ClientPhase::waiting, got ? nullptr : &got.error(), 0, 0);
        }
        in.commit(*got);
    }
    interrupt_.set_target(nullptr);
    head_bytes_ = parser.head_bytes();
    co_return std::nullopt;
}

// ---- Step 2: may it pass? ----------------------------------------------------------------------

Exchange::Outcome Exchange::admit() {
    const config::Settings& settings = worker_.settings();
    const http::RequestHeadView& head = buffers_.request_head.head();
    record_.method = head.method;
    record_.host = head.host;
    record_.uri = head.path;
    record_.protocol = session_.is_http2()       ? "HTTP/2"
                       : head.version_minor == 0 ? "HTTP/1.0"
                                                 : "HTTP/1.1";
    head_only_ = head.method == "HEAD";
    client_is_10_ = head.version_minor == 0;
    keep_alive_ = head.keep_alive;
    const http::FieldView* accept = nullptr;
    const http::FieldView* trace = nullptr;
    unsigned traces = 0;
    for (const http::FieldView& field : head.fields) {
        if (field.known == http::FieldName::user_agent) record_.user_agent = field.value;
        if (field.known == http::FieldName::referer) record_.referer = field.value;
        if (field.known == http::FieldName::accept) accept = &field;
        if (field.known == http::FieldName::traceparent) {
            trace = &field;
            ++traces;
        }
        if (field.known == http::FieldName::cf_ray) {
            record_.parent = record::RayId::parse(field.value).value_or(record::RayId());
        }
    }
    if (accept != nullptr) accept_ = accept->value;
    if (traces != 0 || settings.trace_parents == config::TraceParents::always) {
        join_trace(trace, traces);
    }

    h1::HeadLimits trailer_limits = request_limits(settings.limits);
    buffers_.request_body.reset(head.framing, trailer_limits);
    body_.read_whole = buffers_.request_body.state() == h1::BodyDecoder::State::done;

    if (session_.over_limit()) {
        cause::Evidence evidence;
        evidence.add("limit", settings.limits.client_connections);
        return Failure(Cause::edge_overload, std::move(evidence));
    }
    if (head.method == "CONNECT") return unserved_target(head.method, head.target);
    const uint64_t body_limit = settings.limits.request_body_bytes;
    if (body_limit > 0 && head.framing.length > body_limit) {
        return request_body_too_large(head.framing.length, body_limit);
    }
    const LoopCount loops = count_loop(head.fields, worker_.loop_token());
    if (loops.own > 0 || loops.all >= kLoopMembers) {
        cause::Evidence evidence;
        evidence.add("own_members", loops.own).add("members", loops.all);
        return Failure(Cause::edge_loop, std::move(evidence));
    }
    const auto route = match_route(settings.routes, head.host, head.path);
    if (!route) {
        cause::Evidence evidence;
        evidence.add("routes", uint64_t{settings.routes.size()});
        return Failure(Cause::edge_no_route, std::move(evidence));
    }
    upstream_ = &worker_.upstream_of_route(*route);
    // With a body still to come the tunnel's first bytes could not be told from the body's last.
    if (head.framing.kind == http::Framing::Kind::none) upgrade_ = forwardable_upgrade(head);

    // The body's beginning that came with the head: decoded once, kept for the first write.
    std::string_view rest = buffers_.client_in.view().substr(head_bytes_);
    h1::BodyDecoder& decoder = buffers_.request_body;
    while (!rest.empty() && decoder.state() == h1::BodyDecoder::State::more) {
        const auto step = decoder.next(rest);
        rest.remove_prefix(step.consumed);
        body_in_head_buffer_ += step.consumed;
        body_.wire_bytes += step.consumed;
        body_.bytes += step.payload.size();
        buffers_.replay.append(step.payload);
        if (step.state == h1::BodyDecoder::State::failed) {
            return bad_request_body(decoder.error(), body_.bytes);
        }
    }
    if (body_limit > 0 && body_.bytes > body_limit) {
        return request_body_too_large(body_.bytes, body_limit);
    }
    body_.replayable = buffers_.replay.size() <= settings.limits.replay_body_bytes;
    body_.read_whole = decoder.state() == h1::BodyDecoder::State::done;
    return std::nullopt;
}

/// The client's trace if it names one rightly and once; else a new one, as W3C Trace Context wants.
void Exchange::join_trace(const http::FieldView* field, unsigned fields) {
    if (worker_.settings().trace_parents == config::TraceParents::passed) return;
    const auto came = fields == 1 ? http::TraceParent::parse(field->value) : std::nullopt;
    trace_continued_ = came.has_value();
    if (came) {
        record_.trace = {came->trace_high, came->trace_low, came->parent};
        trace_flags_ = came->flags;
    } else {
        record_.trace = worker_.make_trace();
        trace_flags_ = http::TraceParent::kSampled | http::TraceParent::kRandom;
    }
}

/// Tells a browser what the page will want, while the origin is still at it. HTTP/2 only, as
/// browsers take it from nothing older.
net::Task<Exchange::Outcome> Exchange::hint_early() {
    const std::string_view links =
        worker_.links().find(buffers_.request_head.head(), worker_.loop().now());
    if (links.empty()) co_return std::nullopt;
    base::ByteBuffer& out = buffers_.response_out;
    out.clear();
    h1::write_status_line(out, 103, http::reason_phrase(103));
    h1::write_field(out, "Link", links);
    h1::write_field(out, "CF-Ray", ray_text_);
    out.append("\r\n");
    worker_.counters().early_hints.add();
    co_return co_await send_interim();
}

// ---- Step 3: a response head from the origin, in as many attempts as are safe ------------------

net::Task<Exchange::Outcome> Exchange::contact_origin() {
    client_ip_ = session_.address().address.to_string();
    auto* const chosen = upstream_->choose(client_ip_, worker_.loop().now());
    if (chosen == nullptr) co_return upstream_->none_healthy();
    turn_to(*chosen);
    origin::Wish first;
    first.look = body_.replayable ? origin::Pool::Look::as_heard : origin::Pool::Look::now;
    first.http1_only = !upgrade_.empty();  // HTTP/2 has no such upgrade
    origin::Wish wish = first;
    Outcome before_downgrade;
    bool failed_over = false;
    const bool idempotent = http::is_idempotent(record_.method);
    for (unsigned tries = 0;; ++tries) {
        record_.attempts.emplace_back().downgraded = before_downgrade.has_value();
        Outcome failure = co_await attempt(record_.attempts.back(), wish);
        for (const record::Attempt& other : others_) {
            if (other.cause != Cause::none) wish.avoid.push_back(other.origin.address);
        }
        add_other_attempts();
        record::Attempt& attempt_record = record_.attempts.back();
        if (!failure) {
            if (before_downgrade) origin_->distrust_http2();  // HTTP/1.1 was the cure
            upstream_->answered(*member_, buffers_.response_head.head().status,
                                worker_.loop().now());
            co_return std::nullopt;
        }
        end_attempt(attempt_record, &*failure);
        upstream_->failed(*member_, *failure, worker_.loop().now());
        const origin::Connection* const connection = connection_ ? &*connection_ : nullptr;
        const bool replayable = body_.replayable && !body_.client_failed;
        const bool retry =
            tries < worker_.settings().limits.retries &&
            origin::may_retry(*failure, connection, bytes_received_, replayable, idempotent);
        const bool connecting = failure->row().retry == cause::Retry::connect;
        const bool downgrade = failure->row().retry == cause::Retry::downgrade ||
                               failure->row().retry == cause::Retry::downgrade_idempotent;
        upload_.reset();
        release_connection(false);
        // An origin without HTTP/1.1: what it did wrong over HTTP/2 is the answer.
        const bool incurable = before_downgrade && failure->cause() == Cause::tls_no_alpn;
        if (incurable) failure = before_downgrade;
        // A connect failure is only worth another try at another address.
        if (connecting) wish.avoid.push_back(attempt_record.origin.address);
        const bool tried_all = connecting && wish.avoid.size() >= origin_->address_count();
        if (retry && !incurable && !tried_all) {
            if (downgrade) {
                wish.http1_only = true;
                before_downgrade = failure;
            }
            wish.fresh = true;
        } else if (auto* const other = failed_over ? nullptr : other_origin(*failure)) {
            failed_over = true;
            wish = first;
            before_downgrade.reset();
            turn_to(*other);
        } else {
            co_return failure;
        }
        attempt_record.retried = true;
        worker_.counters().retries.add();
    }
}

// ---- Step 4: the response ----------------------------------------------------------------------

net::Task<Exchange::Then> Exchange::respond() {
    const http::ResponseHeadView& head = buffers_.response_head.head();
    record_.origin_status = record_.edge_status = head.status;
    note_headers();
    if (worker_.settings().early_hints) {
        worker_.links().learn(buffers_.request_head.head(), head, worker_.loop().now());
    }
    if (head.status >= 500) {
        record_.cause = Cause::origin_status;
        record_.evidence.add("status", int{head.status});
    }
    buffers_.response_body.reset(head.framing, response_limits(worker_.settings().limits));
    http::Framing framing = head.framing;
    const bool sized =
        framing.kind == http::Framing::Kind::none || framing.kind == http::Framing::Kind::length;
    if (!sized) framing = client_is_10_ ? http::Framing::until_close() : http::Framing::chunked();
    // An upload that is still under way may never be read to its end.
    const bool stays = client_stays() && body_.read_whole && !uploading() &&
                       framing.kind != http::Framing::Kind::close;
    buffers_.response_out.clear();
    write_response_head(buffers_.response_out, head,
                        {ray_text_, framing, !stays, stays && client_is_10_, ""});
    const size_t head_out_bytes = buffers_.response_out.size();

    Download download({worker_, session_.client(), *connection_, attempt_view(), buffers_, head,
                       *this, framing, head_at_, bytes_received_});
    Outcome failure = co_await download.run(response_head_bytes_);

    committed_ = download.committed();
    if (committed_) {
        record_.response_body_bytes =
            std::min(download.body_bytes_sent(),
                     response_bytes() - std::min(response_bytes(), head_out_bytes));
        record_.first_byte_us = base::microseconds(*download.committed_at() - started_);
    }
    if (!failure && !download.extra().empty()) {
        const origin::AttemptView view = attempt_view();
        note(origin::extra_bytes(view, buffers_.response_body, download.extra()));
        origin_->pool().distrust();
    }
    record::Attempt& attempt = record_.attempts.back();
    if (download.origin_close()) attempt.close = *download.origin_close();
    end_attempt(attempt, failure ? &*failure : nullptr);
    const bool uploaded = body_.read_whole && !uploading() && !sending_.failed;
    upload_.reset();
    watch_.stop();
    if (failure) {
        upstream_->failed(*member_, *failure, worker_.loop().now());
    } else {
        upstream_->completed(*member_, head.status);
    }
    connection_->last_had_no_body = head.framing.kind == http::Framing::Kind::none;
    release_connection(!failure && head.keep_alive && uploaded && download.extra().empty());
    if (failure && !committed_) co_return co_await refuse(*failure);
    if (failure) {
        note(*failure);
        record_.aborted = true;
        if (failure->row().actor == cause::Actor::client) record_.edge_status = 499;
        complete();
        session_.client().abort();  // never a clean end
        co_return Then::close;
    }
    complete();
    if (stays && uploaded) co_return Then::next_request;
    co_return Then::linger;
}

net::Task<Exchange::Then> Exchange::tunnel() {
    const http::ResponseHeadView& head = buffers_.response_head.head();
    record_.origin_status = record_.edge_status = 101;
    note_headers();
    base::ByteBuffer& out = buffers_.response_out;
    out.clear();
    const http::FieldView* const upgrade = http::find(head.fields, http::FieldName::upgrade);
    write_response_head(out, head,
                        {ray_text_, http::Framing::empty(), false, false, upgrade->value});
    watch_.stop();
    std::array parts{net::part(out.view())};
    const net::WriteResult written = co_await session_.client().write_all_unless_stalled(
        parts, worker_.settings().timeouts.client_write);
    committed_ = written.has_value();
    if (written) {
        record_.first_byte_us = base::microseconds(worker_.loop().clock().now() - started_);
        const TunnelBytes bytes = co_await run_tunnel(
            worker_, session_.client(), connection_->stream,
            buffers_.client_in.view().substr(head_bytes_ + body_in_head_buffer_),
            buffers_.origin_in.view().substr(response_head_bytes_));
        record_.request_bytes += bytes.from_client;
        bytes_received_ += bytes.from_origin;
    } else {
        record_.edge_status = 499;
        note(written.error().kind == net::ErrorKind::deadline
                 ? client_slow_reader(0, worker_.settings().timeouts.client_write)
                 : client_left(ClientPhase::receiving, &written.error(), body_.bytes, 0));
    }
    end_attempt(record_.attempts.back(), nullptr);
    upstream_->completed(*member_, head.status);
    release_connection(false);
    complete();
    co_return Then::close;
}

// ---- Step 5: a reply of the edge's own ---------------------------------------------------------

net::Task<Exchange::Then> Exchange::refuse(Failure failure) {
    note(failure);
    const cause::Row& row = failure.row();
    record_.edge_status = row.status;
    if (head_bytes_ == 0) {
        // The buffer may have moved since the parser last saw it; this makes its views true again.
        static_cast<void>(buffers_.request_head.parse(buffers_.client_in.view()));
        record_.method = buffers_.request_head.method();
        record_.uri = buffers_.request_head.target();
    }
    if (!record_.attempts.empty()) record_.origin_status = record_.attempts.back().status;
    watch_.stop();
    const bool parsed = head_bytes_ > 0;
    // Only a request that was read to its end leaves a connection on which a next one may begin.
    const bool stays = parsed && body_.read_whole && client_stays() &&
                       row.actor != cause::Actor::client && !session_.over_limit();
    if (row.status == 499) {
        complete();
        session_.client().abort();
        co_return Then::close;
    }
    base::ByteBuffer& out = buffers_.response_out;
    out.clear();
    const LocalReplySize size = write_local_reply(
        out, {failure, record_.ray, worker_.settings().colo, record_.host, accept_,
              worker_.http_date(), record_.start, record_.origin_status, head_only_, !stays});
    record_.content_type = size.content_type;
    std::array parts{net::part(out.view())};
    const net::WriteResult written = co_await session_.client().write_all_unless_stalled(
        parts, worker_.settings().timeouts.client_write);
    if (written) {
        record_.response_body_bytes = size.body_bytes;
        record_.first_byte_us = base::microseconds(worker_.loop().clock().now() - started_);
    }
    complete();
    if (!written) co_return Then::close;
    co_return stays ? Then::next_request : Then::linger;
}

}  // namespace edgecase::edge
