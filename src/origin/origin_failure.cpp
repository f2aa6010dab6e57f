#include "origin/origin_failure.hpp"

#include <algorithm>

#include "base/escape.hpp"
#include "mux/connection.hpp"
#include "origin/evidence.hpp"

namespace edgecase::origin {
namespace {

using cause::Cause;
using cause::Evidence;
using cause::Failure;

// A close that was under way when the request was sent is there long before.
constexpr std::chrono::seconds kRaceTime{1};
constexpr uint64_t kMuchOfAnUpload =
    256 * 1024;  // beyond what a closing socket's kernel acknowledges

void add_ending(Evidence& evidence, const Ending& ending) {
    evidence.add("close", to_string(ending.kind));
    if (ending.error.number != 0) evidence.add("errno", ending.error.name());
}

void add_sending(Evidence& evidence, const Sending& sending) {
    evidence.add("request_complete", sending.complete);
    evidence.add("request_body_bytes_sent", sending.body_bytes_sent);
    if (sending.body_bytes_total > 0) {
        evidence.add("request_body_bytes_total", sending.body_bytes_total);
    }
}

Cause cause_of(h1::Fingerprint fingerprint) {
    switch (fingerprint) {
        case h1::Fingerprint::tls:
            return Cause::resp_not_http_tls;
        case h1::Fingerprint::ssh:
            return Cause::resp_not_http_ssh;
        case h1::Fingerprint::smtp:
            return Cause::resp_not_http_smtp;
        case h1::Fingerprint::html:
            return Cause::resp_not_http_html;
        case h1::Fingerprint::h2:
            return Cause::resp_not_http_h2;
        case h1::Fingerprint::proxy_protocol:
            return Cause::resp_not_http_proxy_protocol;
        case h1::Fingerprint::text:
            return Cause::resp_not_http_text;
        case h1::Fingerprint::none:
        case h1::Fingerprint::binary:
            return Cause::resp_not_http_binary;
    }
    return Cause::resp_not_http_binary;
}

Cause head_cause(const h1::ParseError& error) {
    using h1::Rule;
    switch (error.rule) {
        case Rule::not_http:
            return cause_of(error.fingerprint);
        case Rule::bad_version:
            return Cause::resp_bad_version;
        case Rule::bad_start_line:
            return Cause::resp_bad_status_line;
        case Rule::status_missing:
            return Cause::resp_bad_status_code_missing;
        case Rule::status_not_numeric:
            return Cause::resp_bad_status_code_not_numeric;
        case Rule::status_too_short:
            return Cause::resp_bad_status_code_too_short;
        case Rule::status_too_long:
            return Cause::resp_bad_status_code_too_long;
        case Rule::status_out_of_range:
            return Cause::resp_bad_status_code_out_of_range;
        case Rule::bad_reason_phrase:
            return Cause::resp_bad_reason_phrase;
        case Rule::space_before_colon:
            return Cause::resp_bad_header_name_space;
        case Rule::bad_name_byte:
            return Cause::resp_bad_header_name_byte;
        case Rule::empty_name:
            return Cause::resp_bad_header_name_empty;
        case Rule::no_colon:
            return Cause::resp_no_colon;
        case Rule::nul_in_value:
            return Cause::resp_bad_header_value_nul;
        case Rule::control_in_value:
            return Cause::resp_bad_header_value_control;
        case Rule::obs_fold:
            return Cause::resp_obs_fold;
        case Rule::bare_lf:
            return Cause::resp_bare_lf;
        case Rule::bare_cr:
            return Cause::resp_bare_cr;
        case Rule::section_too_large:
            return Cause::resp_headers_too_large;
        case Rule::start_line_too_large:
            return Cause::resp_status_line_too_large;
        case Rule::line_too_large:
            return Cause::resp_header_line_too_large;
        case Rule::too_many_fields:
            return Cause::resp_too_many_headers;
        case Rule::conflicting_length:
            return Cause::resp_conflicting_length;
        case Rule::duplicate_length:
            return Cause::resp_duplicate_length;
        case Rule::bad_length:
            return Cause::resp_bad_length;
        case Rule::length_and_coding:
            return Cause::resp_cl_and_te;
        case Rule::unknown_coding:
            return Cause::resp_bad_te;
        case Rule::chunked_not_final:
            return Cause::resp_te_not_final;
        case Rule::coding_in_http10:
            return Cause::resp_te_in_http10;
        case Rule::none:
        case Rule::bad_method:
        case Rule::bad_target:
        case Rule::missing_host:
        case Rule::duplicate_host:
        case Rule::bad_host:
        case Rule::unknown_expectation:
        case Rule::bad_chunk_size:
        case Rule::bad_chunk_extension:
        case Rule::bad_chunk_end:
        case Rule::bad_trailer:
        case Rule::trailers_too_large:
            break;  // rules of requests and bodies
    }
    return Cause::edge_internal;
}

Cause body_cause(h1::Rule rule) {
    if (rule == h1::Rule::bad_chunk_size) return Cause::body_bad_chunk_size;
    if (rule == h1::Rule::bad_chunk_extension) return Cause::body_bad_chunk_extension;
    if (rule == h1::Rule::bad_chunk_end) return Cause::body_bad_chunk_end;
    if (rule == h1::Rule::bad_trailer) return Cause::body_bad_trailer;
    if (rule == h1::Rule::trailers_too_large) return Cause::body_trailers_too_large;
    return Cause::edge_internal;
}

Cause head_end_cause(const AttemptView& attempt, const h1::ResponseHeadParser& parser,
                     Ending ending, uint64_t acked_bytes) {
    using Position = h1::ResponseHeadParser::Position;
    const bool reset = ending.kind == Ending::Kind::rst;
    if (parser.position() == Position::fields) {
        return reset ? Cause::resp_reset_headers : Cause::resp_truncated_headers;
    }
    if (parser.position() == Position::status_line) {
        return reset ? Cause::resp_reset_status : Cause::resp_truncated_status;
    }
    if (attempt.interim_responses > 0) {
        return reset ? Cause::resp_reset_after_1xx : Cause::resp_only_1xx;
    }
    // Nothing at all came back: on a reused connection that is the keep-alive race, else a crash.
    // But an origin whose machine took much of an upload had not closed before it came.
    const bool took_upload = acked_bytes > kMuchOfAnUpload && !attempt.sending.complete;
    // And one that had closed says so at once: who has the whole request and ends later gave it up.
    const bool gave_up = attempt.sending.complete && !lacks_acknowledgement(attempt.connection) &&
                         attempt.clock.now() - attempt.sent_at > kRaceTime;
    if (attempt.connection.reused() && !took_upload && !gave_up) return Cause::reuse_stale;
    if (!attempt.sending.complete || attempt.sending.failed) {
        if (attempt.sending.body_bytes_sent > 0) {
            return reset ? Cause::request_write_reset : Cause::request_write_closed;
        }
    }
    return reset ? Cause::resp_empty_rst : Cause::resp_empty_fin;
}

}  // namespace

bool lacks_acknowledgement(const Connection& connection) {
    if (connection.stream_id == 0) return connection.stream.unacked_bytes() > 0;
    const auto facts = connection.stream.facts();
    return facts && facts->unacked_bytes > 0 && (facts->backoff > 0 || facts->probes > 0);
}

Evidence history(const AttemptView& attempt) {
    Evidence evidence;
    evidence.add("origin", attempt.connection.origin.to_string());
    evidence.add("reused", attempt.connection.reused());
    if (attempt.connection.reused()) {
        evidence.add("idle_ms", base::milliseconds(attempt.idle_before));
    }
    evidence.add("nth_request", attempt.connection.requests);
    evidence.add("elapsed_ms", base::milliseconds(attempt.clock.now() - attempt.sent_at));
    evidence.add("bytes_sent",
                 attempt.connection.stream.bytes_written() - attempt.connection.bytes_before);
    evidence.add("bytes_received", attempt.bytes_received);
    return evidence;
}

Ending Ending::of(const net::Error& error) {
    // EPIPE on a read: the origin had sent FIN, and then RST for the bytes we sent after it.
    if (error.kind == net::ErrorKind::broken_pipe) return {Kind::fin, error};
    if (error.kind == net::ErrorKind::reset) return {Kind::rst, error};
    return {Kind::lost, error};
}

std::string_view to_string(Ending::Kind kind) {
    switch (kind) {
        case Ending::Kind::fin:
            return "fin";
        case Ending::Kind::rst:
            return "rst";
        case Ending::Kind::lost:
            return "lost";
    }
    return "lost";
}

record::Close close_of(const Ending& ending) {
    switch (ending.kind) {
        case Ending::Kind::fin:
            return record::Close::fin;
        case Ending::Kind::rst:
            return record::Close::rst;
        case Ending::Kind::lost:
            return record::Close::timeout;
    }
    return record::Close::timeout;
}

Failure wait_timeout(const AttemptView& attempt, const h1::ResponseHeadParser& parser,
                     std::string_view limit_name, std::chrono::milliseconds limit) {
    Evidence evidence = history(attempt);
    evidence.add("limit_name", limit_name);
    evidence.add("limit_ms", limit.count());
    add_sending(evidence, attempt.sending);
    const auto facts = attempt.connection.stream.facts();
    if (facts) add_tcp(evidence, *facts);
    if (parser.position() != h1::ResponseHeadParser::Position::nothing) {
        evidence.add("header_bytes", uint64_t{parser.lines().section_bytes()});
        return {Cause::time_headers_slow, std::move(evidence)};
    }
    // The kernel knows whether the origin's machine has the request: 522 against 524, proved.
    if (facts && lacks_acknowledgement(attempt.connection)) {
        const bool window_closed = facts->probes > 0 || facts->send_window_bytes == 0 ||
                                   (facts->backoff == 0 && facts->unacked_segments == 0);
        return {window_closed ? Cause::request_write_stalled : Cause::request_not_acked,
                std::move(evidence)};
    }
    // On an HTTP/2 stream it is flow control that stops the request, with nothing in the kernel.
    if (attempt.connection.stream_id != 0 && !mux::sent_whole(attempt.connection.stream)) {
        evidence.add("h2_request_sent", false);
        const mux::Trouble trouble = mux::trouble_of(attempt.connection.stream);
        evidence.add("h2_stream_limit", trouble.peer_stream_limit);
        evidence.add("h2_frames", trouble.frames);
        return {trouble.peer_stream_limit == 0 ? Cause::h2_max_streams_zero
                                               : Cause::request_write_stalled,
                std::move(evidence)};
    }
    if (attempt.interim_responses > 0) {
        evidence.add("interim_responses", attempt.interim_responses);
        return {Cause::time_between_responses, std::move(evidence)};
    }
    return {Cause::time_first_byte, std::move(evidence)};
}

Failure head_ended(const AttemptView& attempt, const h1::ResponseHeadParser& parser,
                   std::string_view head_bytes, Ending ending) {
    Evidence evidence = history(attempt);
    add_ending(evidence, ending);
    add_sending(evidence, attempt.sending);
    if (parser.status() != 0) evidence.add("status", int{parser.status()});
    if (attempt.interim_responses > 0) {
        evidence.add("interim_responses", attempt.interim_responses);
    }
    if (!head_bytes.empty()) {
        const size_t line = head_bytes.rfind('\n');
        evidence.add("header_lines", uint64_t{parser.lines().field_count()});
        evidence.add("sample", base::cut_sample(head_bytes, head_bytes.size(),
                                                line == std::string_view::npos ? 0 : line + 1));
    }
    const auto facts = attempt.connection.stream.facts();
    if (facts) add_tcp(evidence, *facts);
    if (ending.kind == Ending::Kind::lost) {
        const bool unacked = facts && facts->unacked_bytes > 0;
        return {unacked ? Cause::request_not_acked : Cause::resp_connection_lost,
                std::move(evidence)};
    }
    // What the kernel counts includes the SYN and what earlier requests on the connection sent.
    const uint64_t before = attempt.connection.bytes_before + 1;
    const uint64_t acked = facts && facts->bytes_acked > before ? facts->bytes_acked - before : 0;
    return {head_end_cause(attempt, parser, ending, acked), std::move(evidence)};
}

Failure head_broken(const AttemptView& attempt, const h1::ResponseHeadParser& parser) {
    Evidence evidence = history(attempt);
    if (parser.status() != 0) evidence.add("status", int{parser.status()});
    add_parse_error(evidence, parser.error());
    return {head_cause(parser.error()), std::move(evidence)};
}

Failure too_many_interim(const AttemptView& attempt, unsigned limit) {
    Evidence evidence = history(attempt);
    evidence.add("interim_responses", attempt.interim_responses);
    evidence.add("limit", limit);
    return {Cause::resp_too_many_1xx, std::move(evidence)};
}

Failure unexpected_upgrade(const AttemptView& attempt, std::string_view asked,
                           std::string_view got) {
    Evidence evidence = history(attempt);
    evidence.add("asked", base::escape(asked));
    evidence.add("got", base::escape(got));
    return {asked.empty() ? Cause::resp_unexpected_101 : Cause::resp_wrong_upgrade,
            std::move(evidence)};
}

Failure body_ended(const AttemptView& attempt, const h1::BodyDecoder& decoder, Ending ending) {
    using Kind = http::Framing::Kind;
    Evidence evidence = history(attempt);
    add_ending(evidence, ending);
    evidence.add("body_bytes_received", decoder.payload_bytes());
    if (decoder.framing().kind == Kind::length) {
        evidence.add("body_bytes_expected", decoder.framing().length);
    } else if (decoder.framing().kind == Kind::chunked) {
        evidence.add("chunk_bytes_missing", decoder.remaining_bytes());
    }
    const bool reset = ending.kind == Ending::Kind::rst;
    if (ending.kind == Ending::Kind::lost) {
        return {Cause::body_connection_lost, std::move(evidence)};
    }
    switch (decoder.framing().kind) {
        case Kind::chunked:
            return {reset ? Cause::body_chunk_reset : Cause::body_chunk_truncated,
                    std::move(evidence)};
        case Kind::close:
            // By FIN it ends properly, but for TLS that did not say so.
            return {reset ? Cause::body_close_delimited_rst : Cause::body_close_delimited_tls_cut,
                    std::move(evidence)};
        case Kind::length:
        case Kind::none:
            break;
    }
    return {reset ? Cause::body_short_rst : Cause::body_short_fin, std::move(evidence)};
}

Failure body_broken(const AttemptView& attempt, const h1::BodyDecoder& decoder) {
    Evidence evidence = history(attempt);
    evidence.add("body_bytes_received", decoder.payload_bytes());
    add_parse_error(evidence, decoder.error());
    return {body_cause(decoder.error().rule), std::move(evidence)};
}

Failure body_timeout(const AttemptView& attempt, const h1::BodyDecoder& decoder,
                     std::chrono::milliseconds limit) {
    Evidence evidence = history(attempt);
    evidence.add("limit_name", "read");
    evidence.add("limit_ms", limit.count());
    evidence.add("body_bytes_received", decoder.payload_bytes());
    if (decoder.framing().kind == http::Framing::Kind::length) {
        evidence.add("body_bytes_expected", decoder.framing().length);
    }
    if (const auto facts = attempt.connection.stream.facts()) {
        evidence.add("last_byte_ms", facts->last_received_ms);
        add_tcp(evidence, *facts);
    }
    return {Cause::time_body_idle, std::move(evidence)};
}

Failure extra_bytes(const AttemptView& attempt, const h1::BodyDecoder& decoder,
                    std::string_view extra) {
    Evidence evidence = history(attempt);
    evidence.add("body_bytes_received", decoder.payload_bytes());
    evidence.add("extra_bytes", uint64_t{extra.size()});
    evidence.add("sample", base::cut_sample(extra, 0, 0));
    return {Cause::body_extra_bytes, std::move(evidence)};
}

namespace {

/// Of a stream that ended with its connection: the origin had it for a while.
bool outlived_race(const Failure& failure) {
    const cause::EvidenceValue* const elapsed = failure.evidence().find("elapsed_ms");
    const auto* const ms = elapsed != nullptr ? std::get_if<int64_t>(elapsed) : nullptr;
    return failure.cause() != Cause::reuse_stale && ms != nullptr &&
           std::chrono::milliseconds(*ms) > kRaceTime;
}

}  // namespace

bool may_retry(const Failure& failure, const Connection* connection, uint64_t bytes_received,
               bool body_replayable, bool idempotent) {
    switch (failure.row().retry) {
        case cause::Retry::no:
            return false;
        case cause::Retry::connect:
            return true;
        case cause::Retry::reused:
            // The race with an origin that closes what is idle. Where others were under way there
            // was none: the request may have been acted on.
            return connection != nullptr && connection->reused() && bytes_received == 0 &&
                   body_replayable && (connection->rested || idempotent) && !outlived_race(failure);
        case cause::Retry::idempotent:
            return bytes_received == 0 && body_replayable && idempotent;
        case cause::Retry::unprocessed:
        case cause::Retry::downgrade:
            return bytes_received == 0 && body_replayable;
        case cause::Retry::downgrade_idempotent:
            return bytes_received == 0 && body_replayable && idempotent;
    }
    return false;
}

}  // namespace edgecase::origin
