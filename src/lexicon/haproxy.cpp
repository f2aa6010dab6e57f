#include "lexicon/vocabularies.hpp"

namespace edgecase::lexicon {
namespace {

// The first two characters; the other two concern the persistence cookie only.
constexpr Word kStates[] = {
    {"SC", "The server refused the connection, or could not be reached.",
     "connect.refused connect.reset connect.unroutable connect.host_unreachable tls",
     "Refused, unroutable, and every TLS failure."},
    {"sC", "No connection within `timeout connect`.", "connect.timeout tls.timeout"},
    {"SH", "The server closed before its response head was complete.",
     "resp.empty_fin resp.empty_rst resp.truncated_status resp.truncated_headers reuse.stale",
     "FIN and RST, no byte and some bytes, a crash and the keep-alive race, a TLS 1.3 alert.",
     "`bc_reused` in the log format; the server's own log at that second."},
    {"sH", "No complete response head within `timeout server`.",
     "time.first_byte time.headers_slow request.not_acked",
     "A server that works too long, and one that never got the request."},
    {"SD", "The server closed within the body.",
     "body.short_fin body.short_rst body.chunk_truncated"},
    {"sD", "The server was silent within the body.", "time.body_idle"},
    {"SL", "The server closed at the very end of the body.", "body.short_fin body.short_rst"},
    {"sL", "The server was silent at the very end of the body.", "time.body_idle"},
    {"PH", "The response is not valid, too large, or denied by a rule.",
     "resp.bad_status_line resp.bad_header_name resp.headers_too_large resp.not_http "
     "h2.protocol_error",
     "Every breach of HTTP, the limits, and HAProxy's own rules.",
     "`show errors` on the stats socket has the last one, with the offset."},
    {"PD", "The body is not valid.", "body.bad_chunk_size body.bad_chunk_end"},
    {"PC", "HAProxy has no socket, port or memory left, or its limit is reached.",
     "connect.local_exhausted connect.limit"},
    {"RC", "A resource is exhausted.", "connect.local_exhausted"},
    {"sQ", "The request waited in the queue for `timeout queue`.", "connect.limit"},
    {"SQ", "All servers went down while the request was queued.", "connect.no_healthy_origin"},
    {"PQ", "The queue is full.", "connect.limit"},
    {"CQ", "The client left the queue.", "client.abort"},
    {"CR", "The client closed before its request was complete.", "client.abort"},
    {"cR", "The client did not send its request within `timeout http-request`.",
     "client.head_timeout"},
    {"CC", "The client left before the server was connected.", "client.abort"},
    {"CH", "The client left while the server was at work.", "client.abort",
     "A person who left, and something in front that timed out."},
    {"cH", "The client was silent while it had a body to send.", "client.body_timeout"},
    {"CD", "The client left within the body.", "client.abort"},
    {"cD", "The client took nothing of the body for `timeout client`.", "client.slow_reader"},
    {"CT", "The client left the tarpit.", "client.abort"},
    {"PR", "The request is not valid, or denied by a rule.",
     "client.bad_request_line client.bad_header_name client.headers_too_large",
     "A broken request and HAProxy's own rules."},
    {"PT", "The request was tarpitted.", ""},
    {"LR", "HAProxy answered by itself (redirect, stats, `http-request return`).", ""},
    {"LH", "HAProxy answered by itself in the response phase.", ""},
    {"LC", "HAProxy answered by itself while connecting.", ""},
    {"IR", "An internal error with the request.", "edge.internal"},
    {"IH", "An internal error with the response.", "edge.internal"},
    {"DC", "The server went down, and its sessions were killed, while connecting.",
     "connect.no_healthy_origin"},
    {"DH", "The server went down while it was at work.", "connect.no_healthy_origin"},
    {"DD", "The server went down within the body.", "connect.no_healthy_origin"},
    {"UD", "A backup server's session was killed, for the active one came back.", ""},
    {"KD", "The session was killed by hand.", ""},
    {"--", "Nothing went wrong.", "none"},
};

constexpr Word kErrors[] = {
    {"CO_ER_NONE", "No error.", "none"},
    {"SYS_FDLIM", "The system is out of descriptors.", "connect.local_exhausted"},
    {"CONF_FDLIM", "HAProxy's own limit of descriptors.", "connect.local_exhausted"},
    {"PROC_FDLIM", "The process is out of descriptors.", "connect.local_exhausted"},
    {"SYS_MEMLIM", "The system is out of socket memory.", "connect.local_exhausted"},
    {"NOPROTO", "The protocol is not there.", "connect.local_exhausted"},
    {"SOCK_ERR", "The socket could not be made.", "connect.local_exhausted"},
    {"PORT_RANGE", "The range of source ports is used up.", "connect.local_exhausted"},
    {"CANT_BIND", "The source address could not be bound.",
     "edge.egress_unavailable connect.local_exhausted"},
    {"FREE_PORTS", "No source port is free.", "connect.local_exhausted"},
    {"ADDR_INUSE", "The source address and port are in use.", "connect.local_exhausted"},
    {"EREFUSED", "The server refused the connection.", "connect.refused"},
    {"ERESET", "The server reset the connection.", "connect.reset resp.empty_rst"},
    {"EUNREACH", "The server's network cannot be reached.",
     "connect.unroutable connect.host_unreachable"},
    {"SSL_EMPTY", "The connection was closed within the TLS handshake.", "tls.fin"},
    {"SSL_ABORT", "The TLS handshake was ended by an error of the connection.", "tls.rst"},
    {"SSL_TIMEOUT", "The TLS handshake took too long.", "tls.timeout"},
    {"SSL_HANDSHAKE", "The TLS handshake failed.", "tls",
     "No shared version or cipher, and every other alert."},
    {"SSL_FATAL", "TLS broke after the handshake.", "tls.broken"},
    {"SSL_MISMATCH", "The server's certificate is for another name.", "tls.cert.name"},
    {"SSL_MISMATCH_SNI", "The server's certificate is for another name than the SNI.",
     "tls.cert.name"},
    {"SSL_CA_FAIL", "The client's certificate has no accepted CA.", "client.tls_failed"},
    {"SSL_CRT_FAIL", "The client's certificate is not accepted.", "client.tls_failed"},
};

}  // namespace

std::span<const Word> haproxy_states() {
    return kStates;
}
std::span<const Word> haproxy_errors() {
    return kErrors;
}

}  // namespace edgecase::lexicon
