#include "admin/admin_server.hpp"

#include <array>

#include "base/ascii.hpp"
#include "base/byte_buffer.hpp"
#include "h1/request_head.hpp"
#include "http/message.hpp"

namespace edgecase::admin {
namespace {

constexpr size_t kMaximumConnections = 64;
constexpr std::chrono::seconds kRequestTime{5};
constexpr h1::HeadLimits kLimits{4096, 4096, 16 * 1024, 64};
constexpr uint64_t kMaximumBodyBytes = 16 * 1024;

/// A name that a site's owner points at this machine must not let its pages in (DNS rebinding).
bool names_this_machine(std::string_view host) {
    std::string_view name = host;
    if (const size_t port = name.rfind(':');
        port != std::string_view::npos && name.find(']', port) == std::string_view::npos) {
        name = name.substr(0, port);
    }
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    return base::iequals(name, "localhost") || ip::Address::parse(name);
}

std::string reply(uint16_t status, std::string_view type, std::string_view body, bool head_only) {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " " +
                       std::string(http::reason_phrase(status)) +
                       "\r\nContent-Type: " + std::string(type) +
                       "\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
    if (!head_only) text += body;
    return text;
}

}  // namespace

std::expected<std::unique_ptr<AdminServer>, std::string> AdminServer::start(
    ip::Endpoint listen, const base::Clock& clock, Backend backend) {
    auto loop = net::Loop::create(clock);
    if (!loop) return std::unexpected("cannot make an event loop: " + loop.error().name());
    auto listener = net::Listener::listen(**loop, listen, false);
    if (!listener) {
        const bool taken = listener.error().kind == net::ErrorKind::address_in_use;
        return std::unexpected("cannot listen on " + listen.to_string() + " (admin): " +
                               (taken ? "the port is in use" : listener.error().name()));
    }
    return std::unique_ptr<AdminServer>(
        new AdminServer(std::move(*loop), std::move(*listener), std::move(backend)));
}

AdminServer::AdminServer(std::unique_ptr<net::Loop> loop, net::Listener listener, Backend backend)
    : loop_(std::move(loop)),
      listener_(std::move(listener)),
      address_(listener_.local()),
      backend_(std::move(backend)),
      thread_([this] {
          tasks_.spawn(accept_connections());
          loop_->run();
          tasks_.cancel_all();
      }) {}

AdminServer::~AdminServer() {
    loop_->stop();
    thread_.join();
}

net::Task<void> AdminServer::accept_connections() {
    for (;;) {
        auto accepted = co_await listener_.accept(base::Deadline::never());
        if (!accepted) {
            co_await loop_->sleep_until(loop_->after(std::chrono::milliseconds(50)));
            continue;
        }
        if (tasks_.size() > kMaximumConnections) continue;
        tasks_.spawn(serve(std::move(accepted->stream)));
    }
}

net::Task<void> AdminServer::serve(net::Stream client) {
    const base::Deadline deadline = loop_->after(kRequestTime);
    h1::RequestHeadParser parser;
    parser.reset(kLimits);
    base::ByteBuffer in;
    h1::Progress progress = h1::Progress::need_more;
    uint64_t wanted = 0;  // bytes of head and body
    while (progress == h1::Progress::need_more || in.size() < wanted) {
        const net::ReadResult got = co_await client.read_some(in.reserve_free(4096), deadline);
        if (!got || *got == 0) co_return;
        in.commit(*got);
        progress = parser.parse(in.view());
        if (progress == h1::Progress::failed) break;
        if (progress == h1::Progress::need_more) continue;
        const http::Framing& framing = parser.head().framing;
        // No honest request here has more.
        const bool fits =
            framing.kind == http::Framing::Kind::none ||
            (framing.kind == http::Framing::Kind::length && framing.length <= kMaximumBodyBytes);
        if (!fits) progress = h1::Progress::failed;
        if (!fits) break;
        wanted = parser.head_bytes() + framing.length;
    }
    const std::string text = progress == h1::Progress::complete
                                 ? answer(parser.head(), in.view().substr(parser.head_bytes()))
                                 : reply(400, "text/plain", "bad request\n", false);
    std::array parts{net::part(text)};
    co_await client.write_all(parts, deadline);
}

std::string AdminServer::answer(const http::RequestHeadView& head, std::string_view body) {
    const bool head_only = head.method == "HEAD";
    // Load balancers ask for health by any name; there is nothing to read in it.
    if (head.path != "/healthz" && !names_this_machine(head.host)) {
        return reply(403, "application/json",
                     error_json("ask by address or as localhost, not by another name"), head_only);
    }
    if (head.path.starts_with("/api/")) return answer_api(head, body);
    if (head.method != "GET" && !head_only) {
        return reply(405, "text/plain", "only GET is served here\n", false);
    }
    if (head.path == "/healthz") return reply(200, "text/plain", "ok\n", head_only);
    if (head.path == "/metrics") {
        return reply(200, "text/plain; version=0.0.4", backend_.metrics(), head_only);
    }
    return reply(404, "text/plain", "/healthz, /metrics and /api/origins are what there is\n",
                 head_only);
}

std::string AdminServer::answer_api(const http::RequestHeadView& head, std::string_view body) {
    const auto json = [&](uint16_t status, const std::string& text) {
        return reply(status, "application/json", text, head.method == "HEAD");
    };
    if (head.path == "/api/origins") {
        if (head.method != "GET" && head.method != "HEAD") {
            return json(405, error_json("only GET is served here"));
        }
        return json(200, origins_json(backend_.origins()));
    }
    if (head.path == "/api/origins/http2") {
        // A page of another site could send GET and POST from a browser here, but no PUT.
        if (head.method != "PUT") return json(405, error_json("only PUT is served here"));
        const auto order = parse_http2_order(body);
        if (!order) return json(400, error_json(order.error()));
        if (!backend_.switch_http2(*order)) {
            return json(404, error_json("there is no origin " + order->origin));
        }
        return json(200, origins_json(backend_.origins()));
    }
    return json(404, error_json("there is /api/origins and /api/origins/http2"));
}

}  // namespace edgecase::admin
