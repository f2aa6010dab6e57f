// Owns what the admin listener answers: one table of routes, without sockets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admin/findings_cache.hpp"
#include "admin/guard.hpp"
#include "admin/message.hpp"
#include "admin/origins_api.hpp"
#include "admin/tail_hub.hpp"

namespace edgecase::admin {

/// What the edge says of itself.
struct EdgeStatus {
    std::string version;
    std::string colo;
    base::WallTime started;
    std::string profile;
    std::vector<std::string> profiles;
    bool draining = false;
    uint64_t records_written = 0;
    uint64_t cases_written = 0;
    uint64_t records_dropped = 0;
    std::string recorded;  // `all`, `failures` or `off`
    std::string store;     // `sqlite`
    std::chrono::hours retention{0};
};

/// What the listener speaks for; called on its threads.
struct Backend {
    std::function<std::string()> metrics;
    std::function<std::vector<OriginState>()> origins;
    /// False: no such origin.
    std::function<bool(const Http2Order&)> switch_http2;
    std::function<EdgeStatus()> status;
    std::function<void(bool)> drain;
    /// Errors: why it stays as it is.
    std::function<std::expected<void, std::string>(const std::string&)> set_profile;
    OpenSource open_source;
    std::shared_ptr<TailHub> tail;
    std::string node{};  // this edge, in a ledger of many; empty: the records are its own
};

/// What one route demands and is.
struct Route {
    std::string_view method;
    std::string_view path;  // a last segment in braces stands for any text
    bool open = false;      // answered without a token
    bool quick = false;     // never touches the store: it may not wait behind what does
};
std::span<const Route> routes();

class Router {
  public:
    Router(Backend backend, std::string token);

    /// Whether the answer may take a while.
    bool is_quick(const Request& request) const;
    /// For one thread at a time, but for what is quick.
    Response answer(const Request& request);
    /// Of `GET /api/tail`, once answer() has given 200.
    std::shared_ptr<TailHub::Watcher> watch(const Request& request);
    static bool is_tail(const Request& request);

  private:
    Response dispatch(const Request& request, std::string_view path, std::string_view last);
    Response with_source(const std::function<Response(record::Source&)>& ask);
    Response status(const Request& request);
    Response origins();
    Response put_http2(const Request& request);
    Response switches();
    Response put_switches(const Request& request);
    Response log_in(const Request& request);

    Backend backend_;
    Guard guard_;
    FindingsCache findings_;
    std::unique_ptr<record::Source> source_;  // opened when first asked for
};

}  // namespace edgecase::admin
