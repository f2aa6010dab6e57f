#include "edge/client_failure.hpp"

#include "base/escape.hpp"
#include "base/sample.hpp"
#include "origin/evidence.hpp"

namespace edgecase::edge {
namespace {

using cause::Cause;
using cause::Evidence;
using cause::Failure;

Evidence parse_evidence(const h1::ParseError& error) {
    Evidence evidence;
    origin::add_parse_error(evidence, error);
    return evidence;
}

Cause not_http_cause(h1::Fingerprint fingerprint) {
    if (fingerprint == h1::Fingerprint::tls) return Cause::client_not_http_tls;
    if (fingerprint == h1::Fingerprint::h2) return Cause::client_not_http_h2;
    return Cause::client_not_http_other;
}

Cause http2_cause(const h2::Fault& fault) {
    using h2::Rule;
    switch (fault.rule) {
        case Rule::rapid_reset:
            return Cause::client_h2_rapid_reset;
        case Rule::continuation_flood:
            return Cause::client_h2_continuation_flood;
        case Rule::settings_flood:
            return Cause::client_h2_settings_flood;
        case Rule::ping_flood:
            return Cause::client_h2_ping_flood;
        case Rule::empty_frame_flood:
            return Cause::client_h2_empty_frame_flood;
        case Rule::header_bomb:
            return Cause::client_h2_header_bomb;
        case Rule::header_list_size:
            return Cause::client_headers_too_large;
        case Rule::forbidden_field:
        case Rule::bad_pseudo:
        case Rule::bad_field:
        case Rule::content_length:
        case Rule::closed_early:
            return Cause::client_h2_bad_message;
        case Rule::none:
        case Rule::reset:
        case Rule::goaway:
        case Rule::unprocessed:
        case Rule::not_http2:
        case Rule::frame_size:
        case Rule::flow_control:
        case Rule::compression:
        case Rule::closed_stream:
        case Rule::protocol:
        case Rule::max_streams_zero:
            break;
    }
    return Cause::client_h2_protocol_error;
}

Cause head_cause(const h1::ParseError& error) {
    using h1::Rule;
    switch (error.rule) {
        case Rule::not_http:
            return not_http_cause(error.fingerprint);
        case Rule::bad_start_line:
            return Cause::client_bad_request_line;
        case Rule::bad_version:
            return Cause::client_bad_version;
        case Rule::bad_method:
            return Cause::client_bad_method;
        case Rule::bad_target:
            return Cause::client_bad_target;
        case Rule::start_line_too_large:
            return Cause::client_uri_too_long;
        case Rule::section_too_large:
            return Cause::client_headers_too_large;
        case Rule::line_too_large:
            return Cause::client_header_line_too_large;
        case Rule::too_many_fields:
            return Cause::client_too_many_headers;
        case Rule::space_before_colon:
            return Cause::client_bad_header_name_space;
        case Rule::bad_name_byte:
            return Cause::client_bad_header_name_byte;
        case Rule::empty_name:
            return Cause::client_bad_header_name_empty;
        case Rule::no_colon:
            return Cause::client_no_colon;
        case Rule::nul_in_value:
            return Cause::client_bad_header_value_nul;
        case Rule::control_in_value:
            return Cause::client_bad_header_value_control;
        case Rule::obs_fold:
            return Cause::client_obs_fold;
        case Rule::bare_lf:
            return Cause::client_bare_lf;
        case Rule::bare_cr:
            return Cause::client_bare_cr;
        case Rule::missing_host:
            return Cause::client_missing_host;
        case Rule::duplicate_host:
            return Cause::client_duplicate_host;
        case Rule::bad_host:
            return Cause::client_bad_host;
        case Rule::conflicting_length:
            return Cause::client_conflicting_length;
        case Rule::duplicate_length:
            return Cause::client_duplicate_length;
        case Rule::bad_length:
            return Cause::client_bad_length;
        case Rule::length_and_coding:
            return Cause::client_cl_and_te;
        case Rule::unknown_coding:
            return Cause::client_bad_te;
        case Rule::chunked_not_final:
            return Cause::client_te_not_final;
        case Rule::coding_in_http10:
            return Cause::client_te_in_http10;
        case Rule::unknown_expectation:
            return Cause::client_bad_expectation;
        case Rule::none:
        case Rule::status_missing:
        case Rule::status_not_numeric:
        case Rule::status_too_short:
        case Rule::status_too_long:
        case Rule::status_out_of_range:
        case Rule::bad_reason_phrase:
        case Rule::bad_chunk_size:
        case Rule::bad_chunk_extension:
        case Rule::bad_chunk_end:
        case Rule::bad_trailer:
        case Rule::trailers_too_large:
            break;  // rules of responses and bodies
    }
    return Cause::edge_internal;
}

}  // namespace

Failure bad_request_head(const h1::ParseError& error) {
    return {head_cause(error), parse_evidence(error)};
}

Failure bad_request_body(const h1::ParseError& error, uint64_t body_bytes) {
    Evidence evidence = parse_evidence(error);
    evidence.add("body_bytes_received", body_bytes);
    const bool trailer =
        error.rule == h1::Rule::bad_trailer || error.rule == h1::Rule::trailers_too_large;
    return {trailer ? Cause::client_bad_trailer : Cause::client_bad_chunk, std::move(evidence)};
}

Failure client_left(ClientPhase phase, const net::Error* error, uint64_t request_body_bytes,
                    uint64_t response_bytes) {
    Evidence evidence;
    evidence.add("close", error == nullptr ? "fin" : "rst");
    if (error != nullptr && error->number != 0) evidence.add("errno", error->name());
    evidence.add("request_body_bytes", request_body_bytes);
    evidence.add("response_bytes", response_bytes);
    return {phase == ClientPhase::sending_body ? Cause::client_upload_abort : Cause::client_abort,
            std::move(evidence)};
}

Failure client_head_timeout(uint64_t bytes, std::chrono::milliseconds limit) {
    Evidence evidence;
    evidence.add("bytes_received", bytes);
    evidence.add("limit_name", "client_head");
    evidence.add("limit_ms", limit.count());
    return {Cause::client_head_timeout, std::move(evidence)};
}

Failure client_body_timeout(uint64_t body_bytes, std::chrono::milliseconds limit) {
    Evidence evidence;
    evidence.add("body_bytes_received", body_bytes);
    evidence.add("limit_name", "client_body");
    evidence.add("limit_ms", limit.count());
    return {Cause::client_body_timeout, std::move(evidence)};
}

Failure client_slow_reader(uint64_t response_bytes, std::chrono::milliseconds limit) {
    Evidence evidence;
    evidence.add("response_bytes", response_bytes);
    evidence.add("limit_name", "client_write");
    evidence.add("limit_ms", limit.count());
    return {Cause::client_slow_reader, std::move(evidence)};
}

Failure request_body_too_large(uint64_t bytes, uint64_t limit) {
    Evidence evidence;
    evidence.add("body_bytes", bytes);
    evidence.add("limit", limit);
    return {Cause::client_body_too_large, std::move(evidence)};
}

Failure unserved_target(std::string_view method, std::string_view target) {
    Evidence evidence;
    evidence.add("method", base::escape(method));
    evidence.add("target", base::escape(target.substr(0, 256)));
    return {Cause::client_bad_target, std::move(evidence)};
}

Failure client_handshake_failure(const tls::HandshakeError& error,
                                 std::chrono::milliseconds limit) {
    Evidence evidence;
    evidence.add("elapsed_ms", base::milliseconds(error.elapsed));
    if (!error.facts.sni.empty()) evidence.add("sni", error.facts.sni);
    if (!error.alert.empty()) {
        evidence.add("tls_alert", error.alert);
        evidence.add("tls_alert_from", error.alert_received ? "client" : "edge");
    }
    if (!error.detail.empty()) evidence.add("tls_detail", error.detail);
    if (!error.state.empty()) evidence.add("tls_state", error.state);
    if (!error.first_bytes.empty()) {
        evidence.add("sample", base::cut_sample(error.first_bytes, 0, 0));
    }
    if (error.fault == tls::HandshakeFault::timeout) {
        evidence.add("limit_ms", limit.count());
        return {Cause::client_tls_timeout, std::move(evidence)};
    }
    if (error.fault == tls::HandshakeFault::peer_plaintext) {
        return {Cause::client_tls_not_spoken, std::move(evidence)};
    }
    return {Cause::client_tls_failed, std::move(evidence)};
}

Failure client_http2_failure(const mux::Trouble& trouble) {
    Evidence evidence;
    evidence.add("h2_rule", h2::to_string(trouble.fault.rule));
    evidence.add("h2_error", h2::error_code_name(trouble.fault.error_code));
    evidence.add("h2_stream_id", trouble.fault.stream_id);
    if (!trouble.fault.field.empty()) evidence.add("h2_field", trouble.fault.field);
    if (!trouble.fault.detail.empty()) evidence.add("h2_detail", trouble.fault.detail);
    evidence.add("h2_streams_open", uint64_t{trouble.streams_open});
    evidence.add("h2_frames", trouble.frames);
    return {http2_cause(trouble.fault), std::move(evidence)};
}

bool is_bad_message(const h2::Fault& fault) {
    if (fault.is_connection) return false;
    const Cause cause = http2_cause(fault);
    return cause == Cause::client_h2_bad_message || cause == Cause::client_headers_too_large;
}

std::optional<Failure> lost_stream(const mux::Trouble& trouble) {
    if (trouble.kind != mux::Trouble::Kind::fault || trouble.fault.is_connection) {
        return std::nullopt;
    }
    if (is_bad_message(trouble.fault)) return client_http2_failure(trouble);
    if (trouble.fault.rule != h2::Rule::reset) return std::nullopt;
    constexpr net::Error kReset{net::ErrorKind::reset};
    return client_left(ClientPhase::waiting, &kReset, 0, 0);
}

}  // namespace edgecase::edge
