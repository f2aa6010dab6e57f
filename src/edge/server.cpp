#include "edge/server.hpp"

#include <random>

#include "base/hex.hpp"
#include "net/listener.hpp"
#include "net/resolver.hpp"

namespace edgecase::edge {
namespace {

std::string listen_error(const ip::Endpoint& at, const net::Error& error) {
    const std::string where = "cannot listen on " + at.to_string() + ": ";
    switch (error.kind) {
        case net::ErrorKind::address_in_use:
            return where + "the port is in use";
        case net::ErrorKind::address_unavailable:
            return where + "no interface of this machine has that address";
        case net::ErrorKind::prohibited:
            return where + "not permitted (ports below 1024 need the right to)";
        case net::ErrorKind::deadline:
        case net::ErrorKind::cancelled:
        case net::ErrorKind::refused:
        case net::ErrorKind::reset:
        case net::ErrorKind::broken_pipe:
        case net::ErrorKind::timed_out:
        case net::ErrorKind::net_unreachable:
        case net::ErrorKind::host_unreachable:
        case net::ErrorKind::protocol_unreachable:
        case net::ErrorKind::too_many_descriptors:
        case net::ErrorKind::no_buffers:
        case net::ErrorKind::invalid:
        case net::ErrorKind::other:
            break;
    }
    return where + error.name();
}

}  // namespace

std::expected<std::unique_ptr<Server>, std::string> Server::start(const config::Settings& settings,
                                                                  const base::Clock& clock,
                                                                  const MakeSink& make_sink) {
    std::random_device random;
    const unsigned node_id = settings.node_id.value_or(random() % record::RayId::kMaximumNodes);
    const auto token = base::hex16(uint64_t{random()} << 32 | random());
    const std::string loop_token = "edgecase; id=" + std::string(token.data(), token.size());

    std::unique_ptr<Server> server(new Server());
    server->address_ = settings.listen;
    const bool shared = settings.workers > 1;
    if (shared) {
        // SO_REUSEPORT would let us share a port with another process of ours without a word.
        auto loop = net::Loop::create(clock);
        if (!loop) return std::unexpected("cannot make an event loop: " + loop.error().name());
        const auto probe = net::Listener::listen(**loop, settings.listen, false);
        if (!probe) return std::unexpected(listen_error(settings.listen, probe.error()));
    }
    std::vector<net::Listener> listeners;
    for (unsigned i = 0; i < settings.workers; ++i) {
        auto loop = net::Loop::create(clock);
        if (!loop) return std::unexpected("cannot make an event loop: " + loop.error().name());
        auto resolver = net::Resolver::create(**loop, settings.resolver, settings.timeouts.dns);
        if (!resolver) return std::unexpected("cannot start the resolver: " + resolver.error());
        auto listener = net::Listener::listen(**loop, server->address_, shared);
        if (!listener) {
            return std::unexpected(listen_error(server->address_, listener.error()));
        }
        server->address_ = listener->local();  // port 0 is the same port for all workers
        listeners.push_back(std::move(*listener));
        server->workers_.push_back(std::make_unique<Worker>(settings, std::move(*loop),
                                                            std::move(*resolver), make_sink(),
                                                            WorkerOptions{i, node_id, loop_token}));
    }
    for (unsigned i = 0; i < settings.workers; ++i) {
        server->threads_.emplace_back(
            [worker = server->workers_[i].get(), listener = std::move(listeners[i])]() mutable {
                worker->run(std::move(listener));
            });
    }
    return server;
}

Server::~Server() {
    stop();
}

void Server::stop() {
    for (const auto& worker : workers_) worker->drain();
    threads_.clear();
}

std::vector<const Counters*> Server::counters() const {
    std::vector<const Counters*> all;
    for (const auto& worker : workers_) all.push_back(&worker->counters());
    return all;
}

}  // namespace edgecase::edge
