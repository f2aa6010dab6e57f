// Owns the admin listener: one thread that answers health and metrics requests.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.hpp"
#include "ip/endpoint.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "net/task_set.hpp"

namespace edgecase::admin {

class AdminServer {
  public:
    using MakeMetrics = std::function<std::string()>;  // called on the admin thread

    /// Serves `GET /healthz` and `GET /metrics`. Errors: one sentence.
    static std::expected<std::unique_ptr<AdminServer>, std::string> start(ip::Endpoint listen,
                                                                          const base::Clock& clock,
                                                                          MakeMetrics make_metrics);
    ~AdminServer();

    const ip::Endpoint& address() const { return address_; }

  private:
    AdminServer(std::unique_ptr<net::Loop> loop, net::Listener listener, MakeMetrics make_metrics);
    net::Task<void> accept_connections();
    net::Task<void> serve(net::Stream client);
    std::string answer(std::string_view method, std::string_view path);

    std::unique_ptr<net::Loop> loop_;
    net::Listener listener_;
    ip::Endpoint address_;
    MakeMetrics make_metrics_;
    net::TaskSet tasks_;
    std::jthread thread_;
};

}  // namespace edgecase::admin
