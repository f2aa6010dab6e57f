#include "edge/exchange.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"
#include "edge/client_failure.hpp"
#include "edge/forward_head.hpp"
#include "edge/local_reply.hpp"
#include "edge/router.hpp"
#include "edge/tunnel.hpp"

namespace edgecase::edge {

using cause::Cause;
using cause::Failure;

namespace {

constexpr size_t kLoopMembers = 16;  // CDN-Loop members beyond which any chain is called a loop

h1::HeadLimits request_limits(const config::Limits& limits) {
    return {limits.request_line_bytes, limits.request_header_line_bytes,
            limits.request_header_bytes, limits.request_header_count};
}

h1::HeadLimits response_limits(const config::Limits& limits) {
    return {limits.response_line_bytes, limits.response_line_bytes, limits.response_header_bytes,
            limits.response_header_count};
}

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
    ray_text_ = record_.ray.to_string() + "-" + worker_.settings().colo;

    if (Outcome failure = co_await read_request_head()) co_return co_await refuse(*failure);
    if (quiet_) co_return Then::close;
    if (Outcome failure = admit()) co_return co_await refuse(*failure);
    if (Outcome failure = co_await contact_origin()) co_return co_await refuse(*failure);
    if (buffers_.response_head.head().status == 101) co_return co_await tunnel();
    co_return co_await respond();
}

// ---- Step 1: the request head -------------------------------------------------------------------

net::Task<Exchange::Outcome> Exchange::read_request_head() {
    h1::RequestHeadParser& parser = buffers_.request_head;
    base::ByteBuffer& in = buffers_.client_in;
    parser.reset(request_limits(worker_.settings().limits));
    const base::Deadline deadline = worker_.loop().after(worker_.settings().timeouts.client_head);
    for (;;) {
        const h1::Progress progress = parser.parse(in.view());
        if (progress == h1::Progress::complete) break;
        if (progress == h1::Progress::failed) co_return bad_request_head(parser.error());
        const net::ReadResult got =
            co_await session_.client().read_some(in.reserve_free(Buffers::kReadBytes), deadline);
        if (!got && got.error().kind == net::ErrorKind::deadline) {
            co_return client_head_timeout(in.size(), worker_.settings().timeouts.client_head);
        }
        if (!got || *got == 0) {
            if (in.view().find_first_not_of("\r\n") == std::string_view::npos) {
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
    head_bytes_ = parser.head_bytes();
    co_return std::nullopt;
}

// ---- Step 2: may it pass? -----------------------------------------------------------------------

Exchange::Outcome Exchange::admit() {
    const config::Settings& settings = worker_.settings();
    const http::RequestHeadView& head = buffers_.request_head.head();
    record_.method = head.method;
    record_.host = head.host;
    record_.uri = head.path;
    record_.protocol = head.version_minor == 0 ? "HTTP/1.0" : "HTTP/1.1";
    head_only_ = head.method == "HEAD";
    client_is_10_ = head.version_minor == 0;
    keep_alive_ = head.keep_alive;
    const http::FieldView* accept = nullptr;
    for (const http::FieldView& field : head.fields) {
        if (field.known == http::FieldName::user_agent) record_.user_agent = field.value;
        if (field.known == http::FieldName::referer) record_.referer = field.value;
        if (field.known == http::FieldName::accept) accept = &field;
        if (field.known == http::FieldName::cf_ray) {
            record_.parent = record::RayId::parse(field.value).value_or(record::RayId());
        }
    }
    if (accept != nullptr) accept_ = accept->value;

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
    origin_ = worker_.origin_of_route(*route);
    record_.origin_url = origin_->url_text();
    upgrade_ = forwardable_upgrade(head);

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

// ---- Step 3: a response head from the origin, in as many attempts as are safe
// ---------------------

net::Task<Exchange::Outcome> Exchange::contact_origin() {
    const http::RequestHeadView& head = buffers_.request_head.head();
    client_ip_ = session_.address().address.to_string();
    write_request_head(
        buffers_.request_out, head,
        {ray_text_, client_ip_, "http", worker_.loop_token(),
         worker_.settings().host_to_origin && !head.host.empty() ? head.host : origin_->authority(),
         upgrade_});
    bool fresh = false;
    size_t skip = 0;
    for (unsigned tries = 0;; ++tries) {
        record::Attempt& attempt_record = record_.attempts.emplace_back();
        Outcome failure = co_await attempt(attempt_record, fresh, skip);
        if (!failure) co_return std::nullopt;
        end_attempt(attempt_record, &*failure);
        const origin::Connection* const connection = connection_ ? &*connection_ : nullptr;
        const bool retry = tries < worker_.settings().limits.retries && !worker_.draining() &&
                           origin::may_retry(*failure, connection, bytes_received_,
                                             body_.replayable && !body_.client_failed);
        const bool connecting = failure->row().retry == cause::Retry::connect;
        upload_.reset();
        release_connection(false);
        // A connect failure is only worth another try at another address.
        if (!retry || (connecting && skip + 1 >= origin_->address_count())) co_return failure;
        attempt_record.retried = true;
        worker_.counters().retries.add();
        if (connecting) ++skip;
        fresh = true;
    }
}

net::Task<Exchange::Outcome> Exchange::attempt(record::Attempt& attempt, bool fresh, size_t skip) {
    if (Outcome failure = co_await obtain_connection(attempt, fresh, skip)) co_return failure;
    if (Outcome failure = co_await send_request(attempt)) co_return failure;
    co_return co_await read_response_head(attempt);
}

net::Task<Exchange::Outcome> Exchange::obtain_connection(record::Attempt& attempt, bool fresh,
                                                         size_t skip) {
    bytes_received_ = 0;
    interim_ = 0;
    sending_ = {};
    write_error_.reset();
    idle_before_ = {};
    if (!fresh) connection_ = origin_->take_idle();
    if (connection_) {
        idle_before_ = worker_.loop().now() - connection_->idle_since;
        attempt.idle_us = base::microseconds(idle_before_);
        attempt.connect_us = 0;
        attempt.dns_us = 0;
    } else {
        net::Background<std::expected<origin::Connection, Failure>> connecting(
            origin_->connect(attempt, skip));
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
            parser.reset(limits, {head_only_, false});
            continue;
        }
        if (broken) {
            attempt.status = parser.status();
            co_return origin::head_broken(view, parser);
        }
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
            if (bytes_received_ == 0) {
                first_byte_at_ = last_read_;
                attempt.first_byte_us = base::microseconds(first_byte_at_ - sent_at_);
            }
            bytes_received_ += *got;
            in.commit(*got);
            continue;
        }
        if (!got && got.error().kind == net::ErrorKind::cancelled) {
            if (Outcome failure = interrupted()) co_return failure;
            continue;
        }
        if (!got && got.error().kind == net::ErrorKind::deadline) {
            if (Outcome failure = wait_expired()) co_return failure;
            continue;
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
    head_at_ = worker_.loop().clock().now();
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
            .earlier(Deadline::after(first_byte_at_, timeouts.effective_response_head()));
    }
    // While the client still sends, the origin owes nothing; the upload has limits of its own.
    if (uploading() && !(buffers_.request_head.head().expects_continue && interim_ == 0)) {
        return Deadline::never();
    }
    const base::SteadyTime since = std::max(sent_at_, last_read_);
    const Deadline read = Deadline::after(since, timeouts.read);
    const Deadline ack = Deadline::after(sent_at_, timeouts.ack);
    // Past the ACK limit with everything acknowledged only the read limit is left.
    return ack.passed(worker_.loop().now()) ? read : read.earlier(ack);
}

/// Which limit has passed, if it ends the request; an ACK limit with all acknowledged does not.
Exchange::Outcome Exchange::wait_expired() {
    const config::Timeouts& timeouts = worker_.settings().timeouts;
    const h1::ResponseHeadParser& parser = buffers_.response_head;
    const base::SteadyTime now = worker_.loop().now();
    const origin::AttemptView view = attempt_view();
    if (parser.position() != h1::ResponseHeadParser::Position::nothing) {
        const bool dripped =
            base::Deadline::after(first_byte_at_, timeouts.effective_response_head()).passed(now);
        return origin::wait_timeout(view, parser, dripped ? "response_head" : "read",
                                    dripped ? timeouts.effective_response_head() : timeouts.read);
    }
    if (base::Deadline::after(sent_at_, timeouts.ack).passed(now) &&
        connection_->stream.unacked_bytes() > 0) {
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
    if (watch_.gone()) return client_gone(ClientPhase::waiting);
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

// ---- Step 4: the response -----------------------------------------------------------------------

net::Task<Exchange::Then> Exchange::respond() {
    const http::ResponseHeadView& head = buffers_.response_head.head();
    record_.origin_status = record_.edge_status = head.status;
    note_headers();
    if (head.status >= 500) {
        const Failure own = origin::own_status(head.status);
        record_.cause = own.cause();
        record_.evidence = own.evidence();
    }
    buffers_.response_body.reset(head.framing, response_limits(worker_.settings().limits));
    http::Framing framing = head.framing;
    const bool sized =
        framing.kind == http::Framing::Kind::none || framing.kind == http::Framing::Kind::length;
    if (!sized) framing = client_is_10_ ? http::Framing::until_close() : http::Framing::chunked();
    const bool stays = client_stays() && framing.kind != http::Framing::Kind::close;
    buffers_.response_out.clear();
    write_response_head(buffers_.response_out, head,
                        {ray_text_, framing, !stays, stays && client_is_10_, ""});
    const size_t head_out_bytes = buffers_.response_out.size();

    Download download({worker_, session_.client(), *connection_, attempt_view(), buffers_, head,
                       watch_, shutting_down_, framing, head_at_, bytes_received_});
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
    }
    record::Attempt& attempt = record_.attempts.back();
    if (download.origin_close()) attempt.close = *download.origin_close();
    end_attempt(attempt, failure ? &*failure : nullptr);
    const bool uploaded = body_.read_whole && !uploading() && !sending_.failed;
    upload_.reset();
    watch_.stop();
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
    co_return uploaded ? Then::close : Then::linger;
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
        note(client_left(ClientPhase::receiving, &written.error(), body_.bytes, 0));
    }
    end_attempt(record_.attempts.back(), nullptr);
    release_connection(false);
    complete();
    co_return Then::close;
}

// ---- Step 5: a reply of the edge's own
// ------------------------------------------------------------

net::Task<Exchange::Then> Exchange::refuse(Failure failure) {
    note(failure);
    const cause::Row& row = failure.row();
    record_.edge_status = row.status;
    if (record_.method.empty()) {
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

// ---- The record, in one place, on every path
// ------------------------------------------------------

void Exchange::complete() {
    completed_ = true;
    record_.duration_us = base::microseconds(worker_.loop().clock().now() - started_);
    record_.colo = worker_.settings().colo;
    record_.scheme = "http";
    record_.client = session_.address();
    record_.edge = worker_.listen_address();
    record_.request_body_bytes = body_.bytes;
    record_.request_bytes += head_bytes_ + body_.wire_bytes;
    record_.response_bytes = response_bytes();
    Counters& counters = worker_.counters();
    counters.requests.add();
    counters.response_bytes.add(record_.response_bytes);
    const size_t answered = record_.edge_status == 499 ? 0 : record_.edge_status / 100;
    counters.responses_by_class[std::min<size_t>(answered, 5)].add();
    counters.by_cause[static_cast<size_t>(record_.cause) % Counters::kCauses].add();
    worker_.sink().write(record_);

    // What came behind this request stays for the next one.
    buffers_.client_in.consume(
        std::min(buffers_.client_in.size(), head_bytes_ + body_in_head_buffer_));
    if (!buffers_.client_next.empty()) {
        buffers_.client_in.append(buffers_.client_next.view());
        buffers_.client_next.clear();
    }
    buffers_.clear();
}

/// First cause wins; what follows is only its trail. An origin's own 5xx is no cause that could
/// hide a failure of the transport behind it.
void Exchange::note(const Failure& failure) {
    if (record_.cause != Cause::none && record_.cause != Cause::origin_status) return;
    record_.cause = failure.cause();
    record_.evidence = failure.evidence();
}

void Exchange::note_headers() {
    const http::ResponseHeadView& head = buffers_.response_head.head();
    if (const auto* type = http::find(head.fields, http::FieldName::content_type)) {
        record_.content_type = type->value;
    }
    record_.response_header_bytes = static_cast<uint32_t>(response_head_bytes_);
    if (response_head_bytes_ < worker_.settings().limits.response_header_warn_bytes) return;
    record_.header_warning = true;
    record_.evidence.add("response_header_bytes", uint64_t{response_head_bytes_});
    record_.evidence.add("limit", worker_.settings().limits.response_header_bytes);
    record_.evidence.add("largest_fields",
                         buffers_.response_head.lines().largest_fields(buffers_.origin_in.view()));
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

uint64_t Exchange::response_bytes() const {
    return session_.client().bytes_written() - written_before_;
}

Failure Exchange::shutdown_failure() const {
    cause::Evidence evidence;
    evidence.add("drain_limit_ms", worker_.settings().timeouts.drain.count());
    return {Cause::edge_shutdown, std::move(evidence)};
}

Failure Exchange::client_gone(ClientPhase phase) const {
    const net::Error* const error = upload_ && upload_->error() ? &*upload_->error() : nullptr;
    return client_left(phase, error, body_.bytes, 0);
}

bool Exchange::client_stays() const {
    return keep_alive_ && !worker_.draining();
}

}  // namespace edgecase::edge
