#include "lexicon/vocabularies.hpp"

namespace edgecase::lexicon {
namespace {

constexpr std::string_view kConnect = "Refused, timed out and unroutable.";

constexpr Word kGcp[] = {
    {"response_sent_by_backend", "The status is the backend's own.", "origin.status none"},
    {"failed_to_connect_to_backend", "The backend could not be connected to.", "connect tls",
     kConnect},
    {"failed_to_pick_backend", "No backend is healthy.", "connect.no_healthy_origin"},
    {"failed_to_negotiate_alpn", "No ALPN protocol in common.", "tls.no_alpn h2.not_spoken"},
    {"backend_timeout", "The backend did not answer in time.",
     "time.first_byte time.headers_slow request.not_acked"},
    {"backend_connection_closed_before_data_sent_to_client",
     "The backend closed before a byte of the response had gone to the client.",
     "resp.empty_fin resp.empty_rst reuse.stale resp.truncated_headers",
     "A crash and the keep-alive race.",
     "Is the backend's keep-alive time above the load balancer's 600 s? That is the usual reason."},
    {"backend_connection_closed_after_partial_response_sent",
     "The backend closed within the response.",
     "body.short_fin body.short_rst body.chunk_truncated"},
    {"backend_response_headers_too_long", "The head is too large.", "resp.headers_too_large"},
    {"backend_response_corrupted", "The response is broken, usually its chunked coding.",
     "body.bad_chunk_size body.bad_chunk_end"},
    {"backend_interim_response_not_supported", "A 1xx that is not passed on.", "resp.only_1xx"},
    {"backend_early_response_with_non_error_status",
     "The backend answered before it had the whole request.", "request.write_reset"},
    {"aborted_request_due_to_backend_early_response",
     "The backend answered with an error before it had the whole request.", "request.write_reset"},
    {"error_uncompressing_gzipped_body", "The gzip body is broken.", ""},
    {"ssl_certificate_san_verification_failed", "The certificate is for another name.",
     "tls.cert.name"},
    {"ssl_certificate_chain_verification_failed", "The chain could not be verified.",
     "tls.cert.unknown_ca tls.cert.incomplete_chain tls.cert.self_signed tls.cert.expired"},
    {"server_cert_not_provided", "The backend showed no certificate.",
     "tls.cert.invalid tls.alert"},
    {"server_cert_chain_invalid_eku", "The certificate is not for servers.",
     "tls.cert.bad_purpose"},
    {"server_cert_invalid_rsa_key_size", "The key is too short.", "tls.cert.weak"},
    {"server_cert_unsupported_key_algorithm", "The key is of a kind that is not taken.",
     "tls.cert.weak tls.cert.invalid"},
    {"upgrade_header_rejected", "The upgrade is not allowed.", "resp.wrong_upgrade"},
    {"websocket_handshake_failed", "The backend did not take the WebSocket.", "resp.wrong_upgrade"},
    {"websocket_closed", "The WebSocket was closed.", "none"},
    {"request_loop_detected", "The request goes in a circle.", "edge.loop"},
    {"internal_error", "The load balancer failed.", "edge.internal"},
    {"config_not_found", "The load balancer has no configuration for it.", "edge.no_route"},
    {"client_disconnected_before_any_response", "The client left before a response.",
     "client.abort"},
    {"client_disconnected_after_partial_response", "The client left within the response.",
     "client.abort"},
    {"client_timed_out", "The client was silent.", "client.head_timeout client.body_timeout"},
    {"failed_parsing_client_headers", "The client's head is not valid.",
     "client.bad_header_name client.bad_header_value"},
    {"headers_too_long", "The client's head is too large.", "client.headers_too_large"},
    {"malformed_chunked_body", "The client's chunked coding is broken.", "client.bad_chunk"},
    {"request_body_too_large", "The client's body is too large.", "client.body_too_large"},
    {"http_version_not_supported", "The client's version is not supported.", "client.bad_version"},
    {"denied_by_security_policy", "A rule of Cloud Armor refused.", ""},
    {"throttled_by_security_policy", "A rate limit of Cloud Armor.", ""},
};

constexpr Word kAlb[] = {
    {"460", "The client closed before the load balancer answered.", "client.abort"},
    {"463", "More than 30 addresses in X-Forwarded-For.", "edge.loop"},
    {"464", "The protocols of request and target group do not fit.", "client.bad_version"},
    {"561", "The identity provider answered with an error.", ""},
    {"Target.ResponseCodeMismatch", "A health check's failure: another status.", "origin.status"},
    {"Target.Timeout", "A health check's failure: no answer in time.",
     "connect.timeout time.first_byte"},
    {"Target.FailedHealthChecks", "A health check's failure: no connection, or a broken answer.",
     "connect resp"},
    {"Elb.InternalError", "The load balancer failed.", "edge.internal"},
    {"LambdaInvalidResponse", "The function's answer could not be read.", "resp"},
    {"LambdaResponseTooLarge", "The function's answer is over 1 MB.", ""},
    {"LambdaConnectionTimeout", "The function could not be reached.", "connect.timeout"},
    {"LambdaUnhandled", "The function threw an exception.", "origin.status"},
    {"LambdaThrottling", "Too many calls of the function.", "connect.limit"},
    {"AuthInvalidCookie", "The cookie of the sign-in is not valid.", ""},
};

constexpr Word kCloudfront[] = {
    {"OriginConnectError", "The origin could not be connected to.", "connect tls",
     "Refused, unroutable, and every TLS failure."},
    {"OriginCommError", "Connecting or reading timed out.",
     "connect.timeout time.first_byte time.body_idle", "Connecting and answering."},
    {"OriginDnsError", "The origin's name does not resolve.", "dns"},
    {"OriginReadError", "The response broke off.",
     "resp.empty_rst resp.truncated_headers body.short_rst reuse.stale"},
    {"OriginWriteError", "The request could not be sent.",
     "request.write_reset request.write_closed request.write_stalled"},
    {"OriginHeaderTooBigError", "The head is too large.",
     "resp.headers_too_large resp.header_line_too_large"},
    {"OriginInvalidResponseError", "The response could not be read.", "resp"},
    {"OriginError", "A bad response.", "resp h2 origin.status"},
    {"OriginZeroSizeObjectError", "The origin closed with no byte.",
     "resp.empty_fin resp.empty_rst"},
    {"OriginContentRangeLengthError", "Content-Range and length do not fit.", "resp.bad_length"},
    {"SlowReaderOriginError", "The origin took the request too slowly.", "request.write_stalled"},
    {"AbortedOrigin", "The origin broke off its response.", "body.short_fin body.short_rst"},
    {"ClientCommError", "The client left, or its line broke.", "client.abort client.slow_reader"},
    {"ClientHungUpRequest", "The client left before its request was complete.",
     "client.abort client.upload_abort"},
    {"ClientGeoBlocked", "The client's country is not served.", ""},
    {"InvalidRequest", "The request is not valid.", "client.bad_request_line client.bad_target"},
    {"InvalidRequestHeader", "A header of the request is not valid.",
     "client.bad_header_name client.bad_header_value"},
    {"InvalidRequestMethod", "The method is not valid.", "client.bad_method"},
    {"LimitExceeded", "A quota was reached.", "connect.limit"},
    {"CapacityExceeded", "CloudFront had no capacity.", "edge.overload"},
    {"LambdaExecutionError", "The function at the edge failed.", ""},
};

constexpr Word kAzure[] = {
    {"DNSFailure", "The origin's name does not resolve.", "dns"},
    {"DNSNameNotResolved", "The origin's name does not resolve.", "dns.nxdomain dns.nodata"},
    {"OriginConnectionRefused", "The origin refused.", "connect.refused"},
    {"OriginConnectionError", "The connection could not be made.", "connect"},
    {"OriginConnectionAborted", "The origin closed before it had answered.",
     "resp.empty_fin resp.empty_rst reuse.stale body.short_fin body.short_rst",
     "A crash and the keep-alive race."},
    {"OriginTimeout", "The origin did not answer in time.",
     "connect.timeout time.first_byte request.not_acked", "Connecting and answering."},
    {"OriginInvalidResponse", "The response could not be read.", "resp h2"},
    {"ResponseHeaderTooBig", "The head is too large.", "resp.headers_too_large"},
    {"SSLHandshakeError", "The TLS handshake failed.", "tls"},
    {"CertificateError", "The certificate is not accepted.", "tls.cert"},
    {"CertificateNameCheckFailed", "The certificate is for another name.", "tls.cert.name"},
    {"RestrictedIP", "The origin's address is not allowed.", "dns.address_prohibited"},
    {"ClientDisconnected", "The client left.", "client.abort"},
    {"UnspecifiedClientError", "Something of the client's.", "client"},
    {"UnspecifiedError", "Nobody knows.", ""},
};

constexpr Word kAkamai[] = {
    {"ERR_READ_TIMEOUT", "1: the origin was silent.", "time.first_byte time.headers_slow"},
    {"ERR_LIFETIME_EXP", "2: the request took too long altogether.", "time"},
    {"ERR_READ_ERROR", "3: the connection broke before the head was complete.",
     "resp.empty_fin resp.empty_rst resp.truncated_headers reuse.stale",
     "A crash and the keep-alive race.",
     "The edge's persistent timeout must be below the origin's keep-alive time."},
    {"ERR_WRITE_ERROR", "4: the connection was closed before the request had gone.",
     "request.write_reset request.write_closed reuse.stale"},
    {"ERR_SHUTTING_DOWN", "5: the edge server is ending.", "edge.shutdown"},
    {"ERR_CONNECT_FAIL", "6: the origin could not be connected to.", "connect"},
    {"ERR_INVALID_REQ", "7: the request is not valid.", "client.bad_request_line"},
    {"ERR_UNSUP_REQ", "8: the request is not supported.", "client.bad_method"},
    {"ERR_INVALID_URL", "9: the URL is not valid.", "client.bad_target"},
    {"ERR_SOCKET_FAILURE", "10: the edge server had no socket.", "connect.local_exhausted"},
    {"ERR_DNS_FAIL", "11: the origin's name does not resolve.", "dns"},
    {"ERR_CANNOT_FORWARD", "12: the request cannot be forwarded.", "edge.no_route"},
    {"ERR_FORWARDING_DENIED", "13: forwarding is denied.", ""},
    {"ERR_ZERO_SIZE_OBJECT", "15: the origin closed with no byte.",
     "resp.empty_fin resp.empty_rst"},
    {"ERR_ACCESS_DENIED", "18: a rule refused; loop_* is a circle.", "edge.loop"},
    {"ERR_CLIENT_ABORT", "27: the client left.", "client.abort"},
    {"ERR_FWD_SSL_HANDSHAKE", "30: the TLS handshake with the origin failed.", "tls"},
    {"ERR_FWD_SSL_BAD_CERT", "31: the origin's certificate is not accepted.", "tls.cert"},
    {"ERR_NO_ORIGIN_CLIENT_AUTH", "32: the origin wants a client certificate.",
     "tls.client_cert_required"},
    {"ERR_CONNECT_TIMEOUT", "97: no connection in time.", "connect.timeout"},
};

constexpr Word kFastly[] = {
    {"All backends failed or unhealthy", "No backend is left.", "connect.no_healthy_origin"},
    {"No healthy backends", "No backend is left.", "connect.no_healthy_origin"},
    {"Backend is unhealthy", "The probe takes the backend for down.", "connect.no_healthy_origin"},
    {"Backend.max_conn reached", "The limit of connections to the backend.", "connect.limit"},
    {"Connection refused", "The backend refused.", "connect.refused connect.rejected"},
    {"Connection timed out", "No connection in time.", "connect.timeout request.not_acked"},
    {"Network Unreachable", "There is no route.", "connect.unroutable connect.no_route"},
    {"SSL handshake error", "TLS with the backend failed.", "tls",
     "The handshake and every fault of a certificate."},
    {"backend read error", "The response broke off, or its head is over 69 KB.",
     "resp.empty_fin resp.empty_rst resp.truncated_headers resp.headers_too_large reuse.stale",
     "A crash, the keep-alive race, and the limit of headers."},
    {"backend write error", "The request could not be sent.",
     "request.write_reset request.write_closed request.write_stalled"},
    {"first byte timeout", "No byte in first_byte_timeout (15 s).",
     "time.first_byte request.not_acked"},
};

constexpr Word kEdgeone[] = {
    {"EdgeOne 520", "RST after the request.", "resp.empty_rst resp.reset_headers"},
    {"EdgeOne 521", "RST for the SYN.", "connect.refused"},
    {"EdgeOne 522", "No answer to the SYN.", "connect.timeout"},
    {"EdgeOne 523", "The origin's name does not resolve; unlike Cloudflare's 523.", "dns"},
    {"EdgeOne 524", "Connected, and no answer.", "time.first_byte request.not_acked"},
    {"EdgeOne 525", "The TLS handshake failed, or the certificate is not accepted.", "tls"},
    {"EdgeOne 423", "The request goes in a circle (CDN-Loop of 16 and more).", "edge.loop"},
    {"EdgeOne 566", "A managed rule refused.", ""},
    {"EdgeOne 567", "A custom, rate or bot rule refused.", ""},
};

constexpr Word kBunny[] = {
    {"http_request_exception", "The request to the origin failed.", "connect resp"},
    {"http_request_failure", "The request to the origin failed.", "connect resp"},
    {"http_timeout", "The origin did not answer in time.", "time.first_byte connect.timeout"},
    {"http_loop_detected", "The request goes in a circle.", "edge.loop"},
    {"http_invalid_compression", "The compressed body is broken.", ""},
    {"network_socket_exception", "The connection failed or broke.", "connect resp.empty_rst"},
    {"network_io_error", "The connection broke.", "resp.empty_rst body.short_rst"},
    {"dns_lookup", "The origin's name does not resolve.", "dns"},
};

}  // namespace

std::span<const Word> gcp_words() {
    return kGcp;
}
std::span<const Word> alb_words() {
    return kAlb;
}
std::span<const Word> cloudfront_words() {
    return kCloudfront;
}
std::span<const Word> azure_words() {
    return kAzure;
}
std::span<const Word> akamai_words() {
    return kAkamai;
}
std::span<const Word> fastly_words() {
    return kFastly;
}
std::span<const Word> edgeone_words() {
    return kEdgeone;
}
std::span<const Word> bunny_words() {
    return kBunny;
}

}  // namespace edgecase::lexicon
