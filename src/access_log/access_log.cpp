#include "access_log/access_log.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "access_log/log_file.hpp"
#include "record/binary.hpp"

namespace edgecase::access_log {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr size_t kBlockBytes = size_t{64} * 1024;
// What is free behind this mark holds any usual record, so the buffer does not grow beyond a block.
constexpr size_t kFullBytes = kBlockBytes - size_t{4} * 1024;
constexpr size_t kWriteBytes = size_t{128} * 1024;  // of lines in one write
constexpr milliseconds kTick{200};
constexpr milliseconds kRetryInterval{500};
constexpr seconds kLogInterval{10};  // between two lines about lost ones

struct Block {
    base::ByteBuffer bytes;
    size_t count = 0;
};

/// Between the workers' sinks and the thread; pushing never waits for it.
class Queue {
  public:
    explicit Queue(size_t maximum) : maximum_(maximum) {}

    /// Gives a used buffer back if there is one.
    base::ByteBuffer push(Block block) {
        const std::scoped_lock lock(mutex_);
        // Sinks hand over what little they have several times a second; when the file does not
        // take it, the places must not be used up by that.
        if (!blocks_.empty() && blocks_.back().bytes.size() + block.bytes.size() <= kBlockBytes) {
            blocks_.back().bytes.append(block.bytes.view());
            blocks_.back().count += block.count;
            block.bytes.clear();
            return std::move(block.bytes);
        }
        if (blocks_.size() >= maximum_) {
            dropped_ += block.count;
            block.bytes.clear();
            return std::move(block.bytes);
        }
        blocks_.push_back(std::move(block));
        // The thread looks by itself five times a second; waking it costs a system call.
        if (blocks_.size() * 2 > maximum_ || blocks_.size() == kPressing) wake_.notify_one();
        if (spares_.empty()) return {};
        base::ByteBuffer buffer = std::move(spares_.back());
        spares_.pop_back();
        return buffer;
    }

    /// The oldest block; waits up to `wait` for one. Empty: there is none.
    Block take(milliseconds wait) {
        std::unique_lock lock(mutex_);
        if (blocks_.empty()) {
            wake_.wait_for(lock, wait, [this] { return stopped_ || woken_ || !blocks_.empty(); });
        }
        woken_ = false;
        if (blocks_.empty()) return {};
        Block block = std::move(blocks_.front());
        blocks_.pop_front();
        return block;
    }
    /// Sleeps, unless woken or stopped.
    void pause(milliseconds wait) {
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, wait, [this] { return stopped_ || woken_; });
        woken_ = false;
    }
    bool empty() const {
        const std::scoped_lock lock(mutex_);
        return blocks_.empty();
    }
    void recycle(base::ByteBuffer buffer) {
        buffer.clear();
        const std::scoped_lock lock(mutex_);
        if (spares_.size() < kPressing) spares_.push_back(std::move(buffer));
    }
    void wake() {
        const std::scoped_lock lock(mutex_);
        woken_ = true;
        wake_.notify_one();
    }
    void stop() {
        const std::scoped_lock lock(mutex_);
        stopped_ = true;
        wake_.notify_one();
    }
    bool stopped() const {
        const std::scoped_lock lock(mutex_);
        return stopped_;
    }
    uint64_t dropped() const {
        const std::scoped_lock lock(mutex_);
        return dropped_;
    }

  private:
    static constexpr size_t kPressing = 8;

    const size_t maximum_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Block> blocks_;
    std::vector<base::ByteBuffer> spares_;
    uint64_t dropped_ = 0;
    bool woken_ = false;
    bool stopped_ = false;
};

class LogSink final : public record::Sink {
  public:
    LogSink(Queue& queue, std::unique_ptr<record::Sink> beside)
        : queue_(queue), beside_(std::move(beside)) {}
    LogSink(const LogSink&) = delete;
    LogSink& operator=(const LogSink&) = delete;
    ~LogSink() override { hand_over(); }

    void write(const record::RecordView& record) override {
        beside_->write(record);
        if (block_.bytes.capacity() == 0) block_.bytes.reserve(kBlockBytes);
        record::encode(block_.bytes, record);
        ++block_.count;
        if (block_.bytes.size() >= kFullBytes) hand_over();
    }
    void flush() override {
        beside_->flush();
        hand_over();
    }

  private:
    void hand_over() {
        if (block_.count == 0) return;
        base::ByteBuffer buffer = queue_.push(std::exchange(block_, {}));
        block_.bytes = std::move(buffer);
    }

    Queue& queue_;
    std::unique_ptr<record::Sink> beside_;
    Block block_;
};

class ThreadedLog final : public AccessLog {
  public:
    explicit ThreadedLog(AccessLogOptions options)
        : options_(std::move(options)), queue_(options_.queue_blocks), file_(options_.path) {}
    ThreadedLog(const ThreadedLog&) = delete;
    ThreadedLog& operator=(const ThreadedLog&) = delete;
    ~ThreadedLog() override {
        queue_.stop();
        if (thread_.joinable()) thread_.join();
    }

    std::expected<void, std::string> start() {
        if (auto opened = file_.open(); !opened) return opened;
        thread_ = std::thread([this] { run(); });
        return {};
    }

    std::unique_ptr<record::Sink> make_sink(std::unique_ptr<record::Sink> beside) override {
        return std::make_unique<LogSink>(queue_, std::move(beside));
    }
    void reopen() override {
        reopen_wanted_.store(true);
        queue_.wake();
    }
    AccessLogCounters counters() const override {
        return {lines_.load(std::memory_order_relaxed),
                queue_.dropped() + unwritten_.load(std::memory_order_relaxed),
                errors_.load(std::memory_order_relaxed)};
    }

  private:
    // Everything below runs on the log's thread.

    void run() {
        while (true) {
            // What was handed over before the stop is all that will ever be.
            const bool last = queue_.stopped();
            if (reopen_wanted_.exchange(false)) reopen_file();
            if (failing_) {
                queue_.pause(kRetryInterval);
            } else {
                collect();
            }
            if (!waiting_.empty()) write();
            report_losses();
            if (last && failing_) return give_up();
            if (last && waiting_.empty() && queue_.empty()) return;
        }
    }

    /// Lines of the blocks that are there, up to what one write should hold.
    void collect() {
        Block block = queue_.take(kTick);
        while (block.count != 0) {
            record::BlockReader reader(block.bytes.view());
            while (!reader.empty()) {
                const auto record = reader.next();
                if (!record) continue;
                append_line(waiting_, *record, options_.format);
                ++waiting_lines_;
            }
            queue_.recycle(std::move(block.bytes));
            if (waiting_.size() >= kWriteBytes) return;
            block = queue_.take(milliseconds(0));
        }
    }

    void write() {
        const auto written = file_.write(waiting_);
        const auto left = static_cast<uint64_t>(std::ranges::count(waiting_, '\n'));
        lines_.fetch_add(waiting_lines_ - left, std::memory_order_relaxed);
        waiting_lines_ = left;
        if (written) {
            if (std::exchange(failing_, false)) recovered();
            return;
        }
        errors_.fetch_add(1, std::memory_order_relaxed);
        if (std::exchange(failing_, true)) return;
        failing_since_ = steady_clock::now();
        // The lines lost meanwhile are told when it is over.
        lost_before_ = queue_.dropped();
        options_.log(name_ + ": " + written.error() +
                     "; proxying goes on, lines wait in memory and are lost when there are too "
                     "many; trying again twice a second");
    }

    void recovered() {
        const uint64_t lost = queue_.dropped() - lost_before_;
        lost_told_ = queue_.dropped();
        const auto lasted =
            std::chrono::duration_cast<seconds>(steady_clock::now() - failing_since_);
        options_.log(name_ + ": writes again after " + std::to_string(lasted.count()) + " s; " +
                     std::to_string(lost) + " lines were lost");
    }

    void reopen_file() {
        if (const auto opened = file_.open(); !opened) {
            options_.log(opened.error() + "; going on with the former file");
        }
    }

    void report_losses() {
        const uint64_t lost = queue_.dropped();
        const auto now = steady_clock::now();
        if (failing_ || lost == lost_told_ || now < next_report_) return;
        options_.log(name_ + ": " + std::to_string(lost - lost_told_) +
                     " lines were lost because they came faster than they can be written");
        lost_told_ = lost;
        next_report_ = now + kLogInterval;
    }

    void give_up() {
        uint64_t lost = waiting_lines_;
        while (true) {
            const Block block = queue_.take(milliseconds(0));
            if (block.count == 0) break;
            lost += block.count;
        }
        unwritten_.fetch_add(lost, std::memory_order_relaxed);
        lost += queue_.dropped() - lost_before_;
        options_.log(name_ + ": " + std::to_string(lost) + " lines were lost at the end");
    }

    const AccessLogOptions options_;
    Queue queue_;
    LogFile file_;
    const std::string name_ = "access log " + options_.path;
    std::string waiting_;  // lines to be written
    uint64_t waiting_lines_ = 0;
    bool failing_ = false;
    steady_clock::time_point failing_since_;
    steady_clock::time_point next_report_;
    uint64_t lost_before_ = 0;  // the present failing
    uint64_t lost_told_ = 0;
    std::atomic<bool> reopen_wanted_ = false;
    std::atomic<uint64_t> lines_{0};
    std::atomic<uint64_t> unwritten_{0};
    std::atomic<uint64_t> errors_{0};
    std::thread thread_;
};

}  // namespace

std::expected<std::unique_ptr<AccessLog>, std::string> AccessLog::open(AccessLogOptions options) {
    if (!options.log) options.log = [](const std::string&) {};
    auto log = std::make_unique<ThreadedLog>(std::move(options));
    if (auto started = log->start(); !started) return std::unexpected(started.error());
    return log;
}

}  // namespace edgecase::access_log
