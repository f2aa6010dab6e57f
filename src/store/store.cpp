#include "store/store.hpp"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "store/block_queue.hpp"
#include "store/losses.hpp"
#include "store/outage.hpp"
#include "store/retention.hpp"
#include "store/rollup_inbox.hpp"
#include "store/rollup_writer.hpp"
#include "store/schema.hpp"
#include "store/sink.hpp"
#include "store/writer.hpp"

namespace edgecase::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// With the worker's flush every 200 ms a record is readable after 300 ms and one commit.
constexpr milliseconds kTick{100};
constexpr seconds kRetryInterval{1};
constexpr seconds kRollupInterval{1};
constexpr seconds kRetentionInterval{1};
constexpr seconds kRollupRetentionInterval{30};
constexpr seconds kRetentionRetryInterval{10};  // what is too old may wait a little longer
constexpr milliseconds kRetentionBudget{50};    // of the writer's time in one go

/// What exists only while the file is open. Its parts point to each other: it stays where it is.
struct OpenFile {
    OpenFile(Database opened, const StoreOptions& options)
        : database(std::move(opened)),
          retention(database, options.retention_age, options.retention_bytes, options.ships) {}

    Database database;
    Retention retention;
    std::optional<Writer> writer;
    std::optional<RollupWriter> rollups;
};

std::expected<std::unique_ptr<OpenFile>, DatabaseError> open_file(const StoreOptions& options) {
    auto database = open_for_writing(options.data_dir, options.log);
    if (!database) return std::unexpected(std::move(database.error()));
    auto file = std::make_unique<OpenFile>(std::move(*database), options);
    const auto failed = [&](const DatabaseError& error) {
        return std::unexpected(DatabaseError{
            error.kind, "cannot use record store " + (options.data_dir / kFileName).string() +
                            ": " + (error.may_pass() ? error.reason() : error.message)});
    };
    auto writer = Writer::prepare(file->database);
    if (!writer) return failed(writer.error());
    file->writer.emplace(std::move(*writer));
    auto rollups = RollupWriter::prepare(file->database);
    if (!rollups) return failed(rollups.error());
    file->rollups.emplace(std::move(*rollups));
    if (const auto begun = file->retention.begin(); !begun) return failed(begun.error());
    return file;
}

class SqliteStore final : public Store {
  public:
    explicit SqliteStore(StoreOptions options)
        : options_(std::move(options)),
          name_("record store " + (options_.data_dir / kFileName).string()),
          queue_(options_.queue_blocks, options_.queue_cases) {}

    SqliteStore(const SqliteStore&) = delete;
    SqliteStore& operator=(const SqliteStore&) = delete;

    ~SqliteStore() override { SqliteStore::close(); }

    void close() override {
        queue_.stop();
        if (thread_.joinable()) thread_.join();
    }

    /// A full disk or a lock does not keep the proxy from starting: the writer thread tries again.
    std::expected<void, std::string> start() {
        auto opened = open_file(options_);
        if (opened) {
            file_ = std::move(*opened);
        } else if (opened.error().may_pass()) {
            fail_to_open(opened.error());
        } else {
            return std::unexpected(std::move(opened.error().message));
        }
        thread_ = std::thread([this] { run(); });
        return {};
    }

    std::unique_ptr<record::Sink> make_sink() override {
        return std::make_unique<BlockSink>(queue_, rollups_, options_.successes);
    }

    StoreCounters counters() const override {
        const auto dropped = queue_.dropped();
        StoreCounters counters;
        counters.records_written = records_written_.load(std::memory_order_relaxed);
        counters.cases_written = cases_written_.load(std::memory_order_relaxed);
        counters.successes_dropped =
            dropped.successes + successes_unwritten_.load(std::memory_order_relaxed);
        counters.cases_dropped = dropped.cases + cases_unwritten_.load(std::memory_order_relaxed) +
                                 unreadable_.load(std::memory_order_relaxed);
        counters.write_errors = write_errors_.load(std::memory_order_relaxed);
        counters.requests_uncounted = rollups_.lost();
        counters.unshipped = unshipped_.load(std::memory_order_relaxed);
        counters.rows_expired = rows_expired_.load(std::memory_order_relaxed);
        return counters;
    }

  private:
    // Everything below runs on the writer thread, fail() also before it starts.

    void run() {
        while (!queue_.stopped()) {
            if (!writing_.may_try(steady_clock::now())) {
                queue_.pause(kTick);
            } else if (is_open()) {
                write_next(kTick);
                if (steady_clock::now() >= next_rollups_) write_rollups();
            }
            forget();
            forget_rollups();
            report_losses(false);
        }
        drain();
        report_losses(true);
    }

    bool is_open() {
        if (file_) return true;
        auto opened = open_file(options_);
        if (!opened) {
            fail_to_open(opened.error());
            return false;
        }
        file_ = std::move(*opened);
        succeed();
        return true;
    }

    /// What was handed over before the end is written if that is still possible.
    void drain() {
        if (is_open()) {
            Outcome outcome = Outcome::written;
            while (outcome == Outcome::written) outcome = write_next(milliseconds(0));
            write_rollups();
            if (outcome == Outcome::nothing) return;
        }
        while (true) {
            const Batch lost = queue_.take(milliseconds(0));
            if (lost.empty()) return;
            successes_unwritten_.fetch_add(records_in(lost.successes), std::memory_order_relaxed);
            cases_unwritten_.fetch_add(records_in(lost.cases), std::memory_order_relaxed);
        }
    }

    enum class Outcome : uint8_t { nothing, written, failed };

    Outcome write_next(milliseconds wait) {
        Batch batch = queue_.take(wait);
        if (batch.empty()) return Outcome::nothing;
        const auto written = file_->writer->write(batch);
        if (!written) {
            fail(name_ + ": " + written.error().reason(), written.error().reason());
            keep_what_matters(std::move(batch), written.error());
            return Outcome::failed;
        }
        records_written_.fetch_add(written->successes + written->cases, std::memory_order_relaxed);
        cases_written_.fetch_add(written->cases, std::memory_order_relaxed);
        unreadable_.fetch_add(written->unreadable, std::memory_order_relaxed);
        file_->retention.added(written->cases, written->case_bytes);
        queue_.recycle(std::move(batch));
        succeed();
        return Outcome::written;
    }

    void write_rollups() {
        next_rollups_ = steady_clock::now() + kRollupInterval;
        const record::RollupMinutes minutes = rollups_.take();
        if (minutes.empty()) return;
        const auto written = file_->rollups->write(minutes);
        const auto now = steady_clock::now();
        if (!written) {
            // Records are written all the same: they may well succeed.
            rollups_.give_back(minutes);
            write_errors_.fetch_add(1, std::memory_order_relaxed);
            if (rolling_up_.fail(now)) {
                log(name_ + ": requests cannot be counted: " + written.error().reason() +
                    "; recording goes on, the counts of half an hour wait in memory");
            }
            return;
        }
        file_->retention.rollups_grew(*written);
        if (rolling_up_.end(now)) log(name_ + ": requests are counted again");
    }

    /// Cases wait for the next try; successes only if that is soon, for else they would take the
    /// place of newer ones.
    void keep_what_matters(Batch batch, const DatabaseError& error) {
        if (error.kind != DatabaseError::Kind::busy) {
            successes_unwritten_.fetch_add(records_in(batch.successes), std::memory_order_relaxed);
            batch.successes.clear();
        }
        queue_.give_back(std::move(batch));
    }

    void fail_to_open(const DatabaseError& error) {
        const bool is_full = error.kind == DatabaseError::Kind::full;
        fail(error.message, is_full ? "the disk is full" : "the file could not be opened");
    }

    /// `problem` is a sentence that names the file, `reason` goes into others that do.
    void fail(const std::string& problem, std::string reason) {
        write_errors_.fetch_add(1, std::memory_order_relaxed);
        trouble_ = std::move(reason);
        if (!writing_.lasts()) losses_.outage_began(lost());
        if (!writing_.fail(steady_clock::now())) return;
        log(problem +
            "; proxying goes on, successes are not recorded and cases wait in memory; trying "
            "again every second");
    }

    void succeed() {
        const auto lasted = writing_.end(steady_clock::now());
        if (!lasted) return;
        log(name_ + ": writes again after " + std::to_string(lasted->count()) + " s; " +
            losses_.outage_ended(lost()));
    }

    Losses::Totals lost() const {
        const auto dropped = queue_.dropped();
        return {.queued_successes = dropped.successes,
                .queued_cases = dropped.cases,
                .unwritten_successes = successes_unwritten_.load(std::memory_order_relaxed),
                .unwritten_cases = cases_unwritten_.load(std::memory_order_relaxed),
                .unreadable = unreadable_.load(std::memory_order_relaxed)};
    }

    void report_losses(bool ending) {
        const Losses::Situation situation{.queue_cases = options_.queue_cases,
                                          .failing = writing_.lasts(),
                                          .ending = ending,
                                          .trouble = trouble_};
        for (const std::string& line : losses_.lines(lost(), situation, steady_clock::now())) {
            log(name_ + ": " + line);
        }
    }

    /// Also while writing fails: what is deleted makes room, and a WAL that is there can be reused
    /// when the disk has not a byte left.
    void forget() {
        const auto began = steady_clock::now();
        if (!file_ || began < next_retention_ || !forgetting_.may_try(began)) return;
        while (true) {
            const auto step = file_->retention.step(base::SystemClock().wall_now());
            const auto now = steady_clock::now();
            if (!step) {
                write_errors_.fetch_add(1, std::memory_order_relaxed);
                if (forgetting_.fail(now)) {
                    log(name_ + ": old records cannot be removed, so the file may outgrow its " +
                        "allowance: " + step.error().reason() + "; recording goes on, trying " +
                        "again every " + std::to_string(kRetentionRetryInterval.count()) + " s");
                }
                return;
            }
            if (forgetting_.end(now)) log(name_ + ": old records are removed again");
            rows_expired_.fetch_add(step->rows, std::memory_order_relaxed);
            lose_unshipped(*step);
            if (!step->more_due) {
                next_retention_ = now + kRetentionInterval;
                return;
            }
            if (now - began > kRetentionBudget) return;
        }
    }

    void lose_unshipped(const Retention::Step& step) {
        const uint64_t more = step.unshipped_cases + step.unshipped_successes;
        if (more == 0) return;
        unshipped_.fetch_add(more, std::memory_order_relaxed);
        Unshipped& kind = step.for_room ? unshipped_for_room_ : unshipped_for_age_;
        kind.records += more;
        const auto now = steady_clock::now();
        if (now < kind.next_line) return;
        kind.next_line = now + kRetentionRetryInterval;
        log(name_ + ": " +
            (step.for_room ? "no room is left for what waits for the ledger: "
                           : "what waits for the ledger became too old: ") +
            std::to_string(kind.records) + " records were removed before it had them; " +
            (step.for_room ? "retention.bytes is the room"
                           : "retention.age is how long they wait"));
    }

    void forget_rollups() {
        const auto now = steady_clock::now();
        if (!file_ || now < next_rollup_retention_) return;
        next_rollup_retention_ = now + kRollupRetentionInterval;
        const auto forgotten = file_->rollups->forget(base::SystemClock().wall_now());
        if (forgotten) {
            file_->retention.rollups_shrank(forgotten->bytes);
        } else {
            write_errors_.fetch_add(1, std::memory_order_relaxed);
        }
    }

    void log(const std::string& line) const {
        if (options_.log) options_.log(line);
    }

    static uint64_t records_in(const std::vector<Block>& blocks) {
        uint64_t count = 0;
        for (const Block& block : blocks) count += block.count;
        return count;
    }

    const StoreOptions options_;
    const std::string name_;
    std::unique_ptr<OpenFile> file_;  // null: could not be opened yet
    BlockQueue queue_;
    RollupInbox rollups_;

    std::atomic<uint64_t> records_written_{0};
    std::atomic<uint64_t> cases_written_{0};
    std::atomic<uint64_t> write_errors_{0};
    std::atomic<uint64_t> rows_expired_{0};
    std::atomic<uint64_t> unshipped_{0};
    std::atomic<uint64_t> successes_unwritten_{0};  // the file would not take them
    std::atomic<uint64_t> cases_unwritten_{0};
    std::atomic<uint64_t> unreadable_{0};

    Outage writing_{kRetryInterval};
    Outage rolling_up_{kRetryInterval};
    Outage forgetting_{kRetentionRetryInterval};
    std::string trouble_;  // why writing failed last
    Losses losses_;
    steady_clock::time_point next_retention_;
    struct Unshipped {
        uint64_t records = 0;
        steady_clock::time_point next_line;
    };
    Unshipped unshipped_for_room_;
    Unshipped unshipped_for_age_;
    steady_clock::time_point next_rollups_;
    steady_clock::time_point next_rollup_retention_;

    std::thread thread_;
};

}  // namespace

std::expected<std::unique_ptr<Store>, std::string> Store::open(StoreOptions options) {
    if (!options.log) options.log = [](const std::string&) {};
    auto store = std::make_unique<SqliteStore>(std::move(options));
    if (auto started = store->start(); !started) return std::unexpected(started.error());
    return store;
}

}  // namespace edgecase::store
