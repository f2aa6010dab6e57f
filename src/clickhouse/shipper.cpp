#include "clickhouse/shipper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "clickhouse/delivery.hpp"
#include "clickhouse/node_report.hpp"
#include "clickhouse/servers.hpp"
#include "clickhouse/troubles.hpp"
#include "store/outbox.hpp"

namespace edgecase::clickhouse {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using store::Outbox;
using store::Parcel;

constexpr size_t kBatchBytes = size_t{8} << 20;  // some 20,000 records of 400 bytes
constexpr std::chrono::milliseconds kTick{200};
// A server likes few large batches: one a second of all the edges that write to it together.
constexpr seconds kLeastBatchTime{1};
constexpr seconds kLongestBatchTime{30};
constexpr seconds kLongestCaseTime{5};  // somebody may wait to see a failure
constexpr seconds kOpenInterval{1};
constexpr seconds kReportInterval{10};
constexpr std::chrono::hours kTidyInterval{1};
constexpr seconds kFarewell{3};

/// One for both kinds, whose places are counted apart.
uint64_t id_of(const Parcel& parcel) {
    return static_cast<uint64_t>(parcel.first) * 2 + static_cast<uint64_t>(parcel.kind);
}

class LedgerShipper final : public Shipper {
  public:
    explicit LedgerShipper(ShipperOptions options)
        : options_(std::move(options)),
          client_(options_.ledger),
          rows_(options_.node, options_.redacts),
          report_({.name = options_.node,
                   .colo = options_.colo,
                   .version = options_.version,
                   .node_id = options_.node_id}),
          servers_(client_.servers(), std::hash<std::string>()(options_.node)),
          thread_([this](const std::stop_token& stop) { run(stop); }) {}
    LedgerShipper(const LedgerShipper&) = delete;
    LedgerShipper& operator=(const LedgerShipper&) = delete;

    ~LedgerShipper() override {
        thread_.request_stop();
        std::unique_lock lock(mutex_);
        wake_.notify_all();
        // What is there goes out if the ledger takes it; what does not stays in the store.
        if (!wake_.wait_for(lock, kFarewell, [&] { return ended_; })) client_.stop();
    }

    ShipperCounters counters() const override {
        return {.shipped = shipped_.load(),
                .batches = batches_.load(),
                .failures = failures_.load(),
                .lost = lost_.load(),
                .waiting = waiting_.load(),
                .away = away_.load()};
    }

  private:
    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            const bool more = ship_some(false);
            report();
            if (more) continue;
            tidy();
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, stop, kTick, [] { return false; });
        }
        while (ship_some(true)) {
        }
        report();
        const std::lock_guard lock(mutex_);
        ended_ = true;
        wake_.notify_all();
    }

    /// The store may be locked, or the disk full, when the edge starts.
    bool is_open() {
        if (outbox_) return true;
        const auto now = steady_clock::now();
        if (now < next_open_) return false;
        next_open_ = now + kOpenInterval;
        auto opened = Outbox::open(options_.data_dir);
        if (!opened) return store_failed(opened.error());
        outbox_ = std::move(*opened);
        return true;
    }

    /// False: there is nothing to do now.
    bool ship_some(bool all) {
        if (!is_open()) return false;
        const auto on_their_way = outbox_->sent();
        if (!on_their_way) return store_failed(on_their_way.error());
        undelivered_ = !on_their_way->empty();
        for (const store::Sent& one : *on_their_way) {
            const auto server = server_for(one);
            if (!server) continue;
            return has_tables(*server) ? ship_again(one, *server) : next_server().has_value();
        }
        // With something undelivered everywhere, new batches would only pile up behind it.
        const auto server = next_server();
        if (!server) return false;
        if (!has_tables(*server)) return next_server().has_value();
        bool waits = undelivered_;
        for (const Kind kind : {Kind::cases, Kind::successes}) {
            const auto parcel = outbox_->next(kind, kBatchBytes);
            if (!parcel) return store_failed(parcel.error());
            waits = waits || !parcel->empty();
            if (parcel->empty() || (!all && !is_due(*parcel))) continue;
            return ship(*parcel, *server, false).go_on;
        }
        if (!waits) store_fails_ = false;
        return false;
    }

    /// A batch that is not full waits a little for more.
    bool is_due(const Parcel& parcel) {
        const auto now = steady_clock::now();
        auto& last = last_batch_[static_cast<size_t>(parcel.kind)];
        const seconds longest = parcel.kind == Kind::cases ? kLongestCaseTime : kLongestBatchTime;
        if (parcel.bytes.size() < kBatchBytes && now - last < std::min(batch_time_, longest)) {
            return false;
        }
        last = now;
        return true;
    }

    bool ship_again(const store::Sent& sent, size_t server) {
        const auto parcel = outbox_->again(sent);
        if (!parcel) return store_failed(parcel.error());
        const uint64_t gone = sent.records - std::min(sent.records, parcel->records);
        if (parcel->empty()) {
            lost_ += gone;
            Parcel whole;
            whole.kind = sent.kind;
            whole.first = sent.first;
            if (const auto done = outbox_->acknowledged(whole); !done) {
                return store_failed(done.error());
            }
            return true;
        }
        Parcel again = *parcel;
        again.first = sent.first;  // by which it is known
        again.last = sent.last;
        again.gone = 0;  // told below, with what went since
        const Shipped done = ship(again, server, !sent.where.empty());
        // What was there already had been sent with the others.
        if (done.delivered && !done.was_there) lost_ += gone;
        return done.go_on;
    }

    /// Views that are not there yet would miss what comes before them.
    bool has_tables(size_t server) {
        if (servers_[server].has_tables) return true;
        const auto release = client_.version(server);  // after an update it is another
        const auto fine =
            release ? check_schema(client_, server) : std::unexpected(release.error());
        if (fine) return servers_[server].has_tables = true;
        ++failures_;
        trouble(server, fine.error());
        return false;
    }

    struct Shipped {
        bool go_on = false;  // else pause
        bool delivered = false;
        bool was_there = false;
    };

    Shipped ship(const Parcel& parcel, size_t server, bool perhaps) {
        const std::string& url = options_.ledger.urls[server];
        if (const auto noted = outbox_->sending(parcel, url); !noted) {
            return {.go_on = store_failed(noted.error())};
        }
        lost_ += parcel.gone;
        const Batch batch = make_batch(id_of(parcel), parcel, rows_);
        const auto done = deliver(client_, server, batch, perhaps);
        if (!done) return {.go_on = ship_failed(parcel, server, done.error(), batch, perhaps)};
        servers_.answered(server);
        servers_[server].refuses = false;
        // One that cannot be noted as done is given out again, found there, and counted then.
        if (const auto noted = outbox_->acknowledged(parcel); !noted) {
            return {.go_on = store_failed(noted.error())};
        }
        shipped_ += parcel.records - batch.unreadable;
        lost_ += batch.unreadable;
        ++batches_;
        store_fails_ = false;
        back();
        return {.go_on = true, .delivered = true, .was_there = done->was_there};
    }

    /// False: pause.
    bool ship_failed(const Parcel& parcel, size_t server, const QueryError& error,
                     const Batch& batch, bool perhaps) {
        ++failures_;
        servers_[server].refuses = true;
        trouble(server, error);
        // A server that answers can say what it has; of one that does not only what was never sent
        // is known not to be there. Without a code it may be a proxy that answers.
        const bool nobody_has_it = error.kind == QueryError::Kind::unreachable
                                       ? !perhaps
                                       : error.kind == QueryError::Kind::refused &&
                                             error.code != 0 && error.code != kSameQueryRuns &&
                                             has_nothing(client_, server, batch);
        if (nobody_has_it) {
            if (const auto noted = outbox_->came_back(parcel); !noted) {
                return store_failed(noted.error());
            }
        }
        return next_server().has_value();
    }

    std::optional<size_t> server_for(const store::Sent& sent) {
        if (sent.where.empty()) return next_server();
        const auto& urls = options_.ledger.urls;
        const auto found = std::ranges::find(urls, sent.where);
        // One that is no longer in the configuration cannot be asked; the batch goes to another.
        if (found == urls.end()) return next_server();
        const auto server = static_cast<size_t>(found - urls.begin());
        if (servers_.rests(server, steady_clock::now())) return std::nullopt;
        return server;
    }

    std::optional<size_t> next_server() const { return servers_.next(steady_clock::now()); }

    void trouble(size_t server, const QueryError& error) {
        const auto now = steady_clock::now();
        servers_.failed(server, now);
        if (servers_.have_all_failed()) away(now);
        tell({server, error.kind, error.code}, error.message, now);
    }

    bool store_failed(const std::string& sentence) {
        const auto now = steady_clock::now();
        ++failures_;
        store_fails_ = true;
        away(now);
        tell({.server = servers_.count()}, sentence, now);
        return false;
    }

    void tell(const Troubles::What& what, const std::string& sentence,
              steady_clock::time_point now) {
        if (!troubles_.is_news(what, now)) return;
        log(sentence + "; records wait in " + options_.data_dir.string() +
            " and are shipped later");
    }

    void away(steady_clock::time_point now) {
        troubles_.away(now);
        away_ = true;
    }

    void back() {
        away_ = false;
        const auto lasted = troubles_.back(steady_clock::now());
        if (!lasted) return;
        log(fmt::format("the ledger takes records again after {} s", lasted->count()));
    }

    void count_waiting() {
        if (!outbox_) return;
        if (const auto waiting = outbox_->waiting()) waiting_ = waiting->cases + waiting->successes;
    }

    void report() {
        const auto now = steady_clock::now();
        if (now < next_report_) return;
        next_report_ = now + std::max(kReportInterval, batch_time_);
        count_waiting();
        // One that is dead does not make the edge silent.
        for (size_t tries = 0; tries < servers_.count(); ++tries) {
            const auto server = next_server();
            if (!server || reported(*server)) return;
        }
    }

    bool reported(size_t server) {
        if (!has_tables(server)) return false;
        const auto sent = report_.send(client_, server,
                                       {.recorded = options_.recorded ? options_.recorded() : 0,
                                        .shipped = shipped_,
                                        .waiting = waiting_,
                                        .lost = lost_ + (options_.lost ? options_.lost() : 0)});
        if (!sent) {
            trouble(server, sent.error());
            return false;
        }
        // A server may take reports and no records.
        if (!store_fails_ && !(undelivered_ && servers_[server].refuses)) {
            servers_.answered(server);
            back();
        }
        if (const auto edges = report_.look(client_, server)) heed(*edges);
        return true;
    }

    void heed(const NodeReport::Edges& edges) {
        // The more edges write to a server, the longer each waits for a batch.
        batch_time_ =
            std::clamp(seconds(edges.count / servers_.count()), kLeastBatchTime, kLongestBatchTime);
        if (edges.same_number == same_number_) return;
        same_number_ = edges.same_number;
        if (same_number_.empty()) return;
        log(
            fmt::format("the edge {} has the number {} too, so that Ray IDs of both could be the "
                        "same: give each a node_id of its own",
                        same_number_, options_.node_id));
    }

    void tidy() {
        const auto now = steady_clock::now();
        if (now < next_tidy_) return;
        next_tidy_ = now + kTidyInterval;
        for (size_t server = 0; server < servers_.count(); ++server) {
            if (servers_.rests(server, now)) continue;
            if (const auto done = drop_old(client_, server); !done) {
                log("old records cannot be dropped: " + done.error().message);
            }
        }
    }

    void log(const std::string& line) const {
        if (options_.log) options_.log("ledger: " + line);
    }

    const ShipperOptions options_;
    Client client_;
    std::optional<Outbox> outbox_;
    RowMaker rows_;
    NodeReport report_;
    Servers servers_;
    Troubles troubles_;
    std::array<steady_clock::time_point, 2> last_batch_{};
    steady_clock::time_point next_open_{};
    steady_clock::time_point next_report_{};
    steady_clock::time_point next_tidy_{};
    bool store_fails_ = false;
    bool undelivered_ = false;
    std::string same_number_;
    seconds batch_time_ = kLeastBatchTime;

    std::atomic<uint64_t> shipped_ = 0;
    std::atomic<uint64_t> batches_ = 0;
    std::atomic<uint64_t> failures_ = 0;
    std::atomic<uint64_t> lost_ = 0;
    std::atomic<uint64_t> waiting_ = 0;
    std::atomic<bool> away_ = false;

    std::mutex mutex_;
    std::condition_variable_any wake_;
    bool ended_ = false;
    std::jthread thread_;
};

}  // namespace

std::unique_ptr<Shipper> Shipper::start(ShipperOptions options) {
    return std::make_unique<LedgerShipper>(std::move(options));
}

}  // namespace edgecase::clickhouse
