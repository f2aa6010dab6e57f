#include "lab/lab.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "lab/dns_server.hpp"
#include "lab/scenario.hpp"

namespace edgecase::lab {
namespace {

constexpr int kBacklog = 128;
constexpr int kAcceptPauseMs = 100;
constexpr uint16_t kFirstTlsDistance = 6;

constexpr TlsPort kPlainPort{};
constexpr TlsPort kH2Port{.alpn = Alpn::h2};

ip::Endpoint beside(const ip::Endpoint& main, uint16_t distance) {
    const bool fits = main.port != 0 && main.port <= 65535 - distance;
    return {main.address, fits ? static_cast<uint16_t>(main.port + distance) : uint16_t{0}};
}

/// What `ok.lab.test` resolves to: an address where the main port can be reached.
ip::Address reachable(const ip::Address& listening) {
    if (!listening.is_unspecified()) return listening;
    return ip::Address::parse(listening.is_v4() ? "127.0.0.1" : "::1").value_or(listening);
}

}  // namespace

std::expected<std::unique_ptr<Lab>, std::string> Lab::start(const LabOptions& options) {
    std::unique_ptr<Lab> lab(new Lab);
    if (auto opened = lab->open(options.listen); !opened) return std::unexpected(opened.error());
    Lab* const self = lab.get();
    self->name_server_ = std::jthread([self] {
        serve_dns(self->dns_, self->stop_event_.descriptor(), reachable(self->ports_.main.address));
    });
    self->acceptor_ = std::jthread([self] { self->accept_connections(); });
    return lab;
}

std::expected<void, std::string> Lab::open(const ip::Endpoint& listen) {
    stop_event_ = Socket(eventfd(0, EFD_CLOEXEC));
    if (!stop_event_.is_open()) return std::unexpected("cannot make an event: " + last_error());

    const auto main = add_listener(listen, false, Target::main, nullptr, nullptr);
    if (!main) return std::unexpected(main.error());
    const auto reuse = add_listener(beside(listen, 1), true, Target::reuse, nullptr, nullptr);
    if (!reuse) return std::unexpected(reuse.error());

    auto closed = closed_tcp_port(beside(listen, 2));
    if (!closed) return std::unexpected(closed.error());
    closed_ = std::move(*closed);

    auto full_queue = FullQueue::open(beside(listen, 3));
    if (!full_queue) return std::unexpected(full_queue.error());
    full_queue_ = std::move(*full_queue);

    auto dns = bind_socket(Transport::udp, beside(listen, 4), true);
    if (!dns) return std::unexpected(dns.error());
    dns_ = std::move(*dns);

    auto resolver_down = closed_udp_port(beside(listen, 5));
    if (!resolver_down) return std::unexpected(resolver_down.error());
    resolver_down_ = std::move(*resolver_down);

    ports_.main = *main;
    ports_.reuse = *reuse;
    ports_.closed = local_endpoint(closed_);
    ports_.full_queue = full_queue_.endpoint();
    ports_.dns = local_endpoint(dns_);
    ports_.resolver_down = local_endpoint(resolver_down_);
    return open_tls(listen);
}

std::expected<void, std::string> Lab::open_tls(const ip::Endpoint& listen) {
    certificates_.emplace(listen.address);
    if (auto written = files_.write(*certificates_); !written) return written;
    ports_.files = files_.directory();
    uint16_t distance = kFirstTlsDistance;
    const auto add = [&](Target target, const TlsPort& tls, const Scenario* scenario,
                         ip::Endpoint& into) -> std::expected<void, std::string> {
        const auto at = add_listener(beside(listen, distance++), true, target, &tls, scenario);
        if (!at) return std::unexpected(at.error());
        into = *at;
        return {};
    };
    auto added = add(Target::tls, kPlainPort, nullptr, ports_.tls);
    if (added) added = add(Target::tls_reuse, kPlainPort, nullptr, ports_.tls_reuse);
    if (added) added = add(Target::h2, kH2Port, nullptr, ports_.h2);
    for (const Scenario& scenario : scenarios()) {
        if (!added) break;
        if (scenario.target != Target::own) continue;
        added = add(Target::own, scenario.tls, &scenario, ports_.own[scenario.name]);
    }
    return added;
}

std::expected<ip::Endpoint, std::string> Lab::add_listener(const ip::Endpoint& at, bool fall_back,
                                                           Target target, const TlsPort* tls,
                                                           const Scenario* scenario) {
    auto socket = bind_socket(Transport::tcp, at, fall_back);
    if (!socket) return std::unexpected(socket.error());
    if (auto listening = listen_on(*socket, kBacklog); !listening) {
        return std::unexpected(listening.error());
    }
    TlsContext context;
    if (tls != nullptr && !tls->is_raw) context = tls_context(*tls, *certificates_);
    const ip::Endpoint bound = local_endpoint(*socket);
    const Entrance entrance{target, scenario, context.get()};
    listeners_.push_back({std::move(*socket), std::move(context), entrance});
    return bound;
}

void Lab::accept_connections() {
    std::vector<pollfd> polled{{stop_event_.descriptor(), POLLIN, 0}};
    for (const Listener& listener : listeners_) {
        polled.push_back({listener.socket.descriptor(), POLLIN, 0});
    }
    while (true) {
        free_slots_.acquire();
        Socket accepted;
        const Listener* from = nullptr;
        while (!accepted.is_open()) {
            const bool is_ready = poll(polled.data(), polled.size(), -1) > 0;
            if (is_stopping_ || (is_ready && polled[0].revents != 0)) return;
            const auto ready =
                std::ranges::find_if(polled, [](const pollfd& one) { return one.revents != 0; });
            if (!is_ready || ready == polled.end()) continue;
            from = &listeners_[static_cast<size_t>(ready - polled.begin()) - 1];
            accepted = Socket(accept4(from->socket.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
            // Out of descriptors the client stays in the queue, and poll() would not wait.
            if (!accepted.is_open()) poll(polled.data(), 1, kAcceptPauseMs);
        }
        begin_session(std::move(accepted), from->entrance);
    }
}

void Lab::begin_session(Socket socket, const Entrance& entrance) {
    // The semaphore was taken, so a slot is free; its last thread has nothing left to do.
    Slot& slot = *std::ranges::find_if(slots_, [](const Slot& s) { return !s.is_busy; });
    slot.is_busy = true;
    slot.thread = std::jthread([this, &slot, &entrance, owned = std::move(socket)]() mutable {
        Connection connection(std::move(owned), stop_event_.descriptor());
        serve_connection(connection, entrance, ports_);
        connection.close();
        slot.is_busy = false;
        free_slots_.release();
    });
}

void Lab::stop() {
    if (is_stopping_.exchange(true)) return;
    if (!stop_event_.is_open()) return;
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(stop_event_.descriptor(), &one, sizeof one);
    free_slots_.release();
    if (acceptor_.joinable()) acceptor_.join();
    if (name_server_.joinable()) name_server_.join();
    for (Slot& slot : slots_) {
        if (slot.thread.joinable()) slot.thread.join();
    }
}

}  // namespace edgecase::lab
