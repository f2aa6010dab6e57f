// Owns all that one thread of the edge works with; nothing of it is shared.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "edge/buffers.hpp"
#include "edge/counters.hpp"
#include "edge/link_memory.hpp"
#include "mux/connection.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "net/resolver.hpp"
#include "net/task_set.hpp"
#include "origin/balancer.hpp"
#include "origin/health_board.hpp"
#include "origin/origin.hpp"
#include "origin/switch_board.hpp"
#include "record/ray_id.hpp"
#include "record/sink.hpp"
#include "tls/client_context.hpp"
#include "tls/server_context.hpp"

namespace edgecase::edge {

class Session;

struct WorkerOptions {
    unsigned index = 0;
    unsigned node_id = 0;
    std::string loop_token;                           // this edge's CDN-Loop member
    std::shared_ptr<origin::HealthBoard> health{};    // shared by all workers; null: one of its own
    std::shared_ptr<origin::SwitchBoard> switches{};  // shared too; null: none
};

class Worker {
  public:
    Worker(const config::Settings& settings, std::unique_ptr<net::Loop> loop,
           std::unique_ptr<net::Resolver> resolver, std::unique_ptr<record::Sink> sink,
           WorkerOptions options, std::shared_ptr<tls::ServerContext> tls_clients,
           std::shared_ptr<tls::ClientContext> tls_origins);
    ~Worker();

    /// Accepts until drain(); runs on the calling thread until everything is done.
    /// `secure` speak TLS if there are certificates, `plain` never do.
    void run(std::vector<net::Listener> secure, std::vector<net::Listener> plain);
    /// From any thread: no new connections, idle ones are closed, running requests get until the
    /// drain deadline; then run() returns.
    void drain();
    /// From any thread: another worker has taken over. No new connections; requests that run may
    /// take their time, and idle connections get the drain time to be used once more; then run()
    /// returns.
    void retire();

    const config::Settings& settings() const { return settings_; }
    net::Loop& loop() { return *loop_; }
    record::Sink& sink() { return *sink_; }
    Counters& counters() { return *counters_; }
    /// Outlives the worker: what it counted stays counted.
    std::shared_ptr<const Counters> shared_counters() const { return counters_; }
    const std::string& loop_token() const { return options_.loop_token; }
    /// No request is to follow on a connection; each response says so.
    bool draining() const {
        return draining_ || (options_.switches != nullptr &&
                             options_.switches->draining.load(std::memory_order_relaxed));
    }
    /// The drain time runs: connections are closed without having said so.
    bool ending() const { return ending_; }

    const ip::Endpoint& listen_address() const { return listen_address_; }

    record::RayId make_ray(base::WallTime now) { return rays_.make(now); }
    /// A new one, for a request that came with none.
    record::Trace make_trace() { return {trace_numbers_(), trace_numbers_(), 0}; }
    origin::Upstream& upstream_of_route(size_t route) {
        return *upstreams_[settings_.routes[route].pool];
    }

    /// Null: `listen` speaks plain HTTP.
    tls::ServerContext* tls() { return tls_clients_.get(); }
    void spawn_stream(net::Task<void> stream) { streams_.spawn(std::move(stream)); }

    /// Keeps an HTTP/2 connection of a client known and counted, so that a drain reaches it.
    class Http2Place {
      public:
        Http2Place(Worker& worker, mux::Connection& connection)
            : worker_(worker), connection_(connection) {
            worker_.http2_connections_.push_back(&connection);
            worker_.counters().connections_open.add();
        }
        Http2Place(const Http2Place&) = delete;
        Http2Place& operator=(const Http2Place&) = delete;
        ~Http2Place() {
            std::erase(worker_.http2_connections_, &connection_);
            worker_.counters().connections_open.subtract();
        }

      private:
        Worker& worker_;
        mux::Connection& connection_;
    };

    LinkMemory& links() { return links_; }

    std::unique_ptr<Buffers> take_buffers();
    void give_back(std::unique_ptr<Buffers> buffers);

    /// Room for one read or write that is used up before the next co_await.
    std::span<char> scratch() { return {scratch_.get(), kScratchBytes}; }
    static constexpr size_t kScratchBytes = 512 * 1024;

    /// The Date field's value, made once a second.
    std::string_view http_date();

  private:
    friend class Session;
    origin::Surroundings surroundings();
    net::Task<void> accept_connections(net::Listener& listener, bool secure);
    net::Task<void> flush_records();
    net::Task<void> end_after_drain();
    net::Task<void> end_after_retirement();
    void begin_drain();
    void begin_retirement();
    void stop_accepting();
    void end_idle_sessions();
    void make_upstreams();
    void start_health_checks();

    const config::Settings& settings_;
    std::unique_ptr<net::Loop> loop_;
    std::unique_ptr<net::Resolver> resolver_;
    std::unique_ptr<record::Sink> sink_;
    WorkerOptions options_;
    record::RayIdMaker rays_;
    std::mt19937_64 trace_numbers_;
    std::vector<std::unique_ptr<origin::Origin>> origins_;      // equal URLs share one
    std::vector<std::unique_ptr<origin::Upstream>> upstreams_;  // by pool; null: no route uses it
    std::vector<std::unique_ptr<Buffers>> spare_buffers_;
    LinkMemory links_;
    std::unique_ptr<char[]> scratch_;
    std::shared_ptr<Counters> counters_ = std::make_shared<Counters>();
    std::vector<std::unique_ptr<net::Listener>> listeners_;
    std::vector<mux::Connection*> http2_connections_;
    ip::Endpoint listen_address_;
    Session* first_session_ = nullptr;
    size_t connection_limit_;
    std::shared_ptr<tls::ServerContext> tls_clients_;
    std::shared_ptr<tls::ClientContext> tls_origins_;
    bool draining_ = false;  // also when retiring
    bool ending_ = false;    // the drain time runs
    time_t date_second_ = 0;
    std::string date_;
    net::TaskSet housekeeping_;
    net::TaskSet streams_;
    net::TaskSet sessions_;  // last: its tasks use everything above
};

}  // namespace edgecase::edge
