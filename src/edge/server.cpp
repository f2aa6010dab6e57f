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
                                       .key_file = wanted.key_file,
                                       .offer_h2 = wanted.http2});
}

/// SO_REUSEPORT would let us share a port with another process of ours without a word.
std::optional<std::string> taken(const ip::Endpoint& at, const base::Clock& clock) {
    auto loop = net::Loop::create(clock);
    if (!loop) return "cannot make an event loop: " + loop.error().name();
    const auto probe = net::Listener::listen(**loop, at, false);
    if (!probe) return listen_error(at, probe.error());
    return std::nullopt;
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
    server->plain_address_ = settings.listen_plain;
    if (shared) {
        if (auto problem = taken(settings.listen, clock)) return std::unexpected(*problem);
        if (settings.listen_plain) {
            if (auto problem = taken(*settings.listen_plain, clock)) {
                return std::unexpected(*problem);
            }
        }
    }
    const auto tls_clients = clients_tls(settings);
    if (!tls_clients) return std::unexpected(tls_clients.error());
    std::vector<net::Listener> listeners;
    std::vector<std::optional<net::Listener>> plain_listeners;
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
        plain_listeners.emplace_back();
        if (server->plain_address_) {
            auto plain = net::Listener::listen(**loop, *server->plain_address_, shared);
            if (!plain) {
                return std::unexpected(listen_error(*server->plain_address_, plain.error()));
            }
            server->plain_address_ = plain->local();
            plain_listeners.back().emplace(std::move(*plain));
        }
        // Not shared by threads: each worker remembers the sessions it may resume.
        auto tls_origins = origins_tls(settings);
        if (!tls_origins) return std::unexpected(tls_origins.error());
        server->workers_.push_back(std::make_unique<Worker>(
            settings, std::move(*loop), std::move(*resolver), make_sink(),
            WorkerOptions{i, node_id, loop_token}, *tls_clients, std::move(*tls_origins)));
    }
    for (unsigned i = 0; i < settings.workers; ++i) {
        server->threads_.emplace_back([worker = server->workers_[i].get(),
                                       listener = std::move(listeners[i]),
                                       plain = std::move(plain_listeners[i])]() mutable {
            worker->run(std::move(listener), std::move(plain));
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
