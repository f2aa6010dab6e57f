// Owns one origin as a worker sees it: its address, its connections, and the way to a usable one.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include "base/deadline.hpp"
#include "cause/failure.hpp"
#include "config/settings.hpp"
#include "http/url.hpp"
#include "mux/connection.hpp"
#include "net/resolver.hpp"
#include "net/signal.hpp"
#include "net/task.hpp"
#include "net/task_set.hpp"
#include "origin/connection.hpp"
#include "origin/dialer.hpp"
#include "origin/pool.hpp"
#include "origin/switch_board.hpp"
#include "record/record.hpp"
#include "tls/client_context.hpp"

namespace edgecase::origin {

/// What an attempt asks of its connection.
struct Wish {
    bool fresh = false;                // none that has served before
    bool http1_only = false;           // HTTP/2 has just failed here
    std::vector<ip::Address> avoid{};  // earlier attempts of this request failed on them
    Pool::Look look = Pool::Look::as_heard;
    bool alone = false;  // the connection serves nobody else, also when it is HTTP/2
    base::Deadline deadline = base::Deadline::never();  // besides the timeouts of the settings
};

/// What all origins of a worker share.
struct Surroundings {
    net::Loop& loop;
    net::Resolver& resolver;
    const config::Settings& settings;
    tls::ClientContext* tls;          // null: no origin speaks TLS
    std::span<char> scratch;          // room for one read
    SwitchBoard* switches = nullptr;  // null: there are none
};

/// How many there are, shown as it changes.
class OpenCount {
  public:
    explicit OpenCount(Figures* figures) : figures_(figures) {}
    OpenCount& operator++() { return set(count_ + 1); }
    OpenCount& operator--() { return set(count_ - 1); }
    // NOLINTNEXTLINE(google-explicit-constructor): it is a number
    operator size_t() const { return count_; }

  private:
    OpenCount& set(size_t count) {
        count_ = count;
        if (figures_ != nullptr) figures_->set_active(count);
        return *this;
    }
    size_t count_ = 0;
    Figures* figures_;
};

class Origin {
  public:
    Origin(const Surroundings& surroundings, http::OriginUrl url);
    ~Origin();

    const http::OriginUrl& url() const { return url_; }
    const std::string& url_text() const { return url_text_; }
    const std::string& authority() const { return authority_; }
    Pool& pool() { return pool_; }
    bool speaks_tls() const { return speaks_tls_; }

    /// A connection that is there already, or one more stream of it, begun anew for one request.
    std::optional<Connection> take_existing(const Wish& wish);

    /// Resolves, connects and shakes hands. Fills the attempt's addresses and durations. `others`:
    /// gets an attempt for each other address that was begun with.
    /// Errors: dns.*, connect.* and tls.* failures, and edge.egress_unavailable.
    net::Task<std::expected<Connection, cause::Failure>> connect(
        record::Attempt& attempt, Wish wish, std::vector<record::Attempt>& others);
    /// Connections and streams in use, those being made included.
    size_t open() const { return open_; }

    /// How many addresses the last resolution gave.
    size_t address_count() const { return address_count_; }

    /// A connection after a complete exchange; `reusable` decides between pool and close.
    void give_back(Connection connection, bool reusable);

    /// HTTP/2 has failed in a way that HTTP/1.1 may cure: new connections do without for a while.
    void distrust_http2();

    /// No connection is kept or made any more.
    void close();

  private:
    struct Shared;      // an HTTP/2 connection, shared by its streams
    struct Connecting;  // counts itself

    net::Task<std::expected<Connection, cause::Failure>> secure(net::Stream stream,
                                                                record::Attempt& attempt,
                                                                Wish wish);
    std::optional<Connection> open_stream(Shared& shared);
    std::optional<Connection> open_shared_stream();
    net::Task<std::optional<Connection>> await_shared(const Wish& wish);
    net::Task<void> serve(Shared& shared);
    void follow_switch();
    bool http2_allowed() const;
    std::string_view tls_name() const;

    Surroundings around_;
    http::OriginUrl url_;
    std::string url_text_;
    std::string authority_;
    bool speaks_tls_;
    uint16_t port_;
    Dialer dialer_;
    std::shared_ptr<Figures> figures_;  // null: nobody looks
    Pool pool_;
    std::vector<std::unique_ptr<Shared>> shared_;
    const std::atomic<Http2Switch>* http2_switch_ = nullptr;
    Http2Switch followed_ = Http2Switch::configured;
    base::SteadyTime http2_from_{};  // distrusted until then
    size_t connecting_ = 0;          // connections being made that may become HTTP/2
    uint64_t connects_failed_ = 0;   // of those
    net::Signal connected_;          // one of them was made, or failed
    bool chose_http1_ = false;       // though HTTP/2 was offered
    size_t address_count_ = 1;
    uint64_t next_id_ = 1;
    OpenCount open_;  // connections and streams handed out, idle ones not counted
    size_t maximum_open_;
    net::TaskSet tasks_;  // last: they use everything above
};

}  // namespace edgecase::origin
