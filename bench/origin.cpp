// A very cheap HTTP/1.1 keep-alive origin: one thread, one epoll, bodies from one shared block.
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "loopback.hpp"

namespace {

constexpr std::size_t kMaxHeadBytes = 64 * 1024;     // no proxy under test sends near as much
constexpr std::uint64_t kMaxBodyBytes = 1ULL << 30;  // /N is for sizes, not for filling disks
constexpr std::size_t kReadBytes = 256 * 1024;       // one read takes a whole POST
constexpr int kMaxEvents = 256;

class Connection {
  public:
    Connection(int epoll, int fd, const std::vector<char>& pattern)
        : epoll_(epoll), fd_(fd), pattern_(pattern) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { close(fd_); }

    // False when the connection is over and the owner should delete it.
    bool on_event(std::uint32_t events, std::vector<char>& buffer) {
        if ((events & EPOLLOUT) != 0 && !flush()) return false;
        if (blocked_) return (events & (EPOLLERR | EPOLLHUP)) == 0;
        if ((events & EPOLLOUT) != 0 && !pending_.empty()) {
            const std::string kept = std::exchange(pending_, {});
            if (!consume(kept)) return false;
        }
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return true;
        const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        if (got == 0) return false;
        const std::string_view fresh(buffer.data(), static_cast<std::size_t>(got));
        if (pending_.empty()) return consume(fresh);
        std::string joined = std::exchange(pending_, {});
        joined.append(fresh);
        return consume(joined);
    }

  private:
    bool consume(std::string_view bytes) {
        while (!bytes.empty()) {
            if (blocked_) {
                pending_.assign(bytes);
                return pending_.size() <= kReadBytes;
            }
            if (request_body_left_ > 0) {
                const std::uint64_t step =
                    std::min<std::uint64_t>(request_body_left_, bytes.size());
                bytes.remove_prefix(static_cast<std::size_t>(step));
                request_body_left_ -= step;
                if (request_body_left_ == 0 && !respond("200 OK", 2)) return false;
                continue;
            }
            const std::size_t end = bytes.find("\r\n\r\n");
            if (end == std::string_view::npos) {
                pending_.assign(bytes);
                return pending_.size() <= kMaxHeadBytes;
            }
            if (!start_request(bytes.substr(0, end + 2))) return false;
            bytes.remove_prefix(end + 4);
        }
        return true;
    }

    bool start_request(std::string_view head) {
        if (head.starts_with("POST ")) {
            const auto length = bench::content_length(head);
            if (!length) {
                // Without a length the next request cannot be found; every proxy here sends one.
                (void)respond("411 Length Required", 0);
                return false;
            }
            request_body_left_ = *length;
            return *length > 0 || respond("200 OK", 2);
        }
        if (!head.starts_with("GET ")) return respond("405 Method Not Allowed", 0);
        const std::string_view target = head.substr(4, head.find(' ', 4) - 4);
        const auto bytes = body_bytes(target);
        return bytes ? respond("200 OK", *bytes) : respond("404 Not Found", 0);
    }

    // /N, /Nk or /Nm.
    static std::optional<std::uint64_t> body_bytes(std::string_view target) {
        if (target.size() < 2 || target.front() != '/') return std::nullopt;
        target.remove_prefix(1);
        std::uint64_t unit = 1;
        if (target.back() == 'k') unit = 1024;
        if (target.back() == 'm') unit = 1024 * 1024;
        if (unit != 1) target.remove_suffix(1);
        const auto count = bench::parse_integer<std::uint64_t>(target);
        if (!count || *count > kMaxBodyBytes / unit) return std::nullopt;
        return *count * unit;
    }

    bool respond(const char* status, std::uint64_t body) {
        const int length = std::snprintf(head_.data(), head_.size(),
                                         "HTTP/1.1 %s\r\nServer: bench\r\n"
                                         "Content-Type: text/plain\r\nContent-Length: %llu\r\n\r\n",
                                         status, static_cast<unsigned long long>(body));
        head_left_ = static_cast<std::size_t>(length);
        head_bytes_ = head_left_;
        body_bytes_ = body;
        body_left_ = body;
        return flush();
    }

    bool flush() {
        while (head_left_ + body_left_ > 0) {
            const std::uint64_t at = (body_bytes_ - body_left_) % bench::kPatternBytes;
            const std::uint64_t chunk =
                std::min<std::uint64_t>(body_left_, bench::kPatternBytes - at);
            std::array<iovec, 2> parts{
                iovec{head_.data() + (head_bytes_ - head_left_), head_left_},
                iovec{const_cast<char*>(pattern_.data()) + at, static_cast<std::size_t>(chunk)}};
            msghdr message{};
            message.msg_iov = parts.data();
            message.msg_iovlen = parts.size();
            const ssize_t sent = sendmsg(fd_, &message, MSG_NOSIGNAL);
            if (sent < 0) {
                if (errno == EINTR) continue;
                if (errno != EAGAIN) return false;
                set_blocked(true);
                return true;
            }
            const auto done = static_cast<std::size_t>(sent);
            const std::size_t of_head = std::min(done, head_left_);
            head_left_ -= of_head;
            body_left_ -= done - of_head;
        }
        set_blocked(false);
        return true;
    }

    void set_blocked(bool blocked) {
        if (blocked_ == blocked) return;
        blocked_ = blocked;
        bench::watch(epoll_, EPOLL_CTL_MOD, fd_, blocked ? EPOLLOUT : EPOLLIN, this);
    }

    int epoll_;
    int fd_;
    const std::vector<char>& pattern_;
    std::string pending_;
    std::uint64_t request_body_left_ = 0;
    std::array<char, 192> head_{};
    std::size_t head_bytes_ = 0;
    std::size_t head_left_ = 0;
    std::uint64_t body_bytes_ = 0;
    std::uint64_t body_left_ = 0;
    bool blocked_ = false;
};

void accept_all(int epoll, int listener, const std::vector<char>& pattern) {
    for (;;) {
        const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        bench::set_no_delay(fd);
        bench::watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, new Connection(epoll, fd, pattern));
    }
}

[[noreturn]] void serve(int listener) {
    const std::vector<char> pattern = bench::make_pattern();
    std::vector<char> buffer(kReadBytes);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) bench::give_up("bench_origin", "epoll_create1", errno);
    bench::watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, nullptr);
    std::array<epoll_event, kMaxEvents> events{};
    for (;;) {
        const int ready = epoll_wait(epoll, events.data(), kMaxEvents, -1);
        for (int i = 0; i < ready; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            auto* connection = static_cast<Connection*>(event.data.ptr);
            if (connection == nullptr) {
                accept_all(epoll, listener, pattern);
            } else if (!connection->on_event(event.events, buffer)) {
                delete connection;
            }
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::string listen_at = "127.0.0.1:0";
    std::string congestion = "reno";
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        if (name == "--listen") {
            listen_at = argv[i + 1];
        } else if (name == "--congestion") {
            congestion = argv[i + 1];
        } else {
            argc = 0;
        }
    }
    const auto address = bench::parse_endpoint(listen_at);
    if (argc % 2 == 0 || !address) {
        bench::give_up("bench_origin",
                       "usage: bench_origin [--listen HOST:PORT] [--congestion NAME]");
    }
    serve(bench::listen_and_announce("bench_origin", *address, congestion));
}
