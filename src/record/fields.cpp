#include "record/fields.hpp"

#include <array>

namespace edgecase::record {
namespace {

// clang-format off
constexpr std::array kFields{
    Field{"RayID", "string", "", "The Ray ID, 16 hex digits without the colo.", true},
    Field{"ParentRayID", "string", "", "The Ray ID of the CF-Ray the request came with; 00: none.", true},
    Field{"CacheCacheStatus", "string", "", "dynamic: passed to the origin; unknown: answered before an origin was tried.", true},
    Field{"ClientIP", "string", "", "Address of the client.", true},
    Field{"ClientSrcPort", "int", "", "Port of the client.", true},
    Field{"ClientSSLCipher", "string", "", "Cipher of the client's TLS, as OpenSSL names it; NONE: plain HTTP.", true},
    Field{"ClientSSLProtocol", "string", "", "Version of the client's TLS, as TLSv1.3; none: plain HTTP; unknown: the handshake came to nothing.", true},
    Field{"ClientRequestBytes", "int", "bytes", "Request head and body as received.", true},
    Field{"ClientRequestHost", "string", "", "Host the client asked for.", true},
    Field{"ClientRequestMethod", "string", "", "Request method.", true},
    Field{"ClientRequestPath", "string", "", "The URI without its query.", true},
    Field{"ClientRequestProtocol", "string", "", "HTTP/1.0, HTTP/1.1 or HTTP/2.", true},
    Field{"ClientRequestReferer", "string", "", "Referer field, credential-like parameters redacted.", true},
    Field{"ClientRequestScheme", "string", "", "http or https.", true},
    Field{"ClientRequestSource", "string", "", "Always eyeball: a request of a client.", true},
    Field{"ClientRequestURI", "string", "", "Path and query, credential-like parameters redacted; at most 2048 bytes.", true},
    Field{"ClientRequestUserAgent", "string", "", "User-Agent field.", true},
    Field{"EdgeColoCode", "string", "", "The edge's colo code, as in CF-Ray.", true},
    Field{"EdgeStartTimestamp", "string", "", "When the request arrived: RFC 3339, UTC, milliseconds.", true},
    Field{"EdgeEndTimestamp", "string", "", "When the last response byte was handed to the kernel: RFC 3339, UTC, milliseconds.", true},
    Field{"EdgeResponseBodyBytes", "int", "bytes", "Response body as sent to the client.", true},
    Field{"EdgeResponseBytes", "int", "bytes", "Response head and body as sent to the client.", true},
    Field{"EdgeResponseContentType", "string", "", "Content-Type of the response.", true},
    Field{"EdgeResponseStatus", "int", "", "What the client was answered; 499: it left first.", true},
    Field{"EdgeServerIP", "string", "", "Address the edge talked to the origin from; empty: it did not.", true},
    Field{"EdgeTimeToFirstByteMs", "int", "ms", "From the request's arrival to the response head.", true},
    Field{"OriginIP", "string", "", "Address of the origin in the last attempt; empty: none was reached for.", true},
    Field{"OriginResponseStatus", "int", "", "The origin's status; 0: no response received.", true},
    Field{"OriginDNSResponseTimeMs", "int", "ms", "Name resolution of the last attempt.", true},
    Field{"OriginTCPHandshakeDurationMs", "int", "ms", "TCP connect of the last attempt; 0: connection reused.", true},
    Field{"OriginTLSHandshakeDurationMs", "int", "ms", "TLS handshake of the last attempt; 0: connection reused, no TLS, or not reached.", true},
    Field{"OriginRequestHeaderSendDurationMs", "int", "ms", "Writing the request to the origin.", true},
    Field{"OriginResponseHeaderReceiveDurationMs", "int", "ms", "From request sent to response head complete.", true},
    Field{"OriginResponseDurationMs", "int", "ms", "From request sent (its beginning, if it never was) to the end of the last attempt.", true},
    Field{"OriginSSLProtocol", "string", "", "Version of TLS in the last attempt, as TLSv1.2; none: an http origin; unknown: it did not get that far, or no attempt was made.", true},
    Field{"OriginFailureCause", "string", "", "Name of the cause, phase.reason; none: a success.", false},
    Field{"OriginFailurePhase", "string", "", "First part of the cause's name.", false},
    Field{"OriginFailureActor", "string", "", "Who failed: none, client, edge, network or origin.", false},
    Field{"OriginFailureReason", "string", "", "What happened, in one sentence with figures.", false},
    Field{"OriginFailureFix", "string", "", "What to do about it.", false},
    Field{"OriginFailureEvidence", "object", "", "Facts about the failure, redacted; keys in docs/evidence.md.", false},
    Field{"OriginFailureAttempts", "array", "", "Every attempt, as in `edgecase ray --json`, redacted.", false},
    Field{"OriginFailureAborted", "bool", "", "The client's connection was cut after the response head had gone out.", false},
    Field{"OriginFailureHeaderWarning", "bool", "", "The response's header section is near the limit.", false},
    Field{"OriginFailureResponseHeaderBytes", "int", "bytes", "Header section of the origin's response.", false},
    Field{"OriginFailureRequestBodyBytes", "int", "bytes", "Request body as received.", false},
    Field{"OriginFailureOrigin", "string", "", "URL of the origin that was tried last; empty: none was.", false},
    Field{"OriginFailureOriginPort", "int", "", "Port of the origin in the last attempt; 0: none.", false},
    Field{"OriginFailureConnectionReused", "bool", "", "The last attempt went over a pooled connection.", false},
    Field{"OriginFailureConnectionIdleMs", "int", "ms", "How long that connection had been idle before.", false},
    Field{"OriginFailureConnectionRequestCount", "int", "", "Which request on that connection it was, from 1.", false},
    Field{"OriginFailureConnectionClose", "string", "", "How it ended: open, fin, rst, timeout or local.", false},
    Field{"OriginFailureBytesSent", "int", "bytes", "Sent to the origin in the last attempt.", false},
    Field{"OriginFailureBytesRead", "int", "bytes", "Read from the origin in the last attempt.", false},
    Field{"OriginFailureTraceID", "string", "", "The trace (W3C Trace Context) the request was part of, 32 hex digits; empty: none.", false},
    Field{"OriginFailureSpanID", "string", "", "The edge's span in that trace, which the origin got as parent-id: the Ray ID; empty: no trace.", false},
    Field{"OriginFailureParentSpanID", "string", "", "The span that the client named as parent-id; empty: no trace, or the edge began it.", false},
};
// clang-format on

}  // namespace

std::span<const Field> fields() {
    return kFields;
}

}  // namespace edgecase::record
