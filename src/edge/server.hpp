// Owns the edge as a whole: its workers, their threads and their listeners.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "config/settings.hpp"
#include "edge/worker.hpp"
#include "record/sink.hpp"

namespace edgecase::edge {

class Server {
  public:
    using MakeSink = std::function<std::unique_ptr<record::Sink>()>;

    /// Binds, starts one thread per worker and accepts. `settings` and `clock` must outlive it;
    /// `settings.workers` is at least 1. Errors: one sentence (the port is taken, no descriptors).
    static std::expected<std::unique_ptr<Server>, std::string> start(
        const config::Settings& settings, const base::Clock& clock, const MakeSink& make_sink);
    /// Stops accepting, lets running requests end within the drain time, and joins the threads.
    ~Server();

    /// With the real port.
    const ip::Endpoint& address() const { return address_; }
    /// Of the second listener, which speaks no TLS.
    const std::optional<ip::Endpoint>& plain_address() const { return plain_address_; }
    std::vector<const Counters*> counters() const;
    void stop();

  private:
    Server() = default;

    ip::Endpoint address_;
    std::optional<ip::Endpoint> plain_address_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::jthread> threads_;
};

}  // namespace edgecase::edge
