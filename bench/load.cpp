// A closed-loop HTTP/1.1 load generator that checks every response; one thread, one epoll.
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>

#include "loopback.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 512 * 1024;
constexpr std::size_t kMaxHeadBytes = 64 * 1024;
constexpr std::uint64_t kMaxErrors = 100;       // beyond it the run has nothing left to say
constexpr std::size_t kMaxSamples = 8'000'000;  // latencies kept, 4 bytes each
constexpr std::size_t kRampWidth = 16;          // connections opened at a time
constexpr int kMaxEvents = 256;

struct Options {
    sockaddr_in target{};
    std::size_t connections = 1;
    std::string path = "/1k";
    std::optional<std::uint64_t> post_bytes;
    std::optional<std::uint64_t> expect_bytes;
    std::uint64_t requests = 0;
    double seconds = 0;
    double deadline_seconds = 120;
    std::string congestion = "reno";
    bool gate = false;
    bool idle = false;
    bool verify = false;
};

constexpr const char* kUsage =
    "usage: bench_load --connect HOST:PORT (--connections N (--requests N | --seconds S) | --idle "
    "N)\n"
    "  [--path /1k] [--post BYTES] [--expect BYTES] [--congestion reno] [--deadline S]\n"
    "  [--verify on]  compare every body byte with the origin's pattern\n"
    "  [--gate on]    print a line when every connection has made one request, start on a line of\n"
    "                 input, and keep the connections until the input ends\n"
    "  --idle N       one request on each of N connections, then hold them until the input ends";

std::optional<Options> parse_options(int argc, char** argv) {
    Options options;
    bool connect = false;
    if (argc % 2 == 0) return std::nullopt;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        const std::string_view value = argv[i + 1];
        const auto number = bench::parse_integer<std::uint64_t>(value);
        if (name == "--connect") {
            const auto target = bench::parse_endpoint(value);
            if (!target) return std::nullopt;
            options.target = *target;
            connect = true;
        } else if (name == "--path") {
            options.path = value;
        } else if (name == "--congestion") {
            options.congestion = value;
        } else if (name == "--gate") {
            options.gate = value == "on";
        } else if (name == "--verify") {
            options.verify = value == "on";
        } else if (name == "--seconds") {
            options.seconds = std::strtod(argv[i + 1], nullptr);
        } else if (name == "--deadline") {
            options.deadline_seconds = std::strtod(argv[i + 1], nullptr);
        } else if (!number) {
            return std::nullopt;
        } else if (name == "--connections" || name == "--idle") {
            options.connections = static_cast<std::size_t>(*number);
            options.idle = options.idle || name == "--idle";
        } else if (name == "--requests") {
            options.requests = *number;
        } else if (name == "--post") {
            options.post_bytes = *number;
        } else if (name == "--expect") {
            options.expect_bytes = *number;
        } else {
            return std::nullopt;
        }
    }
    const bool bounded = options.requests > 0 || options.seconds > 0 || options.idle;
    if (!connect || !bounded || options.connections == 0) return std::nullopt;
    return options;
}

std::string request_bytes(const Options& options) {
    std::string bytes = options.post_bytes ? "POST " : "GET ";
    bytes += options.path + " HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: bench\r\nAccept: */*\r\n";
    if (options.post_bytes) {
        bytes += "Content-Type: application/octet-stream\r\nContent-Length: " +
                 std::to_string(*options.post_bytes) + "\r\n";
    }
    bytes += "\r\n";
    if (options.post_bytes) bytes.append(static_cast<std::size_t>(*options.post_bytes), 'p');
    return bytes;
}

enum class Outcome { kMore, kComplete, kFailed };

// One client connection: at most one request under way.
class Connection {
  public:
    Connection(const Options& options, const std::string& request, const std::vector<char>& pattern)
        : options_(options), request_(request), pattern_(pattern) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
        if (fd_ >= 0) close(fd_);
    }

    bool open(int epoll) {
        if (fd_ >= 0) close(fd_);
        fd_ = bench::tcp_socket(options_.congestion);
        if (fd_ < 0) return false;
        epoll_ = epoll;
        connecting_ = connect(fd_, reinterpret_cast<const sockaddr*>(&options_.target),
                              sizeof options_.target) != 0;
        if (connecting_ && errno != EINPROGRESS) return false;
        writing_ = connecting_;
        bench::watch(epoll_, EPOLL_CTL_ADD, fd_, writing_ ? EPOLLOUT : EPOLLIN, this);
        return true;
    }

    Outcome start() {
        head_.clear();
        in_body_ = false;
        busy_ = true;
        sent_ = 0;
        started_ = Clock::now();
        return connecting_ ? Outcome::kMore : send_rest();
    }

    Outcome on_event(std::uint32_t events, std::vector<char>& buffer) {
        if ((events & EPOLLOUT) != 0) {
            connecting_ = false;
            if (send_rest() == Outcome::kFailed) return Outcome::kFailed;
        }
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return Outcome::kMore;
        const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
        if (got < 0) return errno == EAGAIN || errno == EINTR ? Outcome::kMore : fail_errno("recv");
        if (got == 0) return fail(busy_ ? "closed before the response ended" : "closed while idle");
        if (!busy_) return fail("bytes without a request");
        return consume({buffer.data(), static_cast<std::size_t>(got)});
    }

    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] bool busy() const { return busy_; }
    [[nodiscard]] Clock::time_point started() const { return started_; }
    [[nodiscard]] const std::string& reason() const { return reason_; }

    [[nodiscard]] bool still_open() const {
        char byte = 0;
        return recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
    }

  private:
    Outcome fail(std::string reason) {
        reason_ = std::move(reason);
        return Outcome::kFailed;
    }
    Outcome fail_errno(std::string_view call) {
        return fail(std::string(call) + ": " + std::generic_category().message(errno));
    }

    Outcome send_rest() {
        while (sent_ < request_.size()) {
            const ssize_t sent =
                send(fd_, request_.data() + sent_, request_.size() - sent_, MSG_NOSIGNAL);
            if (sent < 0) {
                if (errno != EAGAIN && errno != EINTR) return fail_errno("send");
                set_writing(true);
                return Outcome::kMore;
            }
            sent_ += static_cast<std::size_t>(sent);
        }
        set_writing(false);
        return Outcome::kMore;
    }

    void set_writing(bool writing) {
        if (writing_ == writing) return;
        writing_ = writing;
        bench::watch(epoll_, EPOLL_CTL_MOD, fd_, writing ? EPOLLIN | EPOLLOUT : EPOLLIN, this);
    }

    Outcome consume(std::string_view bytes) {
        if (!in_body_) {
            std::string joined;
            if (!head_.empty()) {
                joined = std::exchange(head_, {});
                joined.append(bytes);
                bytes = joined;
            }
            const std::size_t end = bytes.find("\r\n\r\n");
            if (end == std::string_view::npos) {
                head_.assign(bytes);
                return head_.size() > kMaxHeadBytes ? fail("response head over 64 KiB")
                                                    : Outcome::kMore;
            }
            if (check_head(bytes.substr(0, end + 2)) == Outcome::kFailed) return Outcome::kFailed;
            return consume_body(bytes.substr(end + 4));
        }
        return consume_body(bytes);
    }

    Outcome check_head(std::string_view head) {
        if (!head.starts_with("HTTP/1.1 200")) {
            return fail("not a 200: " + std::string(head.substr(0, head.find('\r'))));
        }
        const auto length = bench::content_length(head);
        if (!length) return fail("no Content-Length");
        if (options_.expect_bytes && *length != *options_.expect_bytes) {
            return fail("Content-Length " + std::to_string(*length) + ", expected " +
                        std::to_string(*options_.expect_bytes));
        }
        in_body_ = true;
        body_at_ = 0;
        body_left_ = *length;
        return Outcome::kMore;
    }

    Outcome consume_body(std::string_view bytes) {
        if (bytes.size() > body_left_) return fail("bytes after the end of the response");
        if (options_.verify && !matches_pattern(bytes))
            return fail("body differs from the origin's");
        body_at_ += bytes.size();
        body_left_ -= bytes.size();
        if (body_left_ > 0) return Outcome::kMore;
        if (sent_ < request_.size()) return fail("response before the request was sent");
        busy_ = false;
        return Outcome::kComplete;
    }

    [[nodiscard]] bool matches_pattern(std::string_view bytes) const {
        std::uint64_t at = body_at_;
        while (!bytes.empty()) {
            const std::size_t offset = static_cast<std::size_t>(at % bench::kPatternBytes);
            const std::size_t step = std::min(bytes.size(), bench::kPatternBytes - offset);
            if (std::memcmp(bytes.data(), pattern_.data() + offset, step) != 0) return false;
            bytes.remove_prefix(step);
            at += step;
        }
        return true;
    }

    const Options& options_;
    const std::string& request_;
    const std::vector<char>& pattern_;
    int fd_ = -1;
    int epoll_ = -1;
    bool connecting_ = false;
    bool writing_ = false;
    bool busy_ = false;
    bool in_body_ = false;
    std::size_t sent_ = 0;
    std::uint64_t body_at_ = 0;
    std::uint64_t body_left_ = 0;
    Clock::time_point started_;
    std::string head_;
    std::string reason_;
};

class Load {
  public:
    explicit Load(const Options& options)
        : options_(options),
          request_(request_bytes(options)),
          pattern_(bench::make_pattern()),
          epoll_(epoll_create1(EPOLL_CLOEXEC)),
          deadline_(Clock::now() + seconds(options.deadline_seconds)),
          buffer_(kReadBytes) {
        if (epoll_ < 0) bench::give_up("bench_load", "epoll_create1", errno);
    }

    int run() {
        ramp();
        if (options_.idle) return hold_idle();
        if (options_.gate) {
            std::printf("{\"ready\": true, \"connections\": %zu, \"errors\": %llu}\n",
                        connections_.size(), as_printed(errors_));
            std::fflush(stdout);
            if (!wait_for_line()) return 1;
        }
        deadline_ = Clock::now() + seconds(options_.deadline_seconds);
        measure();
        print_result();
        if (options_.gate) wait_for_end();
        return errors_ == 0 ? 0 : 1;
    }

  private:
    static Clock::duration seconds(double count) {
        return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
    }
    static unsigned long long as_printed(std::uint64_t value) { return value; }

    [[nodiscard]] bool out_of_patience() const {
        return errors_ >= kMaxErrors || Clock::now() > deadline_;
    }

    // Opens the connections a few at a time, one request on each, so that neither a listen queue
    // nor the proxy's peak of busy connections decides what is measured afterwards.
    void ramp() {
        connections_.reserve(options_.connections);
        std::size_t done = 0;
        while (done < options_.connections && !out_of_patience()) {
            while (connections_.size() < options_.connections &&
                   connections_.size() - done < kRampWidth) {
                connections_.push_back(std::make_unique<Connection>(options_, request_, pattern_));
                begin(*connections_.back(), true);
            }
            done += poll_once([](Connection&) {});
        }
        if (done < options_.connections) {
            ++errors_;
            if (first_error_.empty()) first_error_ = "not every connection could be opened";
        }
    }

    void measure() {
        samples_.reserve(std::min<std::size_t>(
            kMaxSamples,
            options_.requests > 0 ? static_cast<std::size_t>(options_.requests) : kMaxSamples));
        started_ = Clock::now();
        const auto stop = options_.seconds > 0 ? started_ + seconds(options_.seconds) : deadline_;
        std::uint64_t issued = 0;
        const auto may_issue = [&] {
            return (options_.requests == 0 || issued < options_.requests) && Clock::now() < stop &&
                   errors_ < kMaxErrors;
        };
        for (auto& connection : connections_) {
            if (!may_issue()) break;
            ++issued;
            begin(*connection, false);
        }
        // A failed request stays issued: its connection is reopened and asks again.
        std::uint64_t finished = 0;
        while (finished < issued && !out_of_patience()) {
            finished += poll_once([&](Connection& connection) {
                const auto now = Clock::now();
                record(now - connection.started());
                finished_at_ = now;
                if (!may_issue()) return;
                ++issued;
                begin(connection, false);
            });
        }
        if (finished < issued) {
            errors_ += issued - finished;
            if (first_error_.empty()) first_error_ = "no response before the deadline";
        }
    }

    void begin(Connection& connection, bool open) {
        if (open && !connection.open(epoll_)) {
            note_error("connect: " + std::generic_category().message(errno));
            errors_ += kMaxErrors;  // nothing would ever wake this connection again
            return;
        }
        if (connection.start() == Outcome::kFailed) retry(connection);
    }

    void note_error(const std::string& reason) {
        ++errors_;
        if (first_error_.empty()) first_error_ = reason;
    }

    void retry(Connection& connection) {
        note_error(connection.reason());
        if (errors_ < kMaxErrors) begin(connection, true);
    }

    // Gives the number of responses that completed.
    template <typename OnComplete>
    std::size_t poll_once(OnComplete on_complete) {
        const int ready = epoll_wait(epoll_, events_.data(), kMaxEvents, 1000);
        std::size_t completed = 0;
        for (int i = 0; i < ready; ++i) {
            const epoll_event& event = events_[static_cast<std::size_t>(i)];
            auto& connection = *static_cast<Connection*>(event.data.ptr);
            switch (connection.on_event(event.events, buffer_)) {
                case Outcome::kMore:
                    break;
                case Outcome::kComplete:
                    ++completed;
                    on_complete(connection);
                    break;
                case Outcome::kFailed:
                    retry(connection);
                    break;
            }
        }
        return completed;
    }

    void record(Clock::duration latency) {
        ++requests_;
        if (samples_.size() >= kMaxSamples) return;
        const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(latency).count();
        samples_.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(ns, UINT32_MAX)));
    }

    double percentile_us(double fraction) {
        if (samples_.empty()) return 0;
        const auto rank = static_cast<std::size_t>(fraction * static_cast<double>(samples_.size()));
        const auto at =
            samples_.begin() + static_cast<std::ptrdiff_t>(std::min(rank, samples_.size() - 1));
        std::nth_element(samples_.begin(), at, samples_.end());
        return static_cast<double>(*at) / 1000.0;
    }

    static std::string json_string(std::string_view text) {
        std::string out = "\"";
        for (const char c : text) {
            if (c == '"' || c == '\\') out.push_back('\\');
            out.push_back(c < ' ' || c > '~' ? '?' : c);
        }
        return out + "\"";
    }

    void print_result() {
        const double took = std::chrono::duration<double>(finished_at_ - started_).count();
        std::printf(
            "{\"requests\": %llu, \"errors\": %llu, \"seconds\": %.6f, \"p50_us\": %.1f, "
            "\"p99_us\": %.1f, \"congestion\": %s, \"first_error\": %s}\n",
            as_printed(requests_), as_printed(errors_), requests_ == 0 ? 0.0 : took,
            percentile_us(0.50), percentile_us(0.99),
            json_string(bench::congestion_of(connections_.front()->fd())).c_str(),
            first_error_.empty() ? "null" : json_string(first_error_).c_str());
        std::fflush(stdout);
    }

    int hold_idle() {
        std::printf(
            "{\"ready\": true, \"connections\": %zu, \"errors\": %llu, \"first_error\": %s}\n",
            connections_.size(), as_printed(errors_),
            first_error_.empty() ? "null" : json_string(first_error_).c_str());
        std::fflush(stdout);
        wait_for_end();
        const auto open = std::count_if(connections_.begin(), connections_.end(),
                                        [](const auto& each) { return each->still_open(); });
        std::printf("{\"connections\": %zu, \"still_open\": %td, \"errors\": %llu}\n",
                    connections_.size(), open, as_printed(errors_));
        return errors_ == 0 ? 0 : 1;
    }

    // False when the input ended instead.
    static bool wait_for_line() {
        char byte = 0;
        while (read(STDIN_FILENO, &byte, 1) == 1) {
            if (byte == '\n') return true;
        }
        return false;
    }
    static void wait_for_end() {
        while (wait_for_line()) {
        }
    }

    const Options& options_;
    std::string request_;
    std::vector<char> pattern_;
    int epoll_;
    Clock::time_point deadline_;
    Clock::time_point started_;
    Clock::time_point finished_at_;
    std::vector<char> buffer_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::array<epoll_event, kMaxEvents> events_{};
    std::vector<std::uint32_t> samples_;
    std::uint64_t requests_ = 0;
    std::uint64_t errors_ = 0;
    std::string first_error_;
};

}  // namespace

int main(int argc, char** argv) {
    const auto options = parse_options(argc, argv);
    if (!options) bench::give_up("bench_load", kUsage);
    return Load(*options).run();
}
