// Owns the admin listener: one thread that answers for health, metrics and the live switches.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "admin/origins_api.hpp"
#include "base/clock.hpp"
#include "http/message.hpp"
#include "ip/endpoint.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "net/task_set.hpp"

namespace edgecase::admin {

/// What the listener speaks for; called on its thread.
struct Backend {
    std::function<std::string()> metrics;
    std::function<std::vector<OriginState>()> origins;
    /// False: no such origin.
    std::function<bool(const Http2Order&)> switch_http2;
};

class AdminServer {
  public:
    /// Serves `GET /healthz`, `/metrics` and `/api/origins`, and `PUT /api/origins/http2`.
    /// Errors: one sentence.
    static std::expected<std::unique_ptr<AdminServer>, std::string> start(ip::Endpoint listen,
                                                                          const base::Clock& clock,
                                                                          Backend backend);
    ~AdminServer();

    const ip::Endpoint& address() const { return address_; }

  private:
    AdminServer(std::unique_ptr<net::Loop> loop, net::Listener listener, Backend backend);
    net::Task<void> accept_connections();
    net::Task<void> serve(net::Stream client);
    std::string answer(const http::RequestHeadView& head, std::string_view body);
    std::string answer_api(const http::RequestHeadView& head, std::string_view body);

    std::unique_ptr<net::Loop> loop_;
    net::Listener listener_;
    ip::Endpoint address_;
    Backend backend_;
    net::TaskSet tasks_;
    std::jthread thread_;
};

}  // namespace edgecase::admin
