#include "cli/tour_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "h1/body_decoder.hpp"
#include "h1/response_head.hpp"
#include "net/socket_address.hpp"

namespace edgecase::cli {
namespace {

constexpr int kPatienceMs = 30'000;  // beyond every timeout of the demo's edge
constexpr int kLookMs = 100;         // whether it is still wanted

class Socket {
  public:
    explicit Socket(int fd) : fd_(fd) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    int fd() const { return fd_; }

  private:
    int fd_;
};

/// Sends what fits now of the body; stops for good when the edge has closed.
void send_body(int fd, uint64_t& left, bool& sending) {
    static const std::string block(64 * 1024, 'x');
    while (left > 0) {
        const size_t size = std::min<uint64_t>(left, block.size());
        const ssize_t sent = ::send(fd, block.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0) {
            if (sent < 0 && errno != EAGAIN) sending = false;
            return;
        }
        left -= static_cast<uint64_t>(sent);
    }
    sending = false;
}

}  // namespace

std::expected<TourReply, std::string> tour_request(const ip::Endpoint& edge,
                                                   const TourRequest& request) {
    const net::SocketAddress address(edge);
    const Socket socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.fd() < 0 || ::connect(socket.fd(), address.get(), address.size()) != 0) {
        return std::unexpected("cannot reach the edge on " + edge.to_string());
    }
    std::string head = std::string(request.method) + " " + request.path +
                       " HTTP/1.1\r\nHost: " + edge.to_string() +
                       "\r\nUser-Agent: edgecase-demo\r\nConnection: close\r\n";
    if (request.body_bytes > 0) {
        head += "Content-Length: " + std::to_string(request.body_bytes) + "\r\n";
    }
    head += std::string(request.extra_headers) + "\r\n";
    if (::send(socket.fd(), head.data(), head.size(), MSG_NOSIGNAL) < 0) {
        TourReply cut;
        cut.aborted = true;
        return cut;
    }

    TourReply reply;
    h1::ResponseHeadParser parser;
    h1::BodyDecoder body;
    const h1::HeadLimits limits{16'384, 131'072, 1 << 20, 2'000};
    parser.reset(limits, {request.method == "HEAD", false});
    std::string in;
    bool head_done = false;
    uint64_t left = request.body_bytes;
    bool sending = left > 0;
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    const bool is_watched = request.limit.count() > 0 || request.stop != nullptr;
    for (;;) {
        pollfd wait{socket.fd(), static_cast<short>(sending ? POLLIN | POLLOUT : POLLIN), 0};
        const int ready = ::poll(&wait, 1, is_watched ? kLookMs : kPatienceMs);
        const bool over = request.limit.count() > 0 && Clock::now() - begin > request.limit;
        if (over || (request.stop != nullptr && *request.stop)) {
            reply.given_up = true;
            break;
        }
        if (ready < 0 || (ready == 0 && !is_watched)) break;
        if (ready == 0) continue;
        if (sending && (wait.revents & POLLOUT) != 0) send_body(socket.fd(), left, sending);
        if ((wait.revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
        std::array<char, 65536> buffer;
        const ssize_t got = ::recv(socket.fd(), buffer.data(), buffer.size(), 0);
        if (got <= 0) {
            const bool proper = got == 0 && head_done && body.finish();
            reply.aborted = !proper;
            return reply;
        }
        in.append(buffer.data(), static_cast<size_t>(got));
        while (!head_done && parser.parse(in) == h1::Progress::complete) {
            head_done = !parser.head().is_interim();
            if (head_done) {
                reply.status = parser.head().status;
                if (const auto* ray = http::find(parser.head().fields, http::FieldName::cf_ray)) {
                    reply.ray = ray->value.substr(0, 16);
                }
                body.reset(parser.head().framing, limits);
            }
            in.erase(0, parser.head_bytes());
            if (!head_done) parser.reset(limits, {request.method == "HEAD", false});
        }
        while (head_done && !in.empty() && body.state() == h1::BodyDecoder::State::more) {
            in.erase(0, body.next(in).consumed);
        }
        if (head_done && body.state() == h1::BodyDecoder::State::done) return reply;
    }
    reply.aborted = true;
    return reply;
}

}  // namespace edgecase::cli
