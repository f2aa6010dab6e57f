// Owns the description of one scenario: what the lab does, and which cause is then true.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cause/table.hpp"
#include "lab/connection.hpp"
#include "lab/tls_port.hpp"

namespace edgecase::lab {

class Exchange;
class H2Exchange;

/// What the edge must be pointed at for a scenario to happen.
enum class Target : uint8_t {
    main,           // the lab's HTTP port: one request per connection
    reuse,          // the same scenarios with keep-alive
    closed,         // a TCP port that is taken and does not listen
    full_queue,     // a TCP port whose accept queue is full
    dns,            // the main port by name, with the lab's name server as the edge's resolver
    resolver_down,  // the same with a resolver port where nothing listens
    network,        // the main port in another network namespace, after `setup`
    edge_setting,   // the main port, with an edge configured as `edge_config` says
    tls,            // the same scenarios as on the main port, over TLS with a good certificate
    tls_reuse,      // the same with keep-alive
    h2,             // TLS that agrees to h2, and to http/1.1 if that is not offered
    own,            // a TLS port of the scenario's own, as its `tls` says
};

std::string_view to_string(Target target);

/// Whose network namespace `setup` and `teardown` are run in.
enum class Side : uint8_t { none, origin, edge };

std::string_view to_string(Side side);

struct Scenario {
    std::string_view name =
        {};  // the cause's name, perhaps with `-variant`; `ok...` when none fails
    cause::Cause cause = cause::Cause::none;
    /// What the client of an edge with default hold-back sees. When `aborts_client`, the status
    /// that was already sent when the edge had to cut the connection.
    uint16_t status = 520;
    bool aborts_client = false;
    std::string_view description = {};

    Target target = Target::main;
    std::string_view method = "GET";
    uint64_t request_body_bytes = 0;
    std::string_view request_headers = {};  // further lines, each with its CRLF
    std::string_view path = {};             // empty: `/NAME`
    std::string_view warmup_path = {};  // to be requested first, on the same edge with one worker
    bool warmup_in_flight = false;  // the warm-up is still unanswered when the scenario is asked
    std::string_view host = {};     // of the origin, when it is not the lab's own address

    /// A shell command for `side`; {origin_ip}, {origin_ip6}, {origin_port}, {edge_ip}, {unused_ip}
    /// stand for the test's own values.
    std::string_view setup = {};
    std::string_view teardown = {};
    Side side = Side::none;
    /// Lines of TOML the edge must run with, beyond the usual; {files} stands for the directory of
    /// the lab's certificates.
    std::string_view edge_config = {};
    std::string_view origin_name = {};  // what the edge must send as SNI; empty: the origin's host
    TlsPort tls = {};                   // of Target::own
    std::string_view as = {};           // the scenario whose HTTP/1.1 response this one gives

    /// Sent as they stand once the whole request is read; unused when `serve` is set.
    std::string_view bytes = {};
    Ending ending = Ending::fin;
    void (*serve)(Exchange&) = nullptr;
    void (*serve_h2)(H2Exchange&) = nullptr;  // the same over HTTP/2
    /// Sent over HTTP/2 once the whole request is read, when `serve_h2` is not set.
    std::string (*frames)(uint32_t stream_id) = nullptr;

    std::string request_path() const;
    /// Whether the edge must speak TLS to the origin: `https`.
    bool is_tls() const { return target >= Target::tls; }
    /// Whether the lab's HTTP/2 ports do something for this path.
    bool is_served_in_h2() const { return serve_h2 != nullptr || frames != nullptr; }
    /// Whether the lab's HTTP/1.1 ports do something for this path.
    bool is_served() const {
        return serve != nullptr || !as.empty() || (!bytes.empty() && !tls.is_raw);
    }
};

/// Every scenario, grouped by phase.
std::span<const Scenario> scenarios();

/// Errors: null when there is no such scenario.
const Scenario* find_scenario(std::string_view name);

}  // namespace edgecase::lab
