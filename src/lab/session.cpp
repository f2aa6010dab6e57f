#include "lab/session.hpp"

#include <fmt/format.h>

#include <string>

#include "lab/exchange.hpp"
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

}  // namespace

void serve_connection(Connection& connection, bool keep_alive, const Ports& ports) {
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

}  // namespace edgecase::lab
