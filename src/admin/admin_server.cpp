#include "admin/admin_server.hpp"

#include <array>

#include "base/byte_buffer.hpp"
#include "h1/request_head.hpp"
#include "http/message.hpp"

namespace edgecase::admin {
namespace {

constexpr size_t kMaximumConnections = 64;
constexpr std::chrono::seconds kRequestTime{5};
constexpr h1::HeadLimits kLimits{4096, 4096, 16 * 1024, 64};

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
    ip::Endpoint listen, const base::Clock& clock, MakeMetrics make_metrics) {
    auto loop = net::Loop::create(clock);
    if (!loop) return std::unexpected("cannot make an event loop: " + loop.error().name());
    auto listener = net::Listener::listen(**loop, listen, false);
    if (!listener) {
        const bool taken = listener.error().kind == net::ErrorKind::address_in_use;
        return std::unexpected("cannot listen on " + listen.to_string() + " (admin): " +
                               (taken ? "the port is in use" : listener.error().name()));
    }
    return std::unique_ptr<AdminServer>(
        new AdminServer(std::move(*loop), std::move(*listener), std::move(make_metrics)));
}

AdminServer::AdminServer(std::unique_ptr<net::Loop> loop, net::Listener listener,
                         MakeMetrics make_metrics)
    : loop_(std::move(loop)),
      listener_(std::move(listener)),
      address_(listener_.local()),
      make_metrics_(std::move(make_metrics)),
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
    while (progress == h1::Progress::need_more) {
        const net::ReadResult got = co_await client.read_some(in.reserve_free(4096), deadline);
        if (!got || *got == 0) co_return;
        in.commit(*got);
        progress = parser.parse(in.view());
    }
    const std::string text = progress == h1::Progress::complete
                                 ? answer(parser.head().method, parser.head().path)
                                 : reply(400, "text/plain", "bad request\n", false);
    std::array parts{net::part(text)};
    co_await client.write_all(parts, deadline);
}

std::string AdminServer::answer(std::string_view method, std::string_view path) {
    const bool head_only = method == "HEAD";
    if (method != "GET" && !head_only) {
        return reply(405, "text/plain", "only GET is served here\n", false);
    }
    if (path == "/healthz") return reply(200, "text/plain", "ok\n", head_only);
    if (path == "/metrics") {
        return reply(200, "text/plain; version=0.0.4", make_metrics_(), head_only);
    }
    return reply(404, "text/plain", "/healthz and /metrics are what there is\n", head_only);
}

}  // namespace edgecase::admin
