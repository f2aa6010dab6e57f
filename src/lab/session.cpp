#include "lab/session.hpp"

#include <fmt/format.h>

#include <string>

#include "lab/exchange.hpp"
#include "lab/h2_exchange.hpp"
#include "lab/list.hpp"

namespace edgecase::lab {
namespace {

constexpr size_t kMaxHeadBytes = 256ULL * 1024;

constexpr std::string_view kText = "Content-Type: text/plain; charset=utf-8\r\n";
constexpr std::string_view kJson = "Content-Type: application/json\r\n";

void dispatch(Exchange& exchange, const Ports& ports) {
    const std::string& path = exchange.request().path;
    if (path == "/") {
        const bool json = exchange.request().wants_json;
        exchange.answer("200 OK", json ? kJson : kText,
                        json ? list_json(&ports) : list_text(&ports));
        return;
    }
    const Scenario* scenario = find_scenario(std::string_view(path).substr(1));
    if (scenario != nullptr && !scenario->as.empty()) scenario = find_scenario(scenario->as);
    if (scenario == nullptr) {
        exchange.answer("404 Not Found", kText, "No such scenario; / lists them.\n");
    } else if (!scenario->is_served()) {
        exchange.answer("404 Not Found", kText,
                        fmt::format("This scenario needs target `{}`, not this port: {}\n",
                                    to_string(scenario->target), scenario->description));
    } else {
        exchange.perform(*scenario);
    }
}

void serve_http1(Connection& connection, bool keep_alive, const Ports& ports) {
    for (unsigned nth = 1; connection.is_open(); ++nth) {
        const auto head = connection.read_until("\r\n\r\n", kMaxHeadBytes);
        if (!head) return;
        const auto request = Request::parse(*head);
        if (!request || !request->path.starts_with('/')) {
            connection.send(
                "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                "Content-Length: 0\r\n\r\n");
            connection.finish();
            return;
        }
        Exchange exchange(connection, *request, nth, keep_alive);
        dispatch(exchange, ports);
        if (!exchange.keeps_open()) return;
    }
}

void dispatch_h2(H2Exchange& exchange, const Ports& ports) {
    const std::string& path = exchange.request().path;
    if (path == "/") return exchange.answer("200", list_text(&ports));
    const Scenario* const scenario =
        path.empty() ? nullptr : find_scenario(std::string_view(path).substr(1));
    if (scenario == nullptr) {
        exchange.answer("404", "No such scenario; / lists them.\n");
    } else if (!scenario->is_served_in_h2()) {
        exchange.answer("404", fmt::format("This scenario needs target `{}`, not HTTP/2: {}\n",
                                           to_string(scenario->target), scenario->description));
    } else {
        exchange.perform(*scenario);
    }
}

/// One request after the other, whatever the client sends side by side.
void serve_h2(Connection& connection, const Ports& ports) {
    H2Connection h2(connection);
    if (!h2.begin()) return connection.finish();
    for (unsigned nth = 1; connection.is_open(); ++nth) {
        const auto request = h2.next_request();
        if (!request) return connection.finish();
        H2Exchange exchange(h2, *request, nth);
        dispatch_h2(exchange, ports);
    }
}

/// Instead of a TLS handshake.
void serve_raw(Connection& connection, const Scenario& scenario) {
    if (!connection.skip_hello() || !connection.send(scenario.bytes)) return;
    connection.end(scenario.ending);
}

}  // namespace

void serve_connection(Connection& connection, const Entrance& entrance, const Ports& ports) {
    const Scenario* const own = entrance.scenario;
    if (own != nullptr && own->tls.is_raw) return serve_raw(connection, *own);
    if (entrance.context != nullptr && !connection.start_tls(entrance.context)) {
        return connection.finish();
    }
    if (own != nullptr && own->tls.admit != nullptr) return own->tls.admit(connection);
    if (connection.alpn() == "h2") return serve_h2(connection, ports);
    const bool keep_alive =
        entrance.target == Target::reuse || entrance.target == Target::tls_reuse;
    serve_http1(connection, keep_alive, ports);
}

}  // namespace edgecase::lab
