// What also happens on the plain ports, behind TLS: the layer must change nothing.
#include <array>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

void serve_cut(Exchange& exchange) {
    if (exchange.read_body()) exchange.cut();
}

void serve_unlimited_and_cut(Exchange& exchange) {
    if (!exchange.read_body()) return;
    exchange.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf of it?");
    exchange.cut();
}

constexpr std::array kScenarios{
    Scenario{.name = "ok-tls",
             .status = 200,
             .description = "Answers 200 over TLS.",
             .target = Target::tls,
             .as = "ok"},
    Scenario{.name = "ok-tls-keep_alive",
             .status = 200,
             .description = "Answers two requests on one TLS connection.",
             .target = Target::tls_reuse,
             .warmup_path = "/ok-tls-warmup",
             .as = "ok"},
    Scenario{.name = "ok-tls-warmup",
             .status = 200,
             .description = "Answers 200 over TLS and keeps the connection.",
             .target = Target::tls_reuse,
             .as = "ok"},
    Scenario{.name = "ok-tls-retried",
             .status = 200,
             .description = "Does as ok-retried, over TLS.",
             .target = Target::tls_reuse,
             .warmup_path = "/ok-tls-warmup",
             .as = "ok-retried"},
    Scenario{.name = "ok-tls-large",
             .status = 200,
             .description = "Answers with 1 MiB over TLS.",
             .target = Target::tls,
             .as = "ok-large"},
    Scenario{.name = "ok-tls-upload",
             .status = 200,
             .description = "Reads an 8 MiB body over TLS and answers 200.",
             .target = Target::tls,
             .method = "POST",
             .request_body_bytes = 8ULL * 1024 * 1024,
             .as = "ok-upload"},
    Scenario{.name = "ok-tls-close_delimited",
             .status = 200,
             .description = "Answers without a length; close_notify is the body's end.",
             .target = Target::tls,
             .as = "ok-close_delimited"},
    Scenario{.name = "body.close_delimited_tls_cut",
             .cause = Cause::body_close_delimited_tls_cut,
             .description = "Answers without a length and sends FIN without close_notify.",
             .target = Target::tls,
             .serve = serve_unlimited_and_cut},
    Scenario{.name = "resp.empty_fin-tls",
             .cause = Cause::resp_empty_fin,
             .description = "Reads the request over TLS and ends with close_notify and FIN.",
             .target = Target::tls,
             .as = "resp.empty_fin"},
    Scenario{.name = "resp.empty_fin-tls_cut",
             .cause = Cause::resp_empty_fin,
             .description = "Reads the request over TLS and sends FIN without close_notify, as a "
                            "crash does.",
             .target = Target::tls,
             .serve = serve_cut},
    Scenario{.name = "resp.empty_rst-tls",
             .cause = Cause::resp_empty_rst,
             .description = "Reads the request over TLS and sends RST.",
             .target = Target::tls,
             .as = "resp.empty_rst"},
    Scenario{.name = "resp.not_http.html-tls",
             .cause = Cause::resp_not_http_html,
             .description = "Sends an HTML page without status line or headers, over TLS.",
             .target = Target::tls,
             .as = "resp.not_http.html"},
    Scenario{.name = "resp.headers_too_large-tls",
             .cause = Cause::resp_headers_too_large,
             .description = "Sends 40 KB of headers over TLS.",
             .target = Target::tls,
             .as = "resp.headers_too_large"},
    Scenario{.name = "reuse.stale-tls",
             .cause = Cause::reuse_stale,
             .description = "Ends a reused TLS connection instead of answering an upload.",
             .target = Target::tls_reuse,
             .method = "POST",
             .request_body_bytes = 512ULL * 1024,
             .warmup_path = "/ok-tls-warmup",
             .as = "reuse.stale"},
    Scenario{.name = "time.first_byte-tls",
             .cause = Cause::time_first_byte,
             .status = 524,
             .description = "Reads the request over TLS and never answers.",
             .target = Target::tls,
             .as = "time.first_byte"},
    Scenario{.name = "body.short_fin-tls",
             .cause = Cause::body_short_fin,
             .description = "Ends the TLS connection before the body is whole.",
             .target = Target::tls,
             .as = "body.short_fin"},
    Scenario{.name = "body.short_rst-tls",
             .cause = Cause::body_short_rst,
             .description = "Resets the TLS connection before the body is whole.",
             .target = Target::tls,
             .as = "body.short_rst"},
};

}  // namespace

std::span<const Scenario> tls_ok() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
