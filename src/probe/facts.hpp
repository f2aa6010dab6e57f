// Owns what the probes found out about an origin, beyond the trials themselves.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cause/evidence.hpp"
#include "cause/table.hpp"
#include "ip/endpoint.hpp"
#include "tls/certificate_evidence.hpp"

namespace edgecase::probe {

using std::chrono::milliseconds;

/// One probe's outcome, for people.
struct Report {
    enum class State : uint8_t { good, advice, bad, skipped };
    std::string_view name;  // a literal
    State state = State::skipped;
    std::string summary;  // one sentence
    cause::Evidence facts;
};

std::string_view to_string(Report::State state);

struct AddressFacts {
    ip::Address address;
    unsigned tried = 0;
    unsigned failed = 0;
    cause::Cause cause = cause::Cause::none;  // of the last that failed
    int64_t connect_us = -1;                  // the quickest
};

struct TlsFacts {
    std::string version;
    std::string cipher;
    std::string alpn;  // h2, http/1.1 or none
    bool client_cert_requested = false;
    bool tls12 = false;  // agrees to TLS 1.2 as well
    std::optional<tls::CertificateFacts> certificate;
};

struct HeaderFacts {
    uint32_t bytes = 0;  // the most that a response head had
    std::string target;  // of that response
    struct Size {
        std::string name;
        size_t bytes;
        unsigned count;
    };
    std::vector<Size> largest;                  // by name, the largest first
    std::vector<std::string> repeated_cookies;  // names that one response sets more than once
    size_t link_bytes = 0;                      // of Link fields with preload or preconnect
    bool early_hints = false;                   // it sends 103
};

/// The largest request head that was accepted, and the smallest that was not.
struct RequestHeaderFacts {
    size_t accepted_bytes = 0;
    size_t refused_bytes = 0;  // 0: none was refused
    uint16_t refusal_status = 0;
    cause::Cause refusal_cause = cause::Cause::none;
};

struct KeepAliveFacts {
    bool offered = false;
    std::optional<milliseconds> closed_after;  // idle; null: still open when patience ended
    bool closed_by_reset = false;
    milliseconds waited{0};                 // the patience that was had
    std::optional<milliseconds> announced;  // by a Keep-Alive field
    unsigned requests_on_one = 0;
    bool limit_reached = false;  // the origin ended it then
    unsigned raced = 0;          // requests sent at the moment of closing
    unsigned race_lost = 0;
    unsigned reused_soon = 0;  // requests on a connection idle for a second at most
    unsigned stale_soon = 0;   // of those, failed for that
};

struct Http2Facts {
    unsigned failed_h2 = 0;
    unsigned all_h2 = 0;
    unsigned failed_h1 = 0;
    unsigned all_h1 = 0;
    double p = 1;  // Fisher's exact test
};

struct CodingFacts {
    std::string coding;   // Content-Encoding
    std::string trouble;  // empty: decodes as it says
    uint64_t coded_bytes = 0;
    uint64_t plain_bytes = 0;
};

struct RestartFacts {
    unsigned seen = 0;
    milliseconds longest{0};  // that it was away
    bool came_back = true;
};

/// What runs at the origin, by what it says of itself.
struct Server {
    std::string name;     // nginx, apache, node...; empty: not recognised
    std::string version;  // as it says
    std::string behind;   // the application: php, express, node...
    std::vector<std::string> signs;
};

struct Facts {
    std::vector<Report> reports;
    std::vector<AddressFacts> addresses;
    std::optional<TlsFacts> tls;
    HeaderFacts headers;
    std::optional<RequestHeaderFacts> request_headers;
    KeepAliveFacts keep_alive;
    std::optional<Http2Facts> http2;
    std::optional<CodingFacts> coding;
    RestartFacts restarts;
    std::string health_path;  // empty: none found
    bool health_asked = false;
    Server server;
};

}  // namespace edgecase::probe
