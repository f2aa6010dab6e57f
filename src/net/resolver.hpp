// Owns name resolution on one loop: c-ares, answers kept for their TTL.
#pragma once

#include <chrono>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "ip/endpoint.hpp"
#include "net/loop.hpp"
#include "net/task.hpp"

struct ares_channeldata;

namespace edgecase::net {

enum class DnsErrorKind : uint8_t {
    nxdomain,
    servfail,
    refused,  // by policy: RCODE 5
    nodata,   // the name exists without an address
    timeout,
    unreachable,  // no server could be asked: nothing listens there
    malformed,
    other,
};

struct DnsError {
    DnsErrorKind kind;
    std::string detail;  // the library's words
    std::string server;  // the one configured; empty: the system's
};

class Resolver {
  public:
    /// `server`: ask this one instead of the system's. `timeout`: for one resolution in all.
    /// Errors: the library's words.
    static std::expected<std::unique_ptr<Resolver>, std::string> create(
        Loop& loop, std::optional<ip::Endpoint> server, std::chrono::milliseconds timeout);
    ~Resolver();

    /// Addresses in the order to try them, at least one. Literal addresses answer themselves; names
    /// of /etc/hosts too. Concurrent questions for one name share an answer.
    Task<std::expected<std::vector<ip::Address>, DnsError>> resolve(std::string name,
                                                                    base::Deadline deadline);

  private:
    using Result = std::expected<std::vector<ip::Address>, DnsError>;
    struct Entry {
        std::string name;
        Resolver* resolver = nullptr;
        bool in_flight = false;
        base::SteadyTime expires{};
        std::optional<Result> result;
        TimerList waiting;
    };
    struct Socket;

    Resolver(Loop& loop, std::string server_text);
    void start(Entry& entry);
    void finish(Entry& entry, int status, void* addresses);
    void watch(int fd, bool wanted);
    void process(int fd);
    void tick();

    Loop& loop_;
    std::string server_text_;
    ares_channeldata* channel_ = nullptr;
    std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;
    std::map<int, std::unique_ptr<Socket>> sockets_;
    struct Tick : Timer {
        explicit Tick(Resolver& r)
            : Timer([](Timer& t) { static_cast<Tick&>(t).resolver.tick(); }), resolver(r) {}
        Resolver& resolver;
    };
    Tick tick_;
    size_t in_flight_ = 0;
};

}  // namespace edgecase::net
