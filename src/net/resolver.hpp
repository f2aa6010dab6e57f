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
#include "net/name_memory.hpp"
#include "net/signal.hpp"
#include "net/task.hpp"

struct ares_addrinfo;  // NOLINT(readability-identifier-naming): c-ares' name
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

struct ResolverOptions {
    std::optional<ip::Endpoint> server{};      // ask this one instead of the system's
    std::chrono::milliseconds timeout{5'000};  // for one resolution in all
    std::chrono::milliseconds stale{0};        // how long beyond their TTL addresses are of use
    std::shared_ptr<NameMemory> memory{};      // null: what is known ends with this resolver
};

struct Resolution {
    std::vector<ip::Address> addresses;  // in the order to try them, at least one
    /// Why the name resolves no more: then the addresses are the last that it had.
    std::optional<DnsError> stale{};
};

class Resolver {
  public:
    /// Errors: the library's words.
    static std::expected<std::unique_ptr<Resolver>, std::string> create(Loop& loop,
                                                                        ResolverOptions options);
    ~Resolver();

    /// Literal addresses answer themselves; names of /etc/hosts too. Concurrent questions for one
    /// name share an answer. Both families are asked for; once one has addresses, the other is
    /// waited for only a moment. A name that resolved before and no longer does keeps its addresses
    /// for a while, whatever the error.
    Task<std::expected<Resolution, DnsError>> resolve(std::string name, base::Deadline deadline);

  private:
    struct Entry;
    /// The question for one family of a name.
    struct Question {
        Question(Entry& e, int f) : entry(e), family(f) {}
        Entry& entry;
        int family;
        bool in_flight = false;
        std::vector<ip::Address> addresses{};
        base::SteadyTime expires{};
        std::optional<DnsError> failure{};
    };
    struct Entry {
        Entry(Resolver& r, std::string n);
        bool is_asked() const { return in_flight || v4.in_flight || v6.in_flight; }
        std::string name;
        Resolver& resolver;
        Question v6;
        Question v4;
        bool in_flight = false;              // no answer to give yet
        base::SteadyTime expires{};          // then it is asked for again
        std::vector<ip::Address> addresses;  // the last it had
        base::SteadyTime usable_until{};     // those
        std::optional<DnsError> failure;     // of the last questions
        Signal answered;
        struct Settle : Timer {
            explicit Settle(Entry& e)
                : Timer([](Timer& t) {
                      Entry& one = static_cast<Settle&>(t).entry;
                      one.resolver.conclude(one);
                  }),
                  entry(e) {}
            Entry& entry;
        };
        Settle settle;  // the end of the wait for the other family
    };
    struct Socket;

    Resolver(Loop& loop, ResolverOptions options);
    std::expected<ares_channeldata*, std::string> make_channel(const char* lookups);
    Entry& entry_of(const std::string& name);
    bool has_stale(const Entry& entry) const;
    std::expected<Resolution, DnsError> answer(const Entry& entry) const;
    void start(Entry& entry);
    bool ask_hosts_file(Entry& entry);
    void ask(Question& question);
    void finish(Question& question, int status, ares_addrinfo* result);
    void conclude(Entry& entry);
    void take_addresses(Entry& entry);
    void watch(int fd, bool wanted);
    void process(int fd);
    void tick();

    Loop& loop_;
    ResolverOptions options_;
    std::string server_text_;
    ares_channeldata* channel_ = nullptr;     // asks name servers
    ares_channeldata* hosts_file_ = nullptr;  // asks nobody
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
