#include "origin/own_request.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"
#include "base/byte_buffer.hpp"
#include "origin/transport_failure.hpp"

namespace edgecase::origin {
namespace {

using base::Deadline;
using cause::Failure;

constexpr size_t kReadBytes = 16 * 1024;

class Asking {
  public:
    Asking(net::Loop& loop, const config::Settings& settings, Connection& connection,
           OwnRequest request, record::Attempt& attempt)
        : loop_(loop),
          settings_(settings),
          connection_(connection),
          request_(request),
          attempt_(attempt),
          view_{connection, sending_, loop.clock(),       sent_at_,
                received_,  interim_, request.idle_before} {}

    net::Task<OwnExchange> run() {
        started_ = sent_at_ = last_read_ = loop_.clock().now();
        OwnExchange result;
        result.failure = co_await send();
        if (!result.failure) result.failure = co_await read_head();
        const bool changed = answer_.whole;
        if (!result.failure && !changed) result.failure = co_await read_body();
        if (answer_.whole && !changed && !in_.empty())
            result.extra = extra_bytes(view_, body_, in_.view());
        answer_.reusable = answer_.whole && answer_.keep_alive && !result.extra &&
                           answer_.framing.kind != http::Framing::Kind::close &&
                           answer_.status != 101;
        attempt_.status = answer_.status;
        attempt_.bytes_sent = connection_.stream.bytes_written() - connection_.bytes_before;
        attempt_.bytes_received = received_;
        attempt_.total_us = base::microseconds(loop_.clock().now() - sent_at_);
        if (result.failure) {
            attempt_.cause = result.failure->cause();
            attempt_.evidence = result.failure->evidence();
        }
        result.answer = std::move(answer_);
        co_return result;
    }

  private:
    h1::HeadLimits head_limits() const {
        const config::Limits& limits = settings_.limits;
        return {limits.response_line_bytes, limits.response_line_bytes,
                limits.response_header_bytes, limits.response_header_count};
    }

    net::Task<std::optional<Failure>> send() {
        std::array parts{net::part(request_.bytes)};
        const net::WriteResult written =
            co_await connection_.stream.write_all_unless_stalled(parts, settings_.timeouts.write);
        sent_at_ = loop_.clock().now();
        attempt_.send_us = base::microseconds(sent_at_ - started_);
        sending_.complete = written.has_value();
        sending_.failed = !written;
        const size_t head_bytes = request_.bytes.size() - request_.body_bytes;
        const uint64_t sent = connection_.stream.bytes_written() - connection_.bytes_before;
        sending_.body_bytes_total = request_.body_bytes;
        sending_.body_bytes_sent = sent - std::min<uint64_t>(sent, head_bytes);
        if (written) co_return std::nullopt;
        write_error_ = written.error();
        parser_.reset(head_limits(), {request_.to_head, false});
        // Otherwise it is not the last word: the origin may have answered before it closed.
        if (written.error().kind == net::ErrorKind::deadline && !connection_.stream.has_unread()) {
            co_return wait_timeout(view_, parser_, "write", settings_.timeouts.write);
        }
        co_return std::nullopt;
    }

    Deadline head_deadline() const {
        const config::Timeouts& timeouts = settings_.timeouts;
        const Deadline read = Deadline::after(std::max(sent_at_, last_read_), timeouts.read);
        if (has_begun()) {
            return read.earlier(Deadline::after(head_begun_, timeouts.effective_response_head()))
                .earlier(request_.whole);
        }
        const Deadline ack = Deadline::after(sent_at_, timeouts.ack);
        return (ack.passed(loop_.now()) ? read : read.earlier(ack)).earlier(request_.whole);
    }
    bool has_begun() const {
        return received_ > 0 && parser_.position() != h1::ResponseHeadParser::Position::nothing;
    }

    /// Which limit has passed; an ACK limit with all acknowledged ends nothing.
    std::optional<Failure> expired() const {
        const config::Timeouts& timeouts = settings_.timeouts;
        const base::SteadyTime now = loop_.now();
        if (request_.whole.passed(now)) {
            return wait_timeout(view_, parser_, request_.whole_name, request_.whole_limit);
        }
        if (has_begun()) {
            const auto head = timeouts.effective_response_head();
            const bool dripped = Deadline::after(head_begun_, head).passed(now);
            return wait_timeout(view_, parser_, dripped ? "response_head" : "read",
                                dripped ? head : timeouts.read);
        }
        if (Deadline::after(sent_at_, timeouts.ack).passed(now) &&
            lacks_acknowledgement(connection_)) {
            return wait_timeout(view_, parser_, "ack", timeouts.ack);
        }
        if (Deadline::after(std::max(sent_at_, last_read_), timeouts.read).passed(now)) {
            return wait_timeout(view_, parser_, "read", timeouts.read);
        }
        return std::nullopt;
    }

    net::Task<std::optional<Failure>> read_head() {
        parser_.reset(head_limits(), {request_.to_head, false});
        for (;;) {
            const h1::Progress progress =
                in_.empty() ? h1::Progress::need_more : parser_.parse(in_.view());
            answer_.status = parser_.status();
            if (progress == h1::Progress::failed) co_return head_broken(view_, parser_);
            if (progress == h1::Progress::complete) {
                if (!parser_.head().is_interim()) break;
                const unsigned limit = settings_.limits.interim_responses;
                if (++interim_ > limit) co_return too_many_interim(view_, limit);
                answer_.interim.emplace_back(in_.view().substr(0, parser_.head_bytes()));
                in_.consume(parser_.head_bytes());
                head_begun_ = last_read_;
                parser_.reset(head_limits(), {request_.to_head, false});
                continue;
            }
            const net::ReadResult got = co_await connection_.stream.read_some(
                in_.reserve_free(kReadBytes), head_deadline());
            if (got && *got > 0) {
                note_read(*got);
                continue;
            }
            if (!got && got.error().kind == net::ErrorKind::deadline) {
                if (auto failure = expired()) co_return failure;
                continue;
            }
            co_return head_end(got);
        }
        take_head();
        co_return answer_.status == 101 ? check_upgrade() : std::nullopt;
    }

    /// What follows a change that was offered is another protocol's.
    std::optional<Failure> check_upgrade() {
        const std::string_view answered = answer_.value_of("upgrade");
        base::for_each_list_element(request_.upgrade, [&](std::string_view element) {
            answer_.whole = answer_.whole || base::iequals(element, answered);
        });
        if (answer_.whole) return std::nullopt;
        return unexpected_upgrade(view_, request_.upgrade, answered);
    }

    void note_read(size_t bytes) {
        last_read_ = loop_.clock().now();
        if (in_.empty()) head_begun_ = last_read_;
        if (received_ == 0) attempt_.first_byte_us = base::microseconds(last_read_ - sent_at_);
        received_ += bytes;
        in_.commit(bytes);
    }

    Failure head_end(const net::ReadResult& got) {
        if (!got && got.error().kind == net::ErrorKind::layer) {
            attempt_.close = transport_close(view_);
            return transport_failure(view_);
        }
        if (!in_.empty() && parser_.finish(in_.view()) == h1::Progress::failed) {
            answer_.status = parser_.status();
            return head_broken(view_, parser_);
        }
        answer_.status = parser_.status();
        // The kernel tells of a RST once: to the write it broke, and to no read after it.
        const bool write_saw_reset = write_error_ && write_error_->kind == net::ErrorKind::reset;
        const Ending ending = !got              ? Ending::of(got.error())
                              : write_saw_reset ? Ending::of(*write_error_)
                                                : Ending::fin();
        attempt_.close = close_of(ending);
        return head_ended(view_, parser_, in_.view(), ending);
    }

    void take_head() {
        const http::ResponseHeadView& head = parser_.head();
        answer_.head_whole = true;
        answer_.head = in_.view().substr(0, parser_.head_bytes());
        for (const http::FieldView& field : head.fields) {
            answer_.fields.push_back({std::string(field.name), std::string(field.value)});
        }
        answer_.framing = head.framing;
        answer_.keep_alive = head.keep_alive;
        attempt_.header_bytes = static_cast<uint32_t>(parser_.head_bytes());
        attempt_.header_us = base::microseconds(last_read_ - sent_at_);
    }

    net::Task<std::optional<Failure>> read_body() {
        const h1::HeadLimits trailers = head_limits();
        body_.reset(answer_.framing, trailers);
        const base::SteadyTime head_at = last_read_;
        in_.consume(answer_.head.size());
        using State = h1::BodyDecoder::State;
        for (;;) {
            while (!in_.empty() && body_.state() == State::more) {
                const h1::BodyDecoder::Step step = body_.next(in_.view());
                keep(step.payload);
                in_.consume(step.consumed);
            }
            if (body_.state() == State::failed) co_return body_broken(view_, body_);
            if (body_.state() == State::done) break;
            const bool long_enough = request_.body_time != base::Duration::zero() &&
                                     loop_.clock().now() - head_at > request_.body_time;
            if (answer_.body_bytes > request_.body_bytes_read || long_enough)
                co_return std::nullopt;
            const net::ReadResult got = co_await connection_.stream.read_some(
                in_.reserve_free(kReadBytes),
                Deadline::after(last_read_, settings_.timeouts.read).earlier(request_.whole));
            if (got && *got > 0) {
                last_read_ = loop_.clock().now();
                received_ += *got;
                in_.commit(*got);
                continue;
            }
            if (auto failure = body_end(got)) co_return failure;
            break;
        }
        answer_.whole = true;
        co_return std::nullopt;
    }

    void keep(std::string_view payload) {
        answer_.body_bytes += payload.size();
        const size_t free =
            request_.body_bytes_kept - std::min(request_.body_bytes_kept, answer_.body.size());
        answer_.body.append(payload.substr(0, free));
    }

    std::optional<Failure> body_end(const net::ReadResult& got) {
        if (!got && got.error().kind == net::ErrorKind::deadline) {
            return body_timeout(view_, body_, settings_.timeouts.read);
        }
        if (!got && got.error().kind == net::ErrorKind::layer) {
            attempt_.close = transport_close(view_);
            return transport_failure(view_);
        }
        const Ending ending = got ? Ending::fin() : Ending::of(got.error());
        attempt_.close = close_of(ending);
        const net::Layer* const layer = connection_.stream.layer();
        const bool by_close = answer_.framing.kind == http::Framing::Kind::close;
        const bool cut = by_close && layer != nullptr && !layer->ended_properly();
        if (got && !cut && body_.finish()) return std::nullopt;
        return body_ended(view_, body_, ending);
    }

    net::Loop& loop_;
    const config::Settings& settings_;
    Connection& connection_;
    OwnRequest request_;
    record::Attempt& attempt_;
    OwnAnswer answer_;
    Sending sending_;
    base::SteadyTime started_{};
    base::SteadyTime sent_at_{};
    base::SteadyTime last_read_{};
    base::SteadyTime head_begun_{};
    uint64_t received_ = 0;
    unsigned interim_ = 0;
    std::optional<net::Error> write_error_;
    AttemptView view_;
    h1::ResponseHeadParser parser_;
    h1::BodyDecoder body_;
    base::ByteBuffer in_;
};

}  // namespace

std::string_view OwnAnswer::value_of(std::string_view name) const {
    const auto field = std::ranges::find_if(
        fields, [&](const Field& one) { return base::iequals(one.name, name); });
    return field == fields.end() ? std::string_view() : std::string_view(field->value);
}

net::Task<OwnExchange> ask(net::Loop& loop, const config::Settings& settings,
                           Connection& connection, OwnRequest request, record::Attempt& attempt) {
    Asking asking(loop, settings, connection, request, attempt);
    co_return co_await asking.run();
}

void describe(record::Attempt& attempt, const Connection& connection) {
    attempt.origin = connection.origin;
    attempt.edge = connection.edge;
    attempt.connection_id = connection.id;
    attempt.reused = connection.reused();
    attempt.nth_request = connection.requests;
    attempt.tls_version = connection.tls_version;
    attempt.tls_resumed = connection.tls_resumed;
    attempt.stream_id = connection.stream_id;
    attempt.http2 = connection.stream_id != 0;
}

}  // namespace edgecase::origin
