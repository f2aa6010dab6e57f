#include "store/store.hpp"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "store/block_queue.hpp"
#include "store/retention.hpp"
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
constexpr seconds kRetentionInterval{1};
constexpr milliseconds kRetentionBudget{50};  // of the writer's time in one go
constexpr seconds kLogInterval{10};           // at most one line of a kind in this time

std::string counted(uint64_t count, std::string_view what) {
    return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

class SqliteStore final : public Store {
  public:
    SqliteStore(StoreOptions options, Database database)
        : options_(std::move(options)),
          file_((options_.data_dir / kFileName).string()),
          database_(std::move(database)),
          retention_(database_, options_.retention_age, options_.retention_bytes),
          queue_(options_.queue_blocks, options_.queue_cases) {}

    SqliteStore(const SqliteStore&) = delete;
    SqliteStore& operator=(const SqliteStore&) = delete;

    ~SqliteStore() override {
        queue_.stop();
        if (thread_.joinable()) thread_.join();
    }

    std::expected<void, DatabaseError> start() {
        auto writer = Writer::prepare(database_);
        if (!writer) return std::unexpected(std::move(writer.error()));
        writer_.emplace(std::move(*writer));
        if (auto begun = retention_.begin(); !begun) return begun;
        thread_ = std::thread([this] { run(); });
        return {};
    }

    std::unique_ptr<record::Sink> make_sink() override {
        return std::make_unique<BlockSink>(queue_);
    }

    StoreCounters counters() const override {
        const auto dropped = queue_.dropped();
        StoreCounters counters;
        counters.records_written = records_written_.load(std::memory_order_relaxed);
        counters.cases_written = cases_written_.load(std::memory_order_relaxed);
        counters.successes_dropped = dropped.successes;
        counters.cases_dropped = dropped.cases;
        counters.write_errors = write_errors_.load(std::memory_order_relaxed);
        counters.rows_expired = rows_expired_.load(std::memory_order_relaxed);
        return counters;
    }

  private:
    // Everything below runs on the writer thread.

    void run() {
        while (!queue_.stopped()) {
            if (failing_ && steady_clock::now() < next_try_) {
                queue_.pause(kTick);
            } else {
                write_next(kTick);
                forget();
            }
            report_drops();
        }
        drain();
        report_drops();
    }

    /// What was handed over before the end is written if that is still possible.
    void drain() {
        while (true) {
            const Outcome outcome = write_next(milliseconds(0));
            if (outcome == Outcome::nothing) return;
            if (outcome == Outcome::failed) break;
        }
        while (true) {
            const Batch lost = queue_.take(milliseconds(0));
            if (lost.empty()) return;
            queue_.count_dropped(records_in(lost.successes), records_in(lost.cases));
        }
    }

    enum class Outcome : uint8_t { nothing, written, failed };

    Outcome write_next(milliseconds wait) {
        Batch batch = queue_.take(wait);
        if (batch.empty()) return Outcome::nothing;
        const auto written = writer_->write(batch);
        if (!written) {
            keep_what_matters(std::move(batch), written.error());
            fail(written.error());
            return Outcome::failed;
        }
        recover();
        records_written_.fetch_add(written->successes + written->cases, std::memory_order_relaxed);
        cases_written_.fetch_add(written->cases, std::memory_order_relaxed);
        if (written->unreadable != 0) queue_.count_dropped(0, written->unreadable);
        retention_.added(written->cases, written->case_bytes);
        queue_.recycle(std::move(batch));
        return Outcome::written;
    }

    /// Cases wait for the next try; successes only if that is soon, for else they would take the
    /// place of newer ones.
    void keep_what_matters(Batch batch, const DatabaseError& error) {
        if (error.kind != DatabaseError::Kind::busy) {
            queue_.count_dropped(records_in(batch.successes), 0);
            batch.successes.clear();
        }
        queue_.give_back(std::move(batch));
    }

    void fail(const DatabaseError& error) {
        write_errors_.fetch_add(1, std::memory_order_relaxed);
        const auto now = steady_clock::now();
        next_try_ = now + kRetryInterval;
        if (!failing_) {
            failing_ = true;
            failing_since_ = now;
            dropped_before_ = queue_.dropped();
        }
        if (now < next_failure_line_) return;
        next_failure_line_ = now + kLogInterval;
        const std::string_view what = error.kind == DatabaseError::Kind::full ? "the disk is full"
                                      : error.kind == DatabaseError::Kind::busy
                                          ? "another process keeps it locked"
                                          : "it cannot be written";
        log("record store " + file_ + ": " + std::string(what) + " (" + error.message +
            "); proxying goes on, successes are not recorded and cases wait in memory; trying "
            "again every second");
    }

    void recover() {
        if (!failing_) return;
        failing_ = false;
        const auto now = steady_clock::now();
        const auto lost = queue_.dropped();
        const auto lasted = std::chrono::duration_cast<seconds>(now - failing_since_).count();
        log("record store " + file_ + ": writes again after " + std::to_string(lasted) + " s; " +
            counted(lost.successes - dropped_before_.successes, "success record") + " and " +
            counted(lost.cases - dropped_before_.cases, "case") + " were lost");
        reported_ = lost;
        next_failure_line_ = {};
    }

    void report_drops() {
        const auto dropped = queue_.dropped();
        const auto now = steady_clock::now();
        if (dropped.cases != reported_.cases && now >= next_case_line_) {
            next_case_line_ = now + kLogInterval;
            log("record store " + file_ + ": LOST " +
                counted(dropped.cases - reported_.cases, "case") +
                ": the queue of cases is full (" + std::to_string(options_.queue_cases) +
                " at most); the disk cannot keep up");
            reported_.cases = dropped.cases;
        }
        if (dropped.successes != reported_.successes && now >= next_success_line_) {
            next_success_line_ = now + kLogInterval;
            log("record store " + file_ + ": dropped " +
                counted(dropped.successes - reported_.successes, "success record") +
                " to keep up; cases are kept");
            reported_.successes = dropped.successes;
        }
    }

    void forget() {
        const auto began = steady_clock::now();
        if (began < next_retention_ || failing_) return;
        while (true) {
            const auto step = retention_.step(base::SystemClock().wall_now());
            if (!step) {
                fail(step.error());
                return;
            }
            rows_expired_.fetch_add(step->rows, std::memory_order_relaxed);
            const auto now = steady_clock::now();
            if (!step->more_due) {
                next_retention_ = now + kRetentionInterval;
                return;
            }
            if (now - began > kRetentionBudget) return;
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
    const std::string file_;
    Database database_;
    Retention retention_;
    std::optional<Writer> writer_;
    BlockQueue queue_;

    std::atomic<uint64_t> records_written_{0};
    std::atomic<uint64_t> cases_written_{0};
    std::atomic<uint64_t> write_errors_{0};
    std::atomic<uint64_t> rows_expired_{0};

    bool failing_ = false;
    steady_clock::time_point failing_since_;
    steady_clock::time_point next_try_;
    steady_clock::time_point next_retention_;
    steady_clock::time_point next_failure_line_;
    steady_clock::time_point next_case_line_;
    steady_clock::time_point next_success_line_;
    BlockQueue::Dropped dropped_before_;
    BlockQueue::Dropped reported_;

    std::thread thread_;
};

}  // namespace

std::expected<std::unique_ptr<Store>, std::string> Store::open(StoreOptions options) {
    auto database = open_for_writing(options.data_dir);
    if (!database) return std::unexpected(std::move(database.error()));
    const std::string file = (options.data_dir / kFileName).string();
    auto store = std::make_unique<SqliteStore>(std::move(options), std::move(*database));
    if (auto started = store->start(); !started) {
        return std::unexpected("cannot use record store " + file + ": " + started.error().message);
    }
    return store;
}

}  // namespace edgecase::store
