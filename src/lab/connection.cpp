#include "lab/connection.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>
#include <utility>

namespace edgecase::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kReadBytes = 16ULL * 1024;
constexpr size_t kRecordHeaderBytes = 5;
constexpr char kHandshakeRecord = 0x16;

bool is_transient() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

bool Connection::wait(short events, milliseconds timeout) {
    std::array<pollfd, 2> polled{pollfd{socket_.descriptor(), events, 0},
                                 pollfd{stop_descriptor_, POLLIN, 0}};
    const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(timeout.count()));
    return ready > 0 && polled[1].revents == 0;
}

bool Connection::is_stopping() const {
    pollfd polled{stop_descriptor_, POLLIN, 0};
    return ::poll(&polled, 1, 0) > 0;
}

bool Connection::wait_readable() {
    return !plain_.empty() || wait(POLLIN, kPatience);
}

bool Connection::start_tls(ssl_ctx_st* context) {
    tls_ = std::make_unique<TlsStream>(context);
    const int yes = 1;  // small frames must not wait for acknowledgements
    setsockopt(socket_.descriptor(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    std::array<char, kReadBytes> buffer;
    while (true) {
        const auto step = tls_->handshake();
        if (!send_raw(tls_->take_output()) || step == TlsStream::Handshake::failed) return false;
        if (step == TlsStream::Handshake::done) {
            has_ended_ = !tls_->open(plain_);  // the first request may have come along
            return true;
        }
        if (!wait(POLLIN, kPatience)) return false;
        const ssize_t got = recv(socket_.descriptor(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got < 0 && is_transient()) continue;
        if (got <= 0) return false;
        tls_->feed({buffer.data(), static_cast<size_t>(got)});
    }
}

bool Connection::skip_hello() {
    std::array<char, kRecordHeaderBytes> header{};
    size_t peeked = 0;
    while (peeked < header.size()) {
        if (!wait_readable()) return false;
        const ssize_t got = recv(socket_.descriptor(), header.data(), header.size(), MSG_PEEK);
        if (got <= 0) return false;
        peeked = static_cast<size_t>(got);
        if (header[0] != kHandshakeRecord) return read_until("\r\n\r\n", kReadBytes).has_value();
    }
    const auto high = static_cast<uint8_t>(header[3]);
    const auto low = static_cast<uint8_t>(header[4]);
    return skip(kRecordHeaderBytes + high * size_t{256} + low);
}

bool Connection::receive(std::string& into, milliseconds timeout) {
    const size_t before = into.size();
    into += std::exchange(plain_, {});
    const bool has_some = into.size() > before;
    std::array<char, kReadBytes> buffer;
    if (has_ended_ || !wait(POLLIN, has_some ? milliseconds(0) : timeout)) {
        has_ended_ = has_ended_ || is_stopping();
        return has_some;
    }
    const ssize_t got = recv(socket_.descriptor(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && is_transient()) return has_some;
    if (got <= 0) {
        has_ended_ = true;
    } else if (tls_) {
        tls_->feed({buffer.data(), static_cast<size_t>(got)});
        has_ended_ = !tls_->open(into);
        send_raw(tls_->take_output());
    } else {
        into.append(buffer.data(), static_cast<size_t>(got));
    }
    return into.size() > before;
}

std::optional<std::string> Connection::read_until_in_tls(std::string_view end, size_t max_bytes) {
    std::string taken;
    while (taken.size() < max_bytes) {
        if (const size_t found = taken.find(end); found != std::string::npos) {
            plain_ = taken.substr(found + end.size());
            taken.resize(found + end.size());
            return taken;
        }
        if (has_ended_ || !wait_readable()) return std::nullopt;
        receive(taken, milliseconds(0));
    }
    return std::nullopt;
}

std::optional<std::string> Connection::read_until(std::string_view end, size_t max_bytes) {
    if (tls_) return read_until_in_tls(end, max_bytes);
    std::string taken;
    std::array<char, kReadBytes> buffer;
    while (taken.size() < max_bytes) {
        if (!wait_readable()) return std::nullopt;
        const ssize_t peeked =
            recv(socket_.descriptor(), buffer.data(), buffer.size(), MSG_PEEK | MSG_DONTWAIT);
        if (peeked < 0 && is_transient()) continue;
        if (peeked <= 0) return std::nullopt;
        const size_t before = taken.size();
        taken.append(buffer.data(), static_cast<size_t>(peeked));
        const size_t overlap = std::min(before, end.size() - 1);
        const size_t found = taken.find(end, before - overlap);
        if (found != std::string::npos) taken.resize(found + end.size());
        const size_t consumed = taken.size() - before;
        if (recv(socket_.descriptor(), buffer.data(), consumed, 0) < 0) return std::nullopt;
        if (found != std::string::npos) return taken;
    }
    return std::nullopt;
}

bool Connection::skip(uint64_t bytes) {
    std::array<char, kReadBytes> buffer;
    while (bytes > 0) {
        if (has_ended_ || !wait_readable()) return false;
        if (tls_) {
            std::string taken;
            receive(taken, milliseconds(0));
            const auto skipped = static_cast<size_t>(std::min<uint64_t>(bytes, taken.size()));
            plain_ = taken.substr(skipped);
            bytes -= skipped;
            continue;
        }
        const size_t wanted = static_cast<size_t>(std::min<uint64_t>(bytes, buffer.size()));
        const ssize_t got = recv(socket_.descriptor(), buffer.data(), wanted, MSG_DONTWAIT);
        if (got < 0 && is_transient()) continue;
        if (got <= 0) return false;
        bytes -= static_cast<uint64_t>(got);
    }
    return true;
}

bool Connection::send(std::string_view bytes) {
    return tls_ ? send_raw(tls_->seal(bytes)) : send_raw(bytes);
}

std::string Connection::sealed(std::string_view bytes) {
    return tls_ ? tls_->seal(bytes) : std::string(bytes);
}

bool Connection::send_raw(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent =
            ::send(socket_.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            bytes.remove_prefix(static_cast<size_t>(sent));
        } else if (!is_transient() || !wait(POLLOUT, kPatience)) {
            return false;
        }
    }
    return true;
}

bool Connection::pause(milliseconds duration) {
    const auto until = steady_clock::now() + duration;
    while (true) {
        const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
        if (left.count() <= 0) return true;
        std::array<pollfd, 2> polled{pollfd{socket_.descriptor(), POLLRDHUP, 0},
                                     pollfd{stop_descriptor_, POLLIN, 0}};
        const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(left.count()));
        if (ready > 0 || (ready < 0 && errno != EINTR)) return false;
    }
}

void Connection::wait_acknowledged() {
    const auto until = steady_clock::now() + kPatience;
    int unacknowledged = 0;
    while (ioctl(socket_.descriptor(), SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0 &&
           steady_clock::now() < until) {
        // There is no event for "acknowledged", so the count is polled.
        if (!pause(milliseconds(1))) return;
    }
}

void Connection::half_close() {
    if (tls_) send_raw(tls_->close_notify());
    shutdown(socket_.descriptor(), SHUT_WR);
}

void Connection::finish() {
    if (!is_open()) return;
    half_close();
    std::array<char, kReadBytes> buffer;
    const auto until = steady_clock::now() + kPatience;
    while (steady_clock::now() < until && wait_readable()) {
        const ssize_t got = recv(socket_.descriptor(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got == 0 || (got < 0 && !is_transient())) break;
    }
    close();
}

void Connection::cut() {
    tls_.reset();
    finish();
}

void Connection::reset() {
    if (!is_open()) return;
    wait_acknowledged();
    const linger at_once{1, 0};
    setsockopt(socket_.descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

void Connection::end(Ending ending) {
    switch (ending) {
        case Ending::fin:
            finish();
            break;
        case Ending::rst:
            reset();
            break;
        case Ending::hang:
            pause(kPatience);
            close();
            break;
    }
}

void Connection::shrink_receive_buffer() {
    const int smallest = 1;
    setsockopt(socket_.descriptor(), SOL_SOCKET, SO_RCVBUF, &smallest, sizeof smallest);
    setsockopt(socket_.descriptor(), IPPROTO_TCP, TCP_WINDOW_CLAMP, &smallest, sizeof smallest);
}

}  // namespace edgecase::lab
