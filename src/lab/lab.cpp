#include "lab/lab.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "lab/dns_server.hpp"
#include "lab/session.hpp"

namespace edgecase::lab {
namespace {

constexpr int kBacklog = 128;
constexpr int kAcceptPauseMs = 100;

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

const ip::Endpoint& Ports::origin(Target target) const {
    switch (target) {
        case Target::reuse:
            return reuse;
        case Target::closed:
            return closed;
        case Target::full_queue:
            return full_queue;
        case Target::main:
        case Target::dns:
        case Target::resolver_down:
        case Target::network:
        case Target::edge_setting:
            return main;
    }
    return main;
}

const ip::Endpoint* Ports::resolver(Target target) const {
    if (target == Target::dns) return &dns;
    if (target == Target::resolver_down) return &resolver_down;
    return nullptr;
}

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

    auto main = bind_socket(Transport::tcp, listen);
    if (!main) return std::unexpected(main.error());
    main_ = std::move(*main);
    if (auto listening = listen_on(main_, kBacklog); !listening) return listening;

    auto reuse = bind_socket(Transport::tcp, beside(listen, 1), true);
    if (!reuse) return std::unexpected(reuse.error());
    reuse_ = std::move(*reuse);
    if (auto listening = listen_on(reuse_, kBacklog); !listening) return listening;

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

    ports_ = {.main = local_endpoint(main_),
              .reuse = local_endpoint(reuse_),
              .closed = local_endpoint(closed_),
              .full_queue = full_queue_.endpoint(),
              .dns = local_endpoint(dns_),
              .resolver_down = local_endpoint(resolver_down_)};
    return {};
}

void Lab::accept_connections() {
    while (true) {
        free_slots_.acquire();
        Socket accepted;
        bool keep_alive = false;
        while (!accepted.is_open()) {
            std::array<pollfd, 3> polled{pollfd{stop_event_.descriptor(), POLLIN, 0},
                                         pollfd{main_.descriptor(), POLLIN, 0},
                                         pollfd{reuse_.descriptor(), POLLIN, 0}};
            if (is_stopping_ ||
                (poll(polled.data(), polled.size(), -1) > 0 && polled[0].revents != 0)) {
                return;
            }
            keep_alive = polled[1].revents == 0;
            const Socket& listener = keep_alive ? reuse_ : main_;
            accepted = Socket(accept4(listener.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
            // Out of descriptors the client stays in the queue, and poll() would not wait.
            if (!accepted.is_open()) poll(polled.data(), 1, kAcceptPauseMs);
        }
        begin_session(std::move(accepted), keep_alive);
    }
}

void Lab::begin_session(Socket socket, bool keep_alive) {
    // The semaphore was taken, so a slot is free; its last thread has nothing left to do.
    Slot& slot = *std::ranges::find_if(slots_, [](const Slot& s) { return !s.is_busy; });
    slot.is_busy = true;
    slot.thread = std::jthread([this, &slot, keep_alive, owned = std::move(socket)]() mutable {
        Connection connection(std::move(owned), stop_event_.descriptor());
        serve_connection(connection, keep_alive, ports_);
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
