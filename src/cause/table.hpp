// Owns the names of causes: why a request failed, one enumerator per fault.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace edgecase::cause {

/// Numbers are stored in records: append only, never reuse one.
enum class Cause : uint16_t {
    none = 0,
    dns_nxdomain = 1,
    dns_servfail = 2,
    dns_refused = 3,
    dns_nodata = 4,
    dns_timeout = 5,
    dns_resolver_unreachable = 6,
    dns_malformed = 7,
    dns_address_prohibited = 8,
    connect_refused = 20,
    connect_rejected = 21,
    connect_reset = 22,
    connect_timeout = 23,
    connect_unroutable = 24,
    connect_host_unreachable = 25,
    connect_protocol_unreachable = 26,
    connect_prohibited = 27,
    connect_no_neighbour = 28,
    connect_no_route = 29,
    connect_local_prohibited = 30,
    connect_local_exhausted = 31,
    connect_limit = 32,
    connect_no_healthy_origin = 33,
    request_not_acked = 40,
    request_write_stalled = 41,
    request_write_reset = 42,
    request_write_closed = 43,
    reuse_stale = 50,
    resp_empty_fin = 60,
    resp_empty_rst = 61,
    resp_truncated_status = 62,
    resp_reset_status = 63,
    resp_truncated_headers = 64,
    resp_reset_headers = 65,
    resp_connection_lost = 66,
    resp_not_http_tls = 70,
    resp_not_http_ssh = 71,
    resp_not_http_smtp = 72,
    resp_not_http_html = 73,
    resp_not_http_h2 = 74,
    resp_not_http_proxy_protocol = 75,
    resp_not_http_text = 76,
    resp_not_http_binary = 77,
    resp_bad_version = 80,
    resp_bad_status_line = 81,
    resp_bad_status_code_missing = 82,
    resp_bad_status_code_not_numeric = 83,
    resp_bad_status_code_too_short = 84,
    resp_bad_status_code_too_long = 85,
    resp_bad_status_code_out_of_range = 86,
    resp_bad_reason_phrase = 87,
    resp_status_line_too_large = 88,
    resp_bad_header_name_space = 90,
    resp_bad_header_name_byte = 91,
    resp_bad_header_name_empty = 92,
    resp_no_colon = 93,
    resp_bad_header_value_nul = 94,
    resp_bad_header_value_control = 95,
    resp_obs_fold = 96,
    resp_bare_lf = 97,
    resp_bare_cr = 98,
    resp_headers_too_large = 100,
    resp_header_line_too_large = 101,
    resp_too_many_headers = 102,
    resp_conflicting_length = 110,
    resp_duplicate_length = 111,
    resp_bad_length = 112,
    resp_cl_and_te = 113,
    resp_bad_te = 114,
    resp_te_not_final = 115,
    resp_te_in_http10 = 116,
    resp_only_1xx = 120,
    resp_too_many_1xx = 121,
    resp_unexpected_101 = 122,
    resp_wrong_upgrade = 123,
    resp_reset_after_1xx = 124,
    time_first_byte = 130,
    time_headers_slow = 131,
    time_between_responses = 132,
    time_body_idle = 133,
    body_short_fin = 140,
    body_short_rst = 141,
    body_close_delimited_rst = 142,
    body_chunk_truncated = 143,
    body_chunk_reset = 144,
    body_bad_chunk_size = 145,
    body_bad_chunk_end = 146,
    body_bad_chunk_extension = 147,
    body_bad_trailer = 148,
    body_trailers_too_large = 149,
    body_extra_bytes = 150,
    body_connection_lost = 151,
    body_close_delimited_tls_cut = 152,
    origin_status = 160,
    client_abort = 170,
    client_upload_abort = 171,
    client_slow_reader = 172,
    client_head_timeout = 173,
    client_body_timeout = 174,
    client_not_http_tls = 180,
    client_not_http_h2 = 181,
    client_not_http_other = 182,
    client_bad_request_line = 183,
    client_bad_method = 184,
    client_bad_target = 185,
    client_bad_version = 186,
    client_uri_too_long = 187,
    client_headers_too_large = 188,
    client_header_line_too_large = 189,
    client_too_many_headers = 190,
    client_bad_header_name_space = 191,
    client_bad_header_name_byte = 192,
    client_bad_header_name_empty = 193,
    client_no_colon = 194,
    client_bad_header_value_nul = 195,
    client_bad_header_value_control = 196,
    client_obs_fold = 197,
    client_bare_lf = 198,
    client_bare_cr = 199,
    client_missing_host = 200,
    client_duplicate_host = 201,
    client_bad_host = 202,
    client_conflicting_length = 203,
    client_duplicate_length = 204,
    client_bad_length = 205,
    client_cl_and_te = 206,
    client_bad_te = 207,
    client_te_not_final = 208,
    client_te_in_http10 = 209,
    client_bad_chunk = 210,
    client_bad_trailer = 211,
    client_bad_expectation = 212,
    client_body_too_large = 213,
    edge_loop = 220,
    edge_no_route = 221,
    edge_overload = 222,
    edge_internal = 223,
    edge_shutdown = 224,
    edge_egress_unavailable = 225,
    tls_peer_plaintext = 240,
    tls_fin = 241,
    tls_rst = 242,
    tls_timeout = 243,
    tls_version = 244,
    tls_no_shared_cipher = 245,
    tls_no_alpn = 246,
    tls_sni_rejected = 247,
    tls_alert = 248,
    tls_protocol_error = 249,
    tls_client_cert_required = 250,
    tls_client_cert_rejected = 251,
    tls_broken = 252,
    tls_cert_expired = 260,
    tls_cert_not_yet_valid = 261,
    tls_cert_name = 262,
    tls_cert_unknown_ca = 263,
    tls_cert_self_signed = 264,
    tls_cert_incomplete_chain = 265,
    tls_cert_weak = 266,
    tls_cert_bad_purpose = 267,
    tls_cert_invalid = 268,
    h2_not_spoken = 280,
    h2_settings_timeout = 281,
    h2_closed_stream = 282,
    h2_flow_control = 283,
    h2_rst_stream = 284,
    h2_refused = 285,
    h2_http11_required = 286,
    h2_goaway = 287,
    h2_forbidden_field = 288,
    h2_bad_pseudo = 289,
    h2_bad_field = 290,
    h2_header_list_too_large = 291,
    h2_compression_error = 292,
    h2_frame_size = 293,
    h2_protocol_error = 294,
    h2_closed_early = 295,
    h2_content_length = 296,
    h2_ping_timeout = 297,
    h2_connection_fin = 298,
    h2_connection_rst = 299,
    h2_max_streams_zero = 300,
    h2_goaway_unprocessed = 301,
    h2_goaway_graceful = 302,
    client_tls_failed = 320,
    client_tls_timeout = 321,
    client_tls_not_spoken = 322,
    client_h2_rapid_reset = 330,
    client_h2_continuation_flood = 331,
    client_h2_settings_flood = 332,
    client_h2_ping_flood = 333,
    client_h2_empty_frame_flood = 334,
    client_h2_header_bomb = 335,
    client_h2_protocol_error = 336,
    client_h2_bad_message = 337,
};

/// Who failed.
enum class Actor : uint8_t { none, client, edge, network, origin };

/// When an attempt that failed so may be made again.
enum class Retry : uint8_t {
    no,
    connect,  // nothing was sent: always safe
    reused,   // only on a reused connection, before any response byte, with the body still at hand
    unprocessed,  // the origin says it did nothing: on a fresh connection, with the body at hand
    idempotent,   // the origin may have acted: idempotent methods only, on a fresh connection,
                  // before any response byte, the body at hand
    downgrade,  // over HTTP/1.1: the origin did nothing; before any response byte, the body at hand
    downgrade_idempotent,  // the same, but the origin may have acted: idempotent methods only
};

/// One row per cause; every text, status and token about a cause comes from here.
struct Row {
    Cause cause;
    std::string_view name;  // dotted and stable: `phase.reason`
    Actor actor;
    uint16_t status;               // what the edge answers if it still can; 0: the origin's own
    std::string_view proxy_error;  // RFC 9209 error type; empty: none
    Retry retry;
    std::string_view visitor;  // a sentence for the visitor, free of evidence
    std::string_view reason;   // one sentence for the operator
    std::string_view fix;
    std::string_view source;

    /// The part of the name before its first dot: `dns`, `connect`, `resp`, `client`...
    constexpr std::string_view phase() const { return name.substr(0, name.find('.')); }
};

/// All rows, ordered by number.
std::span<const Row> table();

/// The row of a cause. A number no row has (a record of a newer version) gives the row of none.
const Row& row(Cause cause);

/// Whether a request that failed so may be sent to another origin.
/// Source: Cloudflare, zero-downtime failover: these statuses, never 520 and 524.
bool may_fail_over(Cause cause);

std::optional<Cause> parse_cause(std::string_view name);

/// Whether `name` is `family` or below it: `resp.empty_fin` is within `resp`, `resp.empty` holds
/// nothing. A dot at the end of `family` makes no difference.
bool is_within(std::string_view name, std::string_view family);
/// Whether some cause is.
bool is_family(std::string_view family);

std::optional<Cause> cause_of_number(uint16_t number);

std::string_view to_string(Actor actor);
std::string_view to_string(Retry retry);

/// What a client may be told of an edge-made status, with Cloudflare's titles.
struct Status {
    uint16_t code;
    std::string_view title;          // "Web server is returning an unknown error"
    std::string_view name;           // snake_case, `error_name` of structured errors
    std::string_view category;       // `error_category`: origin, ssl, dns, cloudflare, client
    std::string_view reason_phrase;  // for the HTTP/1.1 status line
    uint16_t retry_after_s;          // 0: not retryable
    uint16_t error_code;             // 1016 below 530, 1000 below 403; else the status itself
};

/// Errors: null for a status the edge never makes.
const Status* status(uint16_t code);
std::span<const Status> statuses();

}  // namespace edgecase::cause
