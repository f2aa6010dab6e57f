#include "lexicon/vocabularies.hpp"

namespace edgecase::lexicon {
namespace {

constexpr Word kVarnish[] = {
    {"backend ... unhealthy", "The probe takes the backend for down.", "connect.no_healthy_origin"},
    {"backend ... busy", "max_connections of the backend is reached.", "connect.limit"},
    {"backend ... fail errno 111", "The backend refused.", "connect.refused connect.rejected"},
    {"backend ... fail errno 110", "No connection in connect_timeout.", "connect.timeout"},
    {"backend ... fail errno 113", "ICMP unreachable, or nobody answers ARP.",
     "connect.host_unreachable connect.no_neighbour connect.prohibited"},
    {"backend ... fail errno 101", "There is no route.", "connect.unroutable connect.no_route"},
    {"backend ... fail", "The connection could not be made; errno stands behind it.", "connect"},
    {"backend write error", "The request could not be sent.",
     "request.write_reset request.write_closed request.write_stalled reuse.stale"},
    {"HTC eof", "The backend closed before its head was complete.",
     "resp.empty_fin resp.empty_rst resp.truncated_status resp.truncated_headers resp.not_http "
     "reuse.stale",
     "FIN, RST, an SSH banner, a TLS alert and bare HTML: all twelve faults give this one text."},
    {"HTC status", "The backend's head could not be read.", "resp"},
    {"Received junk", "What came is no HTTP.", "resp.not_http resp.bad_status_line"},
    {"first byte timeout (reused connection)",
     "No byte in first_byte_timeout, on a reused connection.",
     "time.first_byte reuse.stale request.not_acked"},
    {"first byte timeout", "No byte in first_byte_timeout.", "time.first_byte request.not_acked"},
    {"FetchError ... timeout", "The backend was silent in its head.", "time.headers_slow"},
    {"FetchError ... overflow", "The head is over http_resp_size.", "resp.headers_too_large"},
    {"FetchError ... http format error", "The head breaks the grammar, or has too many lines.",
     "resp.bad_header_name resp.bad_status_line resp.too_many_headers"},
    {"straight insufficient bytes", "The body is shorter than its Content-Length.",
     "body.short_fin body.short_rst"},
    {"eof socket fail", "The connection broke in the body.",
     "body.short_rst body.close_delimited_rst"},
    {"Invalid Gzip data", "The gzip body is broken.", ""},
    {"Junk after gzip data", "Bytes behind the gzip body.", "body.extra_bytes"},
};

constexpr Word kAts[] = {
    {"ERR_CONNECT_FAIL", "The origin could not be connected to.", "connect tls"},
    {"ERR_DNS_FAIL", "The name does not resolve.", "dns"},
    {"ERR_READ_TIMEOUT", "The origin was silent.",
     "time.first_byte time.headers_slow time.body_idle"},
    {"ERR_READ_ERROR", "The response broke off.",
     "resp.empty_rst resp.truncated_headers body.short_rst"},
    {"ERR_ZERO_SIZE_OBJECT", "The origin closed with no byte.", "resp.empty_fin resp.empty_rst"},
    {"ERR_LOOP_DETECTED", "The request goes in a circle.", "edge.loop"},
    {"ERR_NO_FDS", "No descriptor is left.", "connect.local_exhausted"},
    {"ERR_CLIENT_ABORT", "The client left.", "client.abort"},
    {"ERR_CLIENT_READ_ERROR", "The client's request broke off.",
     "client.upload_abort client.abort"},
    {"ERR_INVALID_REQ", "The request is not valid.", "client.bad_request_line"},
    {"ERR_INVALID_URL", "The URL is not valid.", "client.bad_target"},
    {"ERR_PROXY_DENIED", "A rule refused.", ""},
    {"ERR_UNKNOWN", "Nobody knows.", ""},
    {"ACTIVE_TIMEOUT", "The transaction took too long.", "time"},
    {"INACTIVE_TIMEOUT", "The origin was silent.", "time.first_byte time.body_idle"},
    {"BAD_INCOMING_RESPONSE", "The response could not be read.", "resp"},
    {"CONNECTION_CLOSED", "The origin closed.",
     "resp.empty_fin resp.truncated_headers reuse.stale"},
    {"CONNECTION_ERROR", "The connection broke or could not be made.", "connect resp.empty_rst"},
    {"OPEN_RAW_ERROR", "The tunnel could not be opened.", "connect"},
    {"PARSE_ERROR", "The response breaks the grammar.",
     "resp.bad_status_line resp.bad_header_name"},
    {"OUTBOUND_CONGESTION", "The limit of connections to the origin.", "connect.limit"},
    {"connect#failed_connect", "ATS page: the origin could not be connected to.", "connect"},
    {"connect#hangup", "ATS page: the origin hung up.", "resp.empty_fin resp.empty_rst"},
    {"connect#dns_failed", "ATS page: the name does not resolve.", "dns"},
    {"connect#all_down", "ATS page: all parents are down.", "connect.no_healthy_origin"},
    {"timeout#activity", "ATS page: the transaction took too long.", "time"},
    {"timeout#inactivity", "ATS page: the origin was silent.", "time.first_byte time.body_idle"},
    {"response#bad_response", "ATS page: the response could not be read.", "resp"},
    {"response#bad_version", "ATS page: the version is not valid.", "resp.bad_version"},
    {"request#cycle_detected", "ATS page: the request goes in a circle.", "edge.loop"},
};

constexpr Word kH2o[] = {
    {"[lib/core/proxy.c] ... connection timeout", "No connection in time.", "connect.timeout"},
    {"[lib/core/proxy.c] ... first byte timeout", "No byte in time.",
     "time.first_byte request.not_acked"},
    {"[lib/core/proxy.c] ... I/O timeout", "The origin was silent.", "time.body_idle"},
    {"[lib/core/proxy.c] ... I/O error", "The connection broke, or could not be made.",
     "resp.empty_fin resp.empty_rst resp.truncated_headers connect reuse.stale",
     "Ten faults give this one text."},
    {"[lib/core/proxy.c] ... refused stream", "HTTP/2: REFUSED_STREAM.", "h2.refused"},
    {"[lib/core/proxy.c] ... unknown alpn protocol", "ALPN chose something else.", "tls.no_alpn"},
    {"[lib/core/proxy.c] ... invalid content-length", "The Content-Length is no number.",
     "resp.bad_length"},
    {"[lib/core/proxy.c] ... flow control error", "HTTP/2: more data than allowed.",
     "h2.flow_control"},
    {"[lib/core/proxy.c] ... line folding", "A header line is folded.", "resp.obs_fold"},
    {"[lib/core/proxy.c] ... unexpected type of transfer-encoding", "An unknown transfer coding.",
     "resp.bad_te"},
    {"[lib/core/proxy.c] ... failed to parse", "The head breaks the grammar.",
     "resp.bad_status_line resp.bad_header_name"},
    {"[lib/core/proxy.c] ... protocol violation", "HTTP/2 was broken.", "h2.protocol_error"},
    {"[lib/core/proxy.c] ... received unexpected 101", "A 101 nobody asked for.",
     "resp.unexpected_101"},
};

}  // namespace

std::span<const Word> varnish_phrases() {
    return kVarnish;
}
std::span<const Word> ats_words() {
    return kAts;
}
std::span<const Word> h2o_phrases() {
    return kH2o;
}

}  // namespace edgecase::lexicon
