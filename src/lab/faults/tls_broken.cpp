// After a good handshake the origin's bytes are no TLS any more.
#include <array>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;
using namespace std::string_view_literals;

// Application data of 40 bytes that no key of this connection has sealed.
constexpr std::string_view kForgedRecord =
    "\x17\x03\x03\x00\x28"
    "forty bytes that were never encrypted..."sv;
static_assert(kForgedRecord.size() == 5 + 40);

void serve_forged(Exchange& exchange) {
    if (!exchange.read_body()) return;
    exchange.send_raw(kForgedRecord);
    exchange.hang();
}

void serve_plaintext(Exchange& exchange) {
    if (!exchange.read_body()) return;
    exchange.send_raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    exchange.hang();
}

void serve_alert(Exchange& exchange) {
    if (!exchange.read_body()) return;
    exchange.send_raw("\x15\x03\x03\x00\x02\x02\x50"sv);
    exchange.hang();
}

void serve_half(Exchange& exchange) {
    if (!exchange.read_body()) return;
    exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nhel");
    exchange.send_raw(kForgedRecord);
    exchange.hang();
}

constexpr std::array kScenarios{
    Scenario{.name = "tls.broken",
             .cause = Cause::tls_broken,
             .description = "Answers with a TLS record that cannot be decrypted.",
             .target = Target::tls,
             .serve = serve_forged},
    Scenario{.name = "tls.broken-plaintext",
             .cause = Cause::tls_broken,
             .description = "Handshakes, and then answers past TLS in plain HTTP.",
             .target = Target::tls,
             .serve = serve_plaintext},
    Scenario{.name = "tls.broken-alert",
             .cause = Cause::tls_broken,
             .description = "Handshakes, and then sends an alert that is not encrypted.",
             .target = Target::tls,
             .serve = serve_alert},
    Scenario{.name = "tls.broken-mid_body",
             .cause = Cause::tls_broken,
             .description = "Sends headers and three bytes of its body, then a TLS record that "
                            "cannot be decrypted.",
             .target = Target::tls,
             .serve = serve_half},
};

}  // namespace

std::span<const Scenario> tls_broken() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
