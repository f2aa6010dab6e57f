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
    using SharedSwitches = std::shared_ptr<origin::SwitchBoard>;

    /// Binds, starts one thread per worker and accepts. `settings` and `clock` must outlive it;
    /// `settings.workers` is at least 1. `switches`: null for none. `before`: a running server
    /// whose sockets are taken over where the addresses are the same; retire() it afterwards.
    /// Errors: one sentence (the port is taken, a certificate is unreadable, no descriptors).
    static std::expected<std::unique_ptr<Server>, std::string> start(
        const config::Settings& settings, const base::Clock& clock, const MakeSink& make_sink,
        const SharedSwitches& switches = nullptr, const Server* before = nullptr);
    /// Stops accepting, lets running requests end within the drain time, and joins the threads.
    ~Server();

    /// With the real port.
    const ip::Endpoint& address() const;
    /// Of the second listener, which speaks no TLS.
    std::optional<ip::Endpoint> plain_address() const;
    /// They outlive the server.
    std::vector<std::shared_ptr<const Counters>> counters() const;
    /// In its Ray IDs.
    unsigned node_id() const { return node_id_; }
    /// Outlives the server.
    std::shared_ptr<origin::HealthBoard> health() const { return health_; }
    void stop();
    /// The first half of stop(): does not wait.
    void drain();
    /// Another server has taken over: ends by itself when its last connection has.
    void retire();
    /// Waits for that.
    void join();

  private:
    struct Door;
    Server() = default;

    unsigned node_id_ = 0;
    bool counts_down_ = false;
    std::unique_ptr<Door> main_;
    std::unique_ptr<Door> plain_;
    std::shared_ptr<origin::HealthBoard> health_;  // shared by its workers
    std::shared_ptr<net::NameMemory> names_;       // that too, and by the servers that follow
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::jthread> threads_;
};

}  // namespace edgecase::edge
