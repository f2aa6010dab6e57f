// Sockets and the body pattern for the benchmark tools, sharing no code with what they measure.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace bench {

// Prints one line and ends the tool: a benchmark that cannot set itself up has nothing to measure.
[[noreturn]] inline void give_up(std::string_view tool, std::string_view what, int error = 0) {
    std::string line(tool);
    line.append(": ").append(what);
    if (error != 0) line.append(": ").append(std::generic_category().message(error));
    std::fprintf(stderr, "%s\n", line.c_str());
    std::exit(2);
}

template <typename Integer>
std::optional<Integer> parse_integer(std::string_view text) {
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// HOST:PORT with a numeric IPv4 host.
inline std::optional<sockaddr_in> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = parse_integer<std::uint16_t>(text.substr(colon + 1));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    const std::string host(text.substr(0, colon));
    if (!port || inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return std::nullopt;
    address.sin_port = htons(*port);
    return address;
}

// bbr paces even on loopback, which measures the pacing timer instead of the proxy. A kernel that
// lacks the algorithm keeps its default; the load generator reports which one was in force.
inline void set_congestion(int fd, const std::string& algorithm) {
    if (algorithm.empty()) return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, algorithm.data(),
                     static_cast<socklen_t>(algorithm.size()));
}

inline std::string congestion_of(int fd) {
    char name[32]{};
    socklen_t length = sizeof name - 1;
    if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length) != 0) return "unknown";
    return name;
}

inline void set_no_delay(int fd) {
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

inline int tcp_socket(const std::string& algorithm) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fd;
    set_congestion(fd, algorithm);
    set_no_delay(fd);
    return fd;
}

// Listens and prints `ready HOST:PORT`, with the real port when 0 was asked for.
inline int listen_and_announce(std::string_view tool, sockaddr_in address,
                               const std::string& algorithm) {
    const int fd = tcp_socket(algorithm);
    if (fd < 0) give_up(tool, "socket", errno);
    const int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        give_up(tool, "bind", errno);
    }
    if (listen(fd, 4096) != 0) give_up(tool, "listen", errno);
    socklen_t length = sizeof address;
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    char host[INET_ADDRSTRLEN]{};
    inet_ntop(AF_INET, &address.sin_addr, host, sizeof host);
    std::printf("ready %s:%u\n", host, static_cast<unsigned>(ntohs(address.sin_port)));
    std::fflush(stdout);
    return fd;
}

inline void watch(int epoll, int operation, int fd, std::uint32_t events, void* owner) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = owner;
    (void)epoll_ctl(epoll, operation, fd, &event);
}

// Bodies repeat this block, so that the load generator can tell a shifted or mixed-up body.
inline constexpr std::size_t kPatternBytes = std::size_t{1} << 20;

inline std::vector<char> make_pattern() {
    std::vector<char> pattern(kPatternBytes);
    std::uint32_t state = 520;
    for (char& byte : pattern) {
        state = state * 1664525U + 1013904223U;
        byte = static_cast<char>('a' + (state >> 24) % 26);
    }
    return pattern;
}

// The value of Content-Length in a header section, if it has a numeric one.
inline std::optional<std::uint64_t> content_length(std::string_view head) {
    constexpr std::string_view kName = "content-length:";
    for (std::size_t at = head.find('\n'); at != std::string_view::npos; at = head.find('\n', at)) {
        ++at;
        if (head.size() - at < kName.size()) return std::nullopt;
        bool same = true;
        for (std::size_t i = 0; same && i < kName.size(); ++i) {
            const char byte = head[at + i];
            same = (byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte) == kName[i];
        }
        if (!same) continue;
        std::string_view value = head.substr(at + kName.size());
        value = value.substr(0, value.find('\r'));
        while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
        while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
        return parse_integer<std::uint64_t>(value);
    }
    return std::nullopt;
}

}  // namespace bench
