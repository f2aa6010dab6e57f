#include "edge/server.hpp"

#include <random>
#include <span>

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
        case net::ErrorKind::layer:
        case net::ErrorKind::invalid:
        case net::ErrorKind::other:
            break;
    }
    return where + error.name();
}

using TlsOfClients = std::shared_ptr<tls::ServerContext>;

std::expected<TlsOfClients, std::string> clients_tls(const config::Settings& settings) {
    if (settings.certificates.empty()) return TlsOfClients();
    std::vector<tls::ServerCertificate> certificates;
    for (const config::Certificate& one : settings.certificates) {
        certificates.push_back({one.certificate_file, one.key_file});
    }
    return tls::ServerContext::create(certificates, true);
}

std::expected<std::shared_ptr<tls::ClientContext>, std::string> origins_tls(
    const config::Settings& settings) {
    const config::OriginTls& wanted = settings.origin_tls;
    return tls::ClientContext::create({.verify = wanted.mode == config::SslMode::strict,
                                       .ca_file = wanted.ca_file,
                                       .certificate_file = wanted.certificate_file,
                                       .key_file = wanted.key_file});
}

/// SO_REUSEPORT would let us share a port with another process of ours without a word.
std::optional<std::string> taken(const ip::Endpoint& at, const base::Clock& clock) {
    auto loop = net::Loop::create(clock);
    if (!loop) return "cannot make an event loop: " + loop.error().name();
    const auto probe = net::Listener::listen(**loop, at, false);
    if (!probe) return listen_error(at, probe.error());
    return std::nullopt;
}

using Listeners = std::vector<net::Listener>;

}  // namespace

/// One address that clients come to. Each of its sockets has a queue of connections of its own; a
/// server that takes over takes all of them, so that no connection in a queue is lost.
struct Server::Door {
    ip::Endpoint wanted;
    ip::Endpoint actual;
    std::vector<int> sockets;  // borrowed from the workers' listeners

    /// The listeners of each worker. `before`: the door of the server to take over from.
    static std::expected<std::vector<Listeners>, std::string> open(
        Door& door, std::span<net::Loop* const> loops, const base::Clock& clock,
        const Door* before) {
        std::vector<Listeners> by_worker(loops.size());
        const bool takes_over = before != nullptr && before->wanted == door.wanted;
        door.actual = takes_over ? before->actual : door.wanted;
        if (!takes_over) {
            if (auto problem = taken(door.wanted, clock)) return std::unexpected(*problem);
        }
        const auto add =
            [&](size_t worker,
                std::expected<net::Listener, net::Error> listener) -> std::optional<std::string> {
            if (!listener) return listen_error(door.actual, listener.error());
            door.actual = listener->local();  // port 0 is the same port for all workers
            door.sockets.push_back(listener->fd());
            by_worker[worker].push_back(std::move(*listener));
            return std::nullopt;
        };
        const size_t old_sockets = takes_over ? before->sockets.size() : 0;
        for (size_t i = 0; i < old_sockets; ++i) {
            const size_t worker = i % loops.size();
            if (auto problem =
                    add(worker, net::Listener::share(*loops[worker], before->sockets[i])))
                return std::unexpected(*problem);
        }
        for (size_t worker = old_sockets; worker < loops.size(); ++worker) {
            if (auto problem =
                    add(worker, net::Listener::listen(*loops[worker], door.actual, true))) {
                return std::unexpected(*problem);
            }
        }
        return by_worker;
    }
};

std::expected<std::unique_ptr<Server>, std::string> Server::start(const config::Settings& settings,
                                                                  const base::Clock& clock,
                                                                  const MakeSink& make_sink,
                                                                  const SharedSwitches& switches,
                                                                  const Server* before) {
    std::random_device random;
    std::unique_ptr<Server> server(new Server());
    server->node_id_ = before != nullptr && !settings.node_id
                           ? before->node_id_
                           : settings.node_id.value_or(random() % record::RayId::kMaximumNodes);
    // Two generations may make Ray IDs at the same time: they count their workers from either end.
    server->counts_down_ = before != nullptr && !before->counts_down_;
    const auto token = base::hex16(uint64_t{random()} << 32 | random());
    const std::string loop_token = "edgecase; id=" + std::string(token.data(), token.size());

    const auto tls_clients = clients_tls(settings);
    if (!tls_clients) return std::unexpected(tls_clients.error());
    std::vector<std::unique_ptr<net::Loop>> loops;
    std::vector<net::Loop*> borrowed;
    for (unsigned i = 0; i < settings.workers; ++i) {
        auto loop = net::Loop::create(clock);
        if (!loop) return std::unexpected("cannot make an event loop: " + loop.error().name());
        borrowed.push_back(loop->get());
        loops.push_back(std::move(*loop));
    }
    server->main_ = std::make_unique<Door>(Door{settings.listen, {}, {}});
    auto secure = Door::open(*server->main_, borrowed, clock,
                             before != nullptr ? before->main_.get() : nullptr);
    if (!secure) return std::unexpected(secure.error());
    std::vector<Listeners> plain(settings.workers);
    if (settings.listen_plain) {
        server->plain_ = std::make_unique<Door>(Door{*settings.listen_plain, {}, {}});
        auto opened = Door::open(*server->plain_, borrowed, clock,
                                 before != nullptr ? before->plain_.get() : nullptr);
        if (!opened) return std::unexpected(opened.error());
        plain = std::move(*opened);
    }
    server->health_ = std::make_shared<origin::HealthBoard>(
        settings.pools, before != nullptr ? before->health_.get() : nullptr);
    server->names_ = before != nullptr ? before->names_ : std::make_shared<net::NameMemory>();
    for (unsigned i = 0; i < settings.workers; ++i) {
        auto resolver = net::Resolver::create(*loops[i], {.server = settings.resolver,
                                                          .timeout = settings.timeouts.dns,
                                                          .stale = settings.timeouts.dns_stale,
                                                          .memory = server->names_});
        if (!resolver) return std::unexpected("cannot start the resolver: " + resolver.error());
        // Not shared by threads: each worker remembers the sessions it may resume.
        auto tls_origins = origins_tls(settings);
        if (!tls_origins) return std::unexpected(tls_origins.error());
        const unsigned number = server->counts_down_ ? record::RayId::kMaximumWorkers - 1 - i : i;
        server->workers_.push_back(std::make_unique<Worker>(
            settings, std::move(loops[i]), std::move(*resolver), make_sink(),
            WorkerOptions{number, server->node_id_, loop_token, server->health_, switches},
            *tls_clients, std::move(*tls_origins)));
    }
    for (unsigned i = 0; i < settings.workers; ++i) {
        server->threads_.emplace_back([worker = server->workers_[i].get(),
                                       secure_of_it = std::move((*secure)[i]),
                                       plain_of_it = std::move(plain[i])]() mutable {
            worker->run(std::move(secure_of_it), std::move(plain_of_it));
        });
    }
    return server;
}

Server::~Server() {
    stop();
}

void Server::drain() {
    for (const auto& worker : workers_) worker->drain();
}

void Server::stop() {
    drain();
    threads_.clear();
}

void Server::retire() {
    for (const auto& worker : workers_) worker->retire();
}

void Server::join() {
    threads_.clear();
}

const ip::Endpoint& Server::address() const {
    return main_->actual;
}

std::optional<ip::Endpoint> Server::plain_address() const {
    return plain_ ? std::optional(plain_->actual) : std::nullopt;
}

std::vector<std::shared_ptr<const Counters>> Server::counters() const {
    std::vector<std::shared_ptr<const Counters>> all;
    for (const auto& worker : workers_) all.push_back(worker->shared_counters());
    return all;
}

}  // namespace edgecase::edge
