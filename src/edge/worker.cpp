#include "edge/worker.hpp"

#include <algorithm>
#include <ctime>
#include <functional>

#include "edge/session.hpp"
#include "origin/health_check.hpp"

namespace edgecase::edge {
namespace {

constexpr std::chrono::milliseconds kFlushInterval{200};  // records are readable within a second
constexpr std::chrono::milliseconds kAcceptPause{50};     // after running out of descriptors
constexpr std::chrono::milliseconds kLastWords{250};      // to answer 503 after the drain time
constexpr unsigned kAcceptsPerTurn = 64;                  // then others may run
constexpr size_t kSpareBuffers = 256;                     // kept for the next requests

}  // namespace

Worker::Worker(const config::Settings& settings, std::unique_ptr<net::Loop> loop,
               std::unique_ptr<net::Resolver> resolver, std::unique_ptr<record::Sink> sink,
               WorkerOptions options, std::shared_ptr<tls::ServerContext> tls_clients,
               std::shared_ptr<tls::ClientContext> tls_origins)
    : settings_(settings),
      loop_(std::move(loop)),
      resolver_(std::move(resolver)),
      sink_(std::move(sink)),
      options_(std::move(options)),
      rays_(options_.node_id, options_.index),
      trace_numbers_(std::hash<std::string>()(options_.loop_token) + options_.index),
      scratch_(new char[kScratchBytes]),
      connection_limit_((settings.limits.client_connections + std::max(1u, settings.workers) - 1) /
                        std::max(1u, settings.workers)),
      tls_clients_(std::move(tls_clients)),
      tls_origins_(std::move(tls_origins)) {
    if (options_.health == nullptr) {
        options_.health = std::make_shared<origin::HealthBoard>(settings_.pools);
    }
    make_upstreams();
    if (options_.health->claim_checking()) {
        loop_->post([this] { start_health_checks(); });
    }
}

origin::Surroundings Worker::surroundings() {
    return {*loop_, *resolver_, settings_, tls_origins_.get(), scratch(), options_.switches.get()};
}

void Worker::make_upstreams() {
    const origin::Surroundings around = surroundings();
    const auto origin_of = [&](const config::PoolOrigin& wanted) {
        const auto same = std::ranges::find_if(
            origins_, [&](const auto& origin) { return origin->url() == wanted.url; });
        if (same != origins_.end()) return same->get();
        return origins_.emplace_back(std::make_unique<origin::Origin>(around, wanted.url)).get();
    };
    const uint64_t seed = std::hash<std::string>()(options_.loop_token) + options_.index;
    upstreams_.resize(settings_.pools.size());
    for (const config::Route& route : settings_.routes) {
        if (upstreams_[route.pool] != nullptr) continue;
        const config::Pool& pool = settings_.pools[route.pool];
        std::vector<origin::Origin*> origins;
        for (const config::PoolOrigin& one : pool.origins) origins.push_back(origin_of(one));
        upstreams_[route.pool] =
            std::make_unique<origin::Upstream>(pool, origins, *options_.health, route.pool, seed);
    }
}

void Worker::start_health_checks() {
    const origin::Surroundings around = surroundings();
    for (const auto& upstream : upstreams_) {
        if (upstream == nullptr || upstream->pool().health.path.empty()) continue;
        for (origin::Upstream::Member& member : upstream->members()) {
            housekeeping_.spawn(origin::keep_checking(around, member.origin,
                                                      upstream->pool().health, member.health));
        }
    }
}

Worker::~Worker() = default;

void Worker::run(std::vector<net::Listener> secure, std::vector<net::Listener> plain) {
    listen_address_ = secure.front().local();
    const auto take = [&](std::vector<net::Listener>& listeners, bool speaks_tls) {
        for (net::Listener& listener : listeners) {
            listeners_.push_back(std::make_unique<net::Listener>(std::move(listener)));
            housekeeping_.spawn(accept_connections(*listeners_.back(), speaks_tls));
        }
    };
    take(secure, tls_clients_ != nullptr);
    take(plain, false);
    housekeeping_.spawn(flush_records());
    loop_->run();
    streams_.cancel_all();  // past the drain deadline: their records say so
    sessions_.cancel_all();
    housekeeping_.cancel_all();
    for (const auto& origin : origins_) origin->close();
    listeners_.clear();
    sink_->flush();
}

void Worker::drain() {
    loop_->post([this] { begin_drain(); });
}

void Worker::retire() {
    loop_->post([this] { begin_retirement(); });
}

void Worker::stop_accepting() {
    draining_ = true;
    for (const auto& listener : listeners_) {
        listener->cancel_accept();
        listener->close();
    }
    listeners_.clear();
    for (mux::Connection* const connection : http2_connections_) connection->shut_down();
}

void Worker::end_idle_sessions() {
    for (Session* session = first_session_; session != nullptr;) {
        Session* const next = session->next_;
        session->end_if_idle();
        session = next;
    }
}

void Worker::begin_drain() {
    if (ending_) return;
    ending_ = true;
    if (!draining_) stop_accepting();
    end_idle_sessions();
    housekeeping_.spawn(end_after_drain());
}

void Worker::begin_retirement() {
    if (draining_) return;
    stop_accepting();
    housekeeping_.spawn(end_after_retirement());
}

net::Task<void> Worker::end_after_retirement() {
    constexpr std::chrono::milliseconds kLook{50};
    const base::Deadline idle_until = loop_->after(settings_.timeouts.drain);
    while (sessions_.size() > 0) {
        if (ending_) co_return;  // the drain ends it
        co_await loop_->sleep_until(loop_->after(kLook));
        if (idle_until.passed(loop_->now())) end_idle_sessions();
    }
    if (!ending_) loop_->stop();
}

net::Task<void> Worker::end_after_drain() {
    constexpr std::chrono::milliseconds kLook{10};
    const base::Deadline deadline = loop_->after(settings_.timeouts.drain);
    while (sessions_.size() > 0 && !deadline.passed(loop_->now())) {
        co_await loop_->sleep_until(loop_->after(kLook));
    }
    for (Session* session = first_session_; session != nullptr; session = session->next_) {
        session->shut_down();  // takes effect later, so the list stays as it is
    }
    const base::Deadline last = loop_->after(kLastWords);
    while (sessions_.size() > 0 && !last.passed(loop_->now())) {
        co_await loop_->sleep_until(loop_->after(kLook));
    }
    loop_->stop();
}

net::Task<void> Worker::accept_connections(net::Listener& listener, bool secure) {
    for (unsigned count = 1; !draining_; ++count) {
        if (count % kAcceptsPerTurn == 0) co_await loop_->yield();
        if (draining_) break;
        auto accepted = co_await listener.accept(base::Deadline::never());
        if (draining_) break;  // and the listener is gone
        if (!accepted) {
            // Out of descriptors or memory: waiting lets requests end and give some back.
            co_await loop_->sleep_until(loop_->after(kAcceptPause));
            continue;
        }
        counters_->connections_accepted.add();
        const bool over = sessions_.size() >= connection_limit_;
        // Twice the limit and beyond not even a refusal is affordable.
        if (sessions_.size() >= 2 * connection_limit_) continue;
        sessions_.spawn(
            Session::serve(*this, {std::move(accepted->stream), accepted->client, over}, secure));
    }
}

net::Task<void> Worker::flush_records() {
    for (;;) {
        co_await loop_->sleep_until(loop_->after(kFlushInterval));
        sink_->flush();
    }
}

std::unique_ptr<Buffers> Worker::take_buffers() {
    if (spare_buffers_.empty()) return std::make_unique<Buffers>();
    auto buffers = std::move(spare_buffers_.back());
    spare_buffers_.pop_back();
    return buffers;
}

void Worker::give_back(std::unique_ptr<Buffers> buffers) {
    if (spare_buffers_.size() >= kSpareBuffers) return;
    buffers->client_in.clear();
    if (buffers->client_in.capacity() > Buffers::kKeptBytes) buffers->client_in.release();
    buffers->clear();
    spare_buffers_.push_back(std::move(buffers));
}

std::string_view Worker::http_date() {
    const time_t now = std::chrono::system_clock::to_time_t(loop_->clock().wall_now());
    if (now != date_second_) {
        date_second_ = now;
        std::tm parts{};
        gmtime_r(&now, &parts);
        std::array<char, 64> text{};
        // The C locale is never changed, so the names are English as RFC 9110 §5.6.7 wants them.
        const size_t size =
            std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        date_.assign(text.data(), size);
    }
    return date_;
}

}  // namespace edgecase::edge
