// A bare TCP relay, one origin connection per client: the least a proxy on this kernel can cost.
#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "loopback.hpp"

namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;  // shared; smaller ones lose at 1 MiB
constexpr int kMaxEvents = 256;

struct Pair;

// One socket of a pair, with the bytes that wait to be sent on it.
struct Side {
    Pair* pair = nullptr;
    Side* other = nullptr;
    int fd = -1;
    std::vector<char> unsent;
    std::size_t unsent_at = 0;
    bool ended = false;  // its sender has sent FIN
    bool shut = false;   // FIN was sent on it
    bool connecting = false;
    std::uint32_t watched = 0;

    [[nodiscard]] bool drained() const { return unsent_at == unsent.size(); }
};

struct Pair {
    Side client;
    Side origin;
    bool over = false;
};

class Relay {
  public:
    Relay(int listener, sockaddr_in origin, std::string congestion)
        : listener_(listener),
          origin_(origin),
          congestion_(std::move(congestion)),
          epoll_(epoll_create1(EPOLL_CLOEXEC)),
          buffer_(kBufferBytes) {
        if (epoll_ < 0) bench::give_up("bench_relay", "epoll_create1", errno);
        bench::watch(epoll_, EPOLL_CTL_ADD, listener_, EPOLLIN, nullptr);
    }

    [[noreturn]] void run() {
        std::array<epoll_event, kMaxEvents> events{};
        for (;;) {
            const int ready = epoll_wait(epoll_, events.data(), kMaxEvents, -1);
            for (int i = 0; i < ready; ++i) {
                const epoll_event& event = events[static_cast<std::size_t>(i)];
                auto* side = static_cast<Side*>(event.data.ptr);
                if (side == nullptr) {
                    accept_all();
                } else if (!side->pair->over && !on_event(*side, event.events)) {
                    finish(*side->pair);
                }
            }
            // An event later in the batch may still point at a side, so pairs die after it.
            finished_.clear();
        }
    }

  private:
    void accept_all() {
        for (;;) {
            const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) return;
            bench::set_no_delay(fd);
            const int to_origin = bench::tcp_socket(congestion_);
            const bool open = to_origin >= 0;
            if (!open || (connect(to_origin, reinterpret_cast<const sockaddr*>(&origin_),
                                  sizeof origin_) != 0 &&
                          errno != EINPROGRESS)) {
                if (open) close(to_origin);
                close(fd);
                continue;
            }
            auto* pair = new Pair;
            pair->client = {.pair = pair, .other = &pair->origin, .fd = fd, .unsent = {}};
            pair->origin = {.pair = pair,
                            .other = &pair->client,
                            .fd = to_origin,
                            .unsent = {},
                            .connecting = true};
            rewatch(pair->client, EPOLL_CTL_ADD);
            rewatch(pair->origin, EPOLL_CTL_ADD);
        }
    }

    // False when the pair is over.
    bool on_event(Side& side, std::uint32_t events) {
        if ((events & EPOLLERR) != 0) return false;
        if ((events & EPOLLHUP) != 0 && side.ended) return false;
        if ((events & EPOLLOUT) != 0) {
            side.connecting = false;
            if (!flush(side)) return false;
        }
        if ((events & (EPOLLIN | EPOLLHUP)) != 0 && may_read(side) && !forward(side)) return false;
        rewatch(side, EPOLL_CTL_MOD);
        rewatch(*side.other, EPOLL_CTL_MOD);
        return !(side.shut && side.other->shut);
    }

    static bool may_read(const Side& side) {
        return !side.ended && side.other->drained() && !side.other->connecting;
    }

    bool forward(Side& from) {
        Side& to = *from.other;
        const ssize_t got = recv(from.fd, buffer_.data(), buffer_.size(), 0);
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        if (got == 0) {
            from.ended = true;
            return flush(to);
        }
        const auto size = static_cast<std::size_t>(got);
        const ssize_t sent = send(to.fd, buffer_.data(), size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
        const std::size_t done = sent < 0 ? 0 : static_cast<std::size_t>(sent);
        if (done < size) {
            to.unsent.assign(buffer_.data() + done, buffer_.data() + size);
            to.unsent_at = 0;
        }
        return true;
    }

    static bool flush(Side& to) {
        if (!to.drained()) {
            const ssize_t sent = send(to.fd, to.unsent.data() + to.unsent_at,
                                      to.unsent.size() - to.unsent_at, MSG_NOSIGNAL);
            if (sent < 0) return errno == EAGAIN || errno == EINTR;
            to.unsent_at += static_cast<std::size_t>(sent);
        }
        if (to.drained() && to.other->ended && !to.shut) {
            shutdown(to.fd, SHUT_WR);
            to.shut = true;
        }
        return true;
    }

    void rewatch(Side& side, int operation) {
        const bool write = side.connecting || !side.drained();
        const std::uint32_t wanted =
            (may_read(side) ? std::uint32_t{EPOLLIN} : 0U) | (write ? std::uint32_t{EPOLLOUT} : 0U);
        if (operation == EPOLL_CTL_MOD && wanted == side.watched) return;
        side.watched = wanted;
        bench::watch(epoll_, operation, side.fd, wanted, &side);
    }

    void finish(Pair& pair) {
        pair.over = true;
        close(pair.client.fd);
        close(pair.origin.fd);
        finished_.emplace_back(&pair);
    }

    int listener_;
    sockaddr_in origin_;
    std::string congestion_;
    int epoll_;
    std::vector<char> buffer_;
    std::vector<std::unique_ptr<Pair>> finished_;
};

}  // namespace

int main(int argc, char** argv) {
    std::string listen_at = "127.0.0.1:0";
    std::string origin_at;
    std::string congestion = "reno";
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        if (name == "--listen") listen_at = argv[i + 1];
        if (name == "--origin") origin_at = argv[i + 1];
        if (name == "--congestion") congestion = argv[i + 1];
    }
    const auto address = bench::parse_endpoint(listen_at);
    const auto origin = bench::parse_endpoint(origin_at);
    if (argc % 2 == 0 || !address || !origin) {
        bench::give_up("bench_relay",
                       "usage: bench_relay --origin HOST:PORT [--listen HOST:PORT] "
                       "[--congestion NAME]");
    }
    Relay(bench::listen_and_announce("bench_relay", *address, congestion), *origin, congestion)
        .run();
}
