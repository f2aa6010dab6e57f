#include "origin/transport_failure.hpp"

#include "mux/connection.hpp"
#include "origin/evidence.hpp"

namespace edgecase::origin {
namespace {

using cause::Cause;
using cause::Evidence;
using cause::Failure;
using h2::Rule;
using mux::Trouble;

constexpr uint32_t kNoError = 0;  // RFC 9113 §7
constexpr uint32_t kRefusedStream = 7;
constexpr uint32_t kHttp11Required = 13;
constexpr int kCertificateRequired = 116;  // RFC 8446 §6
constexpr int kHandshakeFailure = 40;

Cause cause_of_goaway(const h2::Fault& goaway) {
    return goaway.error_code == kNoError ? Cause::h2_goaway_graceful : Cause::h2_goaway;
}

Cause cause_of(const h2::Fault& fault, const Trouble& trouble) {
    switch (fault.rule) {
        case Rule::reset:
            return fault.error_code == kHttp11Required ? Cause::h2_http11_required
                                                       : Cause::h2_rst_stream;
        case Rule::goaway:
            return cause_of_goaway(fault);
        case Rule::unprocessed:
            if (trouble.settings_received && trouble.peer_stream_limit == 0) {
                return Cause::h2_max_streams_zero;
            }
            return fault.error_code == kRefusedStream ? Cause::h2_refused
                                                      : Cause::h2_goaway_unprocessed;
        case Rule::forbidden_field:
            return Cause::h2_forbidden_field;
        case Rule::bad_pseudo:
            return Cause::h2_bad_pseudo;
        case Rule::bad_field:
            return Cause::h2_bad_field;
        case Rule::header_list_size:
        case Rule::header_bomb:
            return Cause::h2_header_list_too_large;
        case Rule::content_length:
            return Cause::h2_content_length;
        case Rule::closed_early:
            return Cause::h2_closed_early;
        case Rule::not_http2:
            return Cause::h2_not_spoken;
        case Rule::frame_size:
            return Cause::h2_frame_size;
        case Rule::flow_control:
            return Cause::h2_flow_control;
        case Rule::compression:
            return Cause::h2_compression_error;
        case Rule::closed_stream:
            return Cause::h2_closed_stream;
        case Rule::max_streams_zero:
            return Cause::h2_max_streams_zero;
        case Rule::none:
        case Rule::protocol:
        case Rule::rapid_reset:
        case Rule::continuation_flood:
        case Rule::settings_flood:
        case Rule::ping_flood:
        case Rule::empty_frame_flood:
            return Cause::h2_protocol_error;
    }
    return Cause::h2_protocol_error;
}

/// An alert about the certificate that the origin asked the edge for.
/// Source: RFC 8446 §6.2, 42 bad_certificate to 46 certificate_unknown, 48 unknown_ca.
bool is_certificate_alert(int alert) {
    return (alert >= 42 && alert <= 46) || alert == 48;
}

Cause broken_cause(const net::Layer::Broken& broken, const Connection& connection) {
    if (broken.alert == kCertificateRequired) return Cause::tls_client_cert_required;
    if (!connection.client_cert_requested) return Cause::tls_broken;
    if (!connection.client_cert_sent && broken.alert == kHandshakeFailure) {
        return Cause::tls_client_cert_required;
    }
    if (!is_certificate_alert(broken.alert)) return Cause::tls_broken;
    return connection.client_cert_sent ? Cause::tls_client_cert_rejected
                                       : Cause::tls_client_cert_required;
}

Cause cause_of(const Trouble& trouble, const Connection& connection) {
    switch (trouble.kind) {
        case Trouble::Kind::fault:
            return cause_of(trouble.fault, trouble);
        case Trouble::Kind::fin:
            return trouble.goaway ? cause_of_goaway(*trouble.goaway) : Cause::h2_connection_fin;
        case Trouble::Kind::rst:
            return trouble.goaway ? cause_of_goaway(*trouble.goaway) : Cause::h2_connection_rst;
        case Trouble::Kind::lost:
            if (trouble.error.kind != net::ErrorKind::layer) return Cause::resp_connection_lost;
            return broken_cause(trouble.below, connection);
        case Trouble::Kind::settings_timeout:
            return Cause::h2_settings_timeout;
        case Trouble::Kind::ping_timeout:
            return Cause::h2_ping_timeout;
        case Trouble::Kind::write_timeout:
            return Cause::request_write_stalled;
        case Trouble::Kind::closed:
            break;
    }
    return Cause::edge_internal;
}

void add_broken(Evidence& evidence, const net::Layer::Broken& broken) {
    if (broken.alert >= 0) evidence.add("tls_alert_number", broken.alert);
    if (!broken.detail.empty()) evidence.add("tls_detail", broken.detail);
}

void add_fault(Evidence& evidence, const h2::Fault& fault) {
    evidence.add("h2_rule", h2::to_string(fault.rule));
    evidence.add("h2_error", h2::error_code_name(fault.error_code));
    evidence.add("h2_scope", fault.is_connection ? "connection" : "stream");
    if (fault.rule == Rule::goaway || fault.last_stream_id != 0) {
        evidence.add("h2_last_stream_id", fault.last_stream_id);
    }
    if (!fault.field.empty()) evidence.add("h2_field", fault.field);
    if (!fault.detail.empty()) evidence.add("h2_detail", fault.detail);
}

}  // namespace

Failure transport_failure(const AttemptView& attempt) {
    Evidence evidence = history(attempt);
    if (attempt.connection.stream_id == 0) {
        const net::Layer* const layer = attempt.connection.stream.layer();
        const net::Layer::Broken broken = layer != nullptr ? layer->broken() : net::Layer::Broken();
        add_broken(evidence, broken);
        return Failure(broken_cause(broken, attempt.connection), std::move(evidence));
    }
    const Trouble trouble = mux::trouble_of(attempt.connection.stream);
    if (trouble.kind == Trouble::Kind::fault) {
        add_fault(evidence, trouble.fault);
    } else if (trouble.goaway) {
        add_fault(evidence, *trouble.goaway);
    }
    if (trouble.kind == Trouble::Kind::fin) evidence.add("close", "fin");
    if (trouble.kind == Trouble::Kind::rst) evidence.add("close", "rst");
    if (trouble.error.number != 0) evidence.add("errno", trouble.error.name());
    add_broken(evidence, trouble.below);
    evidence.add("h2_stream_id", attempt.connection.stream_id);
    evidence.add("h2_streams_open", uint64_t{trouble.streams_open});
    evidence.add("h2_settings_received", trouble.settings_received);
    if (trouble.settings_received) evidence.add("h2_stream_limit", trouble.peer_stream_limit);
    evidence.add("h2_frames", trouble.frames);
    return Failure(cause_of(trouble, attempt.connection), std::move(evidence));
}

record::Close transport_close(const AttemptView& attempt) {
    if (attempt.connection.stream_id == 0) return record::Close::local;
    switch (mux::trouble_of(attempt.connection.stream).kind) {
        case Trouble::Kind::fin:
            return record::Close::fin;
        case Trouble::Kind::rst:
            return record::Close::rst;
        case Trouble::Kind::settings_timeout:
        case Trouble::Kind::ping_timeout:
        case Trouble::Kind::write_timeout:
            return record::Close::timeout;
        case Trouble::Kind::lost:
        case Trouble::Kind::closed:
            return record::Close::local;
        case Trouble::Kind::fault:
            break;
    }
    return record::Close::open;
}

}  // namespace edgecase::origin
