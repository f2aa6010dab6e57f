#include "lexicon/vocabularies.hpp"

namespace edgecase::lexicon {
namespace {

constexpr Word kHttp[] = {
    {"400", "Bad Request: the client's request is not valid, says who sent this.",
     "origin.status client.bad_request_line client.bad_header_name client.bad_target"},
    {"408", "Request Timeout: the client was too slow with its request.",
     "client.head_timeout client.body_timeout"},
    {"413", "Content Too Large: the body of the request is over a limit.",
     "client.body_too_large origin.status"},
    {"414", "URI Too Long.", "client.uri_too_long"},
    {"431", "Request Header Fields Too Large.",
     "client.headers_too_large client.header_line_too_large client.too_many_headers",
     "The client's own headers and those that an edge adds."},
    {"499", "The client closed before it was answered (nginx, Cloudflare, Edgecase).",
     "client.abort", "A person who left, and a proxy in front that timed out."},
    {"500", "Internal Server Error: the program failed.", "origin.status edge.internal",
     "The origin's own 500 and one of something in between.",
     "The application's log at that second."},
    {"502", "Bad Gateway: somebody's upstream answered badly, or not at all.", "origin.status",
     "Which proxy made it, and every failure of its upstream.",
     "The error log of the proxy that made it; its page often names it."},
    {"503", "Service Unavailable: overloaded, in maintenance, or no server is left.",
     "origin.status connect.limit connect.no_healthy_origin edge.overload edge.shutdown",
     "The origin's own 503 and one of something in between."},
    {"504", "Gateway Timeout: somebody's upstream did not answer in time.", "origin.status",
     "Which proxy made it; connecting and answering."},
};

constexpr Word kCloudflare[] = {
    {"527", "Railgun error; the product was retired.", ""},
    {"530", "The page holds a 1xxx error, which says more: 1016 for DNS.", "dns"},
    {"1000",
     "The DNS record points to a prohibited address; or X-Forwarded-For is too long or "
     "stands twice.",
     "dns.address_prohibited edge.loop"},
    {"1001", "The host is not in a zone, or its CNAME does not resolve.",
     "dns.nxdomain dns.nodata"},
    {"1002", "The DNS record points to a local address.", "dns.address_prohibited"},
    {"1003", "Somebody asked for the edge by its address.", "edge.no_route"},
    {"1004", "The host is not configured.", "edge.no_route"},
    {"1013", "Host and SNI differ.", "client.bad_host"},
    {"1014", "A CNAME across accounts is banned.", ""},
    {"1015", "The client is rate limited.", ""},
    {"1016", "The origin's name does not resolve.",
     "dns.nxdomain dns.nodata dns.servfail dns.timeout",
     "NXDOMAIN, SERVFAIL, a timeout, and a name without an address."},
    {"1018", "The host could not be found, often just after a change.", "edge.no_route"},
    {"1019", "A Worker calls itself.", "edge.loop"},
    {"1020", "A firewall rule of the zone refused the request.", ""},
    {"1023", "The host could not be found, often just after a change.", "edge.no_route"},
    {"1033", "The tunnel is not connected: no cloudflared runs for it.",
     "connect.no_healthy_origin connect.refused"},
    {"1034", "The DNS record points to a restricted address.", "dns.address_prohibited"},
    {"1035", "A rewrite rule gives a bad path.", ""},
    {"1036", "A rewrite rule gives a path that is too long.", ""},
    {"1037", "The expression of a rewrite rule failed.", ""},
    {"1040", "A rule sets a reserved header.", ""},
    {"1041", "A rule sets a header to a bad value.", ""},
    {"1101", "A Worker threw an exception.", ""},
    {"1102", "A Worker used more CPU time than it may.", ""},
    {"1200", "Too many requests are queued at the edge for this origin.", "connect.limit", "",
     "The origin's response times; `1200` goes when they do."},
    {"TCP connection failed", "A health check's failure: no connection.",
     "connect.refused connect.reset"},
    {"HTTP timeout occurred", "A health check's failure: no answer in time.", "time.first_byte"},
    {"Response code mismatch", "A health check's failure: another status.", "origin.status"},
    {"TLS untrusted certificate", "A health check's failure.",
     "tls.cert.unknown_ca tls.cert.self_signed tls.cert.incomplete_chain tls.cert.expired"},
    {"TLS name mismatch", "A health check's failure.", "tls.cert.name"},
    {"TLS unrecognized name", "A health check's failure: no SNI, for there is no host header.",
     "tls.sni_rejected"},
    {"TLS handshake failure", "A health check's failure.",
     "tls.no_shared_cipher tls.alert tls.fin"},
    {"No route to host", "ICMP unreachable, or nobody answers ARP.",
     "connect.host_unreachable connect.no_neighbour connect.prohibited"},
    {"Network unreachable", "There is no route.", "connect.unroutable connect.no_route"},
    {"HTTP invalid response", "A health check's failure: no valid HTTP.",
     "resp.bad_status_line resp.not_http"},
    {"DNS unknown host", "A health check's failure.", "dns.nxdomain"},
};

constexpr Word kProxyStatus[] = {
    {"dns_timeout", "The name server did not answer.", "dns.timeout"},
    {"dns_error", "The name server answered with an error.",
     "dns.nxdomain dns.servfail dns.refused dns.nodata"},
    {"destination_not_found", "The proxy knows no destination.", "edge.no_route"},
    {"destination_unavailable", "The proxy takes the destination for down.",
     "connect.no_healthy_origin"},
    {"destination_ip_prohibited", "The proxy may not talk to that address.",
     "dns.address_prohibited connect.prohibited"},
    {"destination_ip_unroutable", "There is no route to the address.",
     "connect.unroutable connect.host_unreachable"},
    {"connection_refused", "The destination refused.", "connect.refused connect.rejected"},
    {"connection_terminated", "The connection ended before the response was complete.",
     "resp.empty_rst reuse.stale request.write_reset body.short_rst"},
    {"connection_timeout", "No connection in time.", "connect.timeout"},
    {"connection_read_timeout", "The destination sent nothing for too long.",
     "time.body_idle tls.timeout"},
    {"connection_write_timeout", "The destination took nothing for too long.",
     "request.write_stalled request.not_acked"},
    {"connection_limit_reached", "The proxy's limit of connections.", "connect.limit"},
    {"tls_protocol_error", "TLS was broken.", "tls.protocol_error tls.peer_plaintext tls.fin"},
    {"tls_certificate_error", "The certificate is not accepted.", "tls.cert"},
    {"tls_alert_received", "The destination sent an alert.",
     "tls.alert tls.version tls.no_shared_cipher tls.client_cert_required"},
    {"http_request_error", "The request is not valid.", "client.bad_request_line"},
    {"http_request_denied", "The proxy refuses the request.", ""},
    {"http_response_incomplete", "The response ended too early.",
     "resp.empty_fin resp.truncated_headers body.short_fin"},
    {"http_response_header_section_size", "The head is too large.", "resp.headers_too_large"},
    {"http_response_header_size", "One header line is too large.", "resp.header_line_too_large"},
    {"http_response_body_size", "The body is too large.", ""},
    {"http_response_trailer_section_size", "The trailers are too large.",
     "body.trailers_too_large"},
    {"http_response_trailer_size", "One trailer is too large.", "body.trailers_too_large"},
    {"http_response_transfer_coding", "The transfer coding is broken.",
     "body.bad_chunk_size body.bad_chunk_end resp.bad_te"},
    {"http_response_content_coding", "The content coding is broken.", ""},
    {"http_response_timeout", "No complete response in time.", "time.first_byte time.headers_slow"},
    {"http_upgrade_failed", "The upgrade failed.", "resp.unexpected_101 resp.wrong_upgrade"},
    {"http_protocol_error", "The destination broke HTTP.", "resp h2", "The rule that was broken."},
    {"proxy_internal_response", "The proxy answered by itself.", "edge"},
    {"proxy_internal_error", "The proxy failed.", "edge.internal connect.local_exhausted"},
    {"proxy_configuration_error", "The proxy's configuration is wrong.", "edge.no_route"},
    {"proxy_loop_detected", "The request goes in a circle.", "edge.loop"},
};

constexpr Word kNel[] = {
    {"dns.unreachable", "The browser's name server did not answer.", ""},
    {"dns.name_not_resolved", "The name of the site does not resolve.", ""},
    {"dns.failed", "The browser could not resolve the name.", ""},
    {"dns.address_changed", "The address of the site is another than when the policy came.", ""},
    {"tcp.timed_out", "The browser's connection to the edge timed out.", ""},
    {"tcp.closed", "The connection to the edge was closed.", ""},
    {"tcp.reset", "The connection to the edge was reset.", ""},
    {"tcp.refused", "The edge refused the connection.", ""},
    {"tcp.aborted", "The connection to the edge was aborted.", ""},
    {"tcp.address_invalid", "The address of the site is not valid.", ""},
    {"tcp.address_unreachable", "The address of the site cannot be reached.", ""},
    {"tcp.failed", "The connection to the edge failed.", ""},
    {"tls.version_or_cipher_mismatch", "Browser and edge share no version or cipher.",
     "client.tls_failed"},
    {"tls.bad_client_auth_cert", "The client's certificate was not accepted.", "client.tls_failed"},
    {"tls.cert.date_invalid", "The edge's certificate has expired or is not valid yet.", ""},
    {"tls.cert.name_invalid", "The edge's certificate is for another name.", ""},
    {"tls.cert.authority_invalid", "The edge's certificate has no trusted issuer.", ""},
    {"h2.protocol_error", "The browser found HTTP/2 broken.", "client.h2_protocol_error"},
    {"http.response.invalid", "The response could not be read.", ""},
    {"abandoned", "The person left before it was done.", "client.abort"},
};

constexpr Word kHttp2[] = {
    {"NO_ERROR", "0x0: a graceful end; in GOAWAY usually a restart or keepalive_requests.",
     "h2.goaway_unprocessed h2.goaway_graceful h2.rst_stream"},
    {"PROTOCOL_ERROR", "0x1: HTTP/2 was broken; often by a field of HTTP/1.1 such as Connection.",
     "h2.protocol_error h2.forbidden_field h2.bad_pseudo h2.rst_stream h2.goaway",
     "The rule that was broken."},
    {"INTERNAL_ERROR", "0x2: the other side failed.", "h2.rst_stream h2.goaway"},
    {"FLOW_CONTROL_ERROR", "0x3: more data than the window allows.",
     "h2.flow_control h2.rst_stream h2.goaway"},
    {"SETTINGS_TIMEOUT", "0x4: SETTINGS were not acknowledged.", "h2.settings_timeout h2.goaway"},
    {"STREAM_CLOSED", "0x5: a frame on a stream that is closed.",
     "h2.closed_stream h2.rst_stream h2.goaway"},
    {"FRAME_SIZE_ERROR", "0x6: a frame of the wrong size.", "h2.frame_size h2.goaway"},
    {"REFUSED_STREAM", "0x7: the stream was not processed; asking again is safe.", "h2.refused"},
    {"CANCEL", "0x8: the stream is not wanted any more; from an origin: the handler gave up.",
     "h2.rst_stream client.abort"},
    {"COMPRESSION_ERROR", "0x9: HPACK is out of step; the connection is lost.",
     "h2.compression_error h2.goaway"},
    {"CONNECT_ERROR", "0xa: the connection of a CONNECT broke.", "h2.rst_stream"},
    {"ENHANCE_YOUR_CALM", "0xb: too much, too fast: a guard against floods.",
     "h2.goaway h2.rst_stream client.h2_rapid_reset client.h2_ping_flood client.h2_settings_flood",
     "Which guard; often rapid resets, pings or empty frames."},
    {"INADEQUATE_SECURITY", "0xc: the TLS parameters are below what HTTP/2 asks.", "h2.goaway"},
    {"HTTP_1_1_REQUIRED",
     "0xd: the request must be made over HTTP/1.1 (Kestrel and IIS with "
     "Windows or client-certificate authentication).",
     "h2.http11_required"},
};

}  // namespace

std::span<const Word> http_words() {
    return kHttp;
}
std::span<const Word> cloudflare_words() {
    return kCloudflare;
}
std::span<const Word> proxy_status_words() {
    return kProxyStatus;
}
std::span<const Word> nel_words() {
    return kNel;
}
std::span<const Word> http2_words() {
    return kHttp2;
}

}  // namespace edgecase::lexicon
