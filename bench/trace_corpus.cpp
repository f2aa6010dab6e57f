// Owns made-up logs with a known truth: what an edge and an origin behind it would have written of
// the same requests, with clocks apart, losses, retries, several workers and rotation.
//
// trace_corpus DIRECTORY [name=value]...; writes edge.ndjson, access.log (access.log.1 ... before
// it, if rotated), error.log and truth.ndjson ({"ray", "kind", "line"}; line null: never arrived).

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <queue>
#include <random>
#include <string>
#include <vector>

namespace {

struct Options {
    double seconds = 60;
    double rate = 2000;
    double skew_ms = 3000;
    double drift_ppm = 20;
    double identical = 0.3;  // of all requests, with one URI
    double failures = 0.01;
    double never = 0.3;  // of the failures, such that never arrive
    double retries = 0.002;
    double gap_from = -1;  // seconds; the origin's lines of then are lost
    double gap_seconds = 0;
    double ray = 1;        // 0: the origin does not log it
    double rotate = 0;     // 1: into three files
    double workers = 4;    // of the origin: lines stand a little out of order
    double edge = 1;       // of the successes, that the edge's log holds (Logpush's sample_rate)
    double users = 300;    // user agents
    double shuffle_s = 0;  // the edge's lines stand out of order by up to so many seconds
    double seed = 1;
    double begin = 1'793'527'200;  // 2026-11-01 10:00:00 UTC
};

bool set(Options& options, std::string_view name, double value) {
    const std::map<std::string_view, double*> all{{"seconds", &options.seconds},
                                                  {"rate", &options.rate},
                                                  {"skew_ms", &options.skew_ms},
                                                  {"drift_ppm", &options.drift_ppm},
                                                  {"identical", &options.identical},
                                                  {"failures", &options.failures},
                                                  {"never", &options.never},
                                                  {"retries", &options.retries},
                                                  {"gap_from", &options.gap_from},
                                                  {"gap_seconds", &options.gap_seconds},
                                                  {"ray", &options.ray},
                                                  {"rotate", &options.rotate},
                                                  {"workers", &options.workers},
                                                  {"users", &options.users},
                                                  {"edge", &options.edge},
                                                  {"shuffle_s", &options.shuffle_s},
                                                  {"seed", &options.seed},
                                                  {"begin", &options.begin}};
    const auto found = all.find(name);
    if (found == all.end()) return false;
    *found->second = value;
    return true;
}

std::string clf(double time) {
    const auto whole = static_cast<time_t>(std::floor(time));
    std::tm parts{};
    gmtime_r(&whole, &parts);
    std::array<char, 64> text{};
    return {text.data(),
            std::strftime(text.data(), text.size(), "%d/%b/%Y:%H:%M:%S +0000", &parts)};
}

std::string error_time(double time) {
    const auto whole = static_cast<time_t>(std::floor(time));
    std::tm parts{};
    gmtime_r(&whole, &parts);
    std::array<char, 64> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y/%m/%d %H:%M:%S", &parts)};
}

struct Line {
    double written;
    uint64_t order;
    std::string text;
    bool operator>(const Line& other) const {
        return written != other.written ? written > other.written : order > other.order;
    }
};

/// Lines in the order they are written, given roughly in the order of their requests.
class LineFile {
  public:
    explicit LineFile(const std::string& path) { open(path); }
    void open(const std::string& path) {
        file_ = std::ofstream(path, std::ios::binary | std::ios::trunc);
    }
    void add(double written, std::string text) {
        waiting_.push({written, order_++, std::move(text)});
    }
    void write_until(double time) {
        while (!waiting_.empty() && waiting_.top().written <= time) {
            file_ << waiting_.top().text << '\n';
            waiting_.pop();
        }
    }
    bool good() { return file_.flush().good(); }

  private:
    std::ofstream file_;
    uint64_t order_ = 0;
    std::priority_queue<Line, std::vector<Line>, std::greater<>> waiting_;
};

enum class Kind { fine, lost, empty, headers, passed_on, slow };

class Corpus {
  public:
    Corpus(const Options& options, const std::string& directory)
        : options_(options),
          directory_(directory),
          random_(static_cast<uint64_t>(options.seed)),
          edge_(directory + "/edge.ndjson"),
          access_(directory + (options.rotate > 0 ? "/access.log.2" : "/access.log")),
          errors_(directory + "/error.log"),
          truth_(directory + "/truth.ndjson") {}

    bool make() {
        double now = 0;
        int part = 0;
        errors_.add(now, error_time(origin_clock(0)) + " [notice] 1#1: start worker processes");
        while (now < options_.seconds) {
            now += std::exponential_distribution<>(options_.rate)(random_);
            request(now);
            // Nothing is written much earlier than a request begins.
            edge_.write_until(now);
            access_.write_until(now);
            if (options_.rotate > 0 && part < 2 && now > options_.seconds * (part + 1) / 3) {
                ++part;
                access_.open(directory_ + "/access.log" + (part == 1 ? ".1" : ""));
            }
        }
        edge_.write_until(1e18);
        access_.write_until(1e18);
        errors_.write_until(1e18);
        return edge_.good() && access_.good() && errors_.good() && truth_.flush().good();
    }

  private:
    double chance() { return std::uniform_real_distribution<>(0, 1)(random_); }
    uint64_t below(double count) {
        return std::uniform_int_distribution<uint64_t>(0,
                                                       static_cast<uint64_t>(count) - 1)(random_);
    }
    double after(double mean) { return std::exponential_distribution<>(1 / mean)(random_); }

    double origin_clock(double time) const {
        return options_.begin + time + options_.skew_ms / 1000 + time * options_.drift_ppm / 1e6;
    }

    Kind choose() {
        if (chance() >= options_.failures) return Kind::fine;
        if (chance() < options_.never) return Kind::lost;
        constexpr std::array kKinds{Kind::empty, Kind::headers, Kind::passed_on, Kind::slow};
        return kKinds[below(kKinds.size())];
    }

    std::string access_line(double end, const std::string& request, int status, uint64_t bytes,
                            const std::string& agent, const std::string& address, uint64_t ray) {
        std::string line = fmt::format("{} - - [{}] \"{}\" {} {} \"-\" \"{}\"", address,
                                       clf(origin_clock(end)), request, status, bytes, agent);
        if (options_.ray > 0) line += fmt::format(" {:016x}-LAB", ray);
        return line;
    }

    void request(double start) {
        const uint64_t ray = 0x0600000000000000u + (++count_ << 20) + below(1 << 20);
        const Kind kind = choose();
        const bool post = chance() < 0.1;
        const std::string method = post ? "POST" : "GET";
        const std::string uri = chance() < options_.identical
                                    ? "/api/items?page=1"
                                    : fmt::format("/p/{}?v={}", below(60'000), below(7));
        const std::string agent = fmt::format("Mozilla/5.0 (X11; Linux x86_64) Test/{}.{}",
                                              below(options_.users), below(1) + 1);
        const std::string address = fmt::format("162.158.{}.{}", below(4), below(20) + 1);
        const std::string client = fmt::format("198.51.{}.{}", below(100), below(200) + 1);
        const double way = 0.002 + after(0.008);
        const double work = kind == Kind::slow ? 5 : 0.002 + after(0.04);
        const double origin_end = start + way + work;
        double end = origin_end + way + after(0.02);
        const auto size =
            static_cast<uint64_t>(std::exp(std::normal_distribution<>(8, 1.2)(random_)));
        int status = chance() < 0.95 ? 200 : chance() < 0.5 ? 404 : 302;
        int edge_status = status;
        int origin_status = status;
        uint64_t edge_bytes = size;
        uint64_t bytes = size;
        if (kind != Kind::fine) {
            edge_bytes = 5600 + below(200);
            edge_status = 520;
            origin_status = 0;
        }
        if (kind == Kind::empty) {
            status = 200;
            bytes = 0;
        } else if (kind == Kind::headers) {
            status = 200;
        } else if (kind == Kind::passed_on) {
            status = edge_status = origin_status = 500;
            edge_bytes = bytes;
        } else if (kind == Kind::slow) {
            edge_status = 524;
            status = 499;
            bytes = 0;
            end = start + 4.99;
        }
        const std::string first_line = fmt::format("{} {} HTTP/1.1", method, uri);
        const std::string line =
            access_line(origin_end, first_line, status, bytes, agent, address, ray);
        const bool in_gap = options_.gap_from >= 0 && origin_end >= options_.gap_from &&
                            origin_end < options_.gap_from + options_.gap_seconds;
        const bool arrives = kind != Kind::lost;
        // Workers write when they come to it.
        const double delay = options_.workers > 1 ? chance() * 0.05 : 0;
        if (arrives && !in_gap) access_.add(origin_end + delay, line);
        if (kind == Kind::fine && chance() < options_.retries && !in_gap) {
            access_.add(start + way,
                        access_line(start + way, first_line, 200, 0, agent, address, ray));
        }
        if (kind == Kind::passed_on) {
            errors_.add(origin_end,
                        fmt::format("{} [error] 7#7: *{} upstream prematurely closed connection "
                                    "while reading response header from upstream, client: {}, "
                                    "server: _, request: \"{}\", upstream: "
                                    "\"http://127.0.0.1:9000{}\", host: \"www.example\"",
                                    error_time(origin_clock(origin_end)), count_, address,
                                    first_line, uri));
        }
        const bool sampled = kind != Kind::fine || options_.edge >= 1 || chance() < options_.edge;
        if (!sampled) return;
        write_edge(start, end, way + work, ray, method, uri, agent, client, address, edge_status,
                   origin_status, edge_bytes);
        if (kind == Kind::fine && options_.ray == 0)
            return tell(ray, "fine", in_gap ? "" : line, in_gap);
        if (kind == Kind::fine) return;
        constexpr std::array<const char*, 6> kNames{"fine",    "lost",      "empty",
                                                    "headers", "passed_on", "slow"};
        tell(ray, kNames[static_cast<size_t>(kind)], arrives && !in_gap ? line : "", in_gap);
    }

    void write_edge(double start, double end, double first_byte, uint64_t ray,
                    const std::string& method, const std::string& uri, const std::string& agent,
                    const std::string& client, const std::string& address, int edge_status,
                    int origin_status, uint64_t bytes) {
        const auto ns = [&](double time) {
            return static_cast<int64_t>(options_.begin) * 1'000'000'000 +
                   static_cast<int64_t>(time * 1e9);
        };
        const bool reused = chance() < 0.9;
        const double delay = options_.shuffle_s > 0 ? chance() * options_.shuffle_s : 0;
        edge_.add(
            end + delay,
            fmt::format(R"({{"RayID":"{:016x}","EdgeStartTimestamp":{},"EdgeEndTimestamp":{},)"
                        R"("ClientIP":"{}","ClientRequestHost":"www.example",)"
                        R"("ClientRequestMethod":"{}","ClientRequestURI":"{}",)"
                        R"("ClientRequestPath":"{}","ClientRequestProtocol":"HTTP/2",)"
                        R"("ClientRequestScheme":"https","ClientRequestUserAgent":"{}",)"
                        R"("ClientRequestSource":"eyeball","CacheCacheStatus":"dynamic",)"
                        R"("EdgeColoCode":"LAB","EdgeResponseStatus":{},"OriginResponseStatus":{},)"
                        R"("EdgeResponseBodyBytes":{},"EdgeResponseBytes":{},)"
                        R"("EdgeServerIP":"{}","OriginIP":"192.0.2.10","ParentRayID":"00",)"
                        R"("EdgeTimeToFirstByteMs":{},"OriginDNSResponseTimeMs":0,)"
                        R"("OriginTCPHandshakeDurationMs":{},"OriginTLSHandshakeDurationMs":{},)"
                        R"("OriginResponseDurationMs":{},"WorkerSubrequest":false}})",
                        ray, ns(start), ns(end), client, method, uri, uri.substr(0, uri.find('?')),
                        agent, edge_status, origin_status, bytes, bytes + 400, address,
                        static_cast<int64_t>(first_byte * 1000), reused ? 0 : 3, reused ? 0 : 6,
                        static_cast<int64_t>(first_byte * 1000)));
    }

    void tell(uint64_t ray, const char* kind, const std::string& line, bool hidden) {
        std::string text;
        for (const char c : line) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        truth_ << fmt::format(R"({{"ray":"{:016x}","kind":"{}","hidden":{},"line":{}}})", ray, kind,
                              hidden, line.empty() ? "null" : "\"" + text + "\"")
               << '\n';
    }

    const Options& options_;
    std::string directory_;
    std::mt19937_64 random_;
    LineFile edge_;
    LineFile access_;
    LineFile errors_;
    std::ofstream truth_;
    uint64_t count_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    Options options;
    if (argc < 2) {
        std::cerr << "usage: trace_corpus DIRECTORY [seconds=60] [rate=2000] [skew_ms=3000] ...\n";
        return 2;
    }
    for (int i = 2; i < argc; ++i) {
        const std::string_view argument = argv[i];
        const size_t equals = argument.find('=');
        if (equals == std::string_view::npos ||
            !set(options, argument.substr(0, equals),
                 std::strtod(argument.substr(equals + 1).data(), nullptr))) {
            std::cerr << "trace_corpus: cannot understand " << argument << '\n';
            return 2;
        }
    }
    return Corpus(options, argv[1]).make() ? 0 : 1;
}
