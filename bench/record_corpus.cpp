// Fills a record store with a month of made-up traffic, for `./dev bench analytics`.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "record/binary.hpp"
#include "record/rollup.hpp"
#include "store/block_queue.hpp"
#include "store/rollup_writer.hpp"
#include "store/schema.hpp"
#include "store/writer.hpp"

namespace {

using namespace edgecase;
using cause::Cause;

struct Failure {
    Cause cause;
    uint16_t edge_status;
};
constexpr std::array kFailures{
    Failure{Cause::resp_empty_fin, 520},  Failure{Cause::reuse_stale, 520},
    Failure{Cause::connect_refused, 521}, Failure{Cause::connect_timeout, 522},
    Failure{Cause::time_first_byte, 524}, Failure{Cause::origin_status, 503}};
constexpr Failure kDown{Cause::connect_refused, 521};
constexpr std::array<std::string_view, 6> kHosts{"shop.example",   "www.example",  "api.example",
                                                 "static.example", "blog.example", "admin.example"};
constexpr std::array<std::string_view, 3> kOrigins{"http://10.0.0.1:8080", "http://10.0.0.2:8080",
                                                   "http://10.0.0.3:8080"};
constexpr double kFailureShare = 0.005;
constexpr unsigned kPaths = 60;

int fail(std::string_view what, std::string_view why) {
    fmt::print(stderr, "record_corpus: {}: {}\n", what, why);
    return 1;
}

class Corpus {
  public:
    explicit Corpus(store::Database& database)
        : writer_(*store::Writer::prepare(database)),
          rollups_(*store::RollupWriter::prepare(database)) {}

    bool add(const record::RecordView& record) {
        const int64_t minute = record::minute_of(record);
        if (minute != minute_ && !flush()) return false;
        minute_ = minute;
        table_[minute].add(record);
        const bool is_case = record::is_case(record);
        store::Block& block = is_case ? case_ : success_;
        const bool is_new_slot = store::slot_of(record.ray) != store::slot_of(block.last_ray);
        if (block.count != 0 && (block.bytes.size() >= store::kBlockBytes - 4096 || is_new_slot)) {
            hand_over(block, is_case);
        }
        if (block.count == 0) block.first_ray = record.ray;
        block.last_ray = record.ray;
        block.end_ms = (record.start.time_since_epoch().count() + record.duration_us) / 1000;
        encode(block.bytes, record);
        ++block.count;
        return batch_.successes.size() + batch_.cases.size() < 64 || write();
    }

    bool flush() {
        hand_over(success_, false);
        hand_over(case_, true);
        const bool done = write() && (table_.empty() || rollups_.write(table_));
        table_.clear();
        return done;
    }

  private:
    void hand_over(store::Block& block, bool is_case) {
        if (block.count != 0)
            (is_case ? batch_.cases : batch_.successes).push_back(std::move(block));
        block = {};
    }
    bool write() {
        const bool done = batch_.empty() || writer_.write(batch_);
        batch_ = {};
        return done;
    }

    store::Writer writer_;
    store::RollupWriter rollups_;
    store::Batch batch_;
    store::Block success_;
    store::Block case_;
    record::RollupMinutes table_;
    int64_t minute_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const bool restarts = argc == 5 && std::string_view(argv[4]) == "restart";
    if (argc != 4 && !restarts) {
        fmt::print(stderr,
                   "usage: record_corpus DIRECTORY RECORDS DAYS [restart]\nprints sample rays; "
                   "restart: nothing fails but in two minutes, in which nobody listens\n");
        return 2;
    }
    const uint64_t total = std::strtoull(argv[2], nullptr, 10);
    const int64_t days = std::strtoll(argv[3], nullptr, 10);
    auto database = store::open_for_writing(argv[1], [](const std::string&) {});
    if (!database) return fail(argv[1], database.error().message);
    Corpus corpus(*database);
    std::mt19937_64 random(1);
    std::lognormal_distribution<double> latency(9.5, 1.2);
    std::uniform_real_distribution<double> share(0, 1);
    record::RayIdMaker maker(1, 0);
    const base::WallTime end = base::SystemClock().wall_now();
    const base::WallTime begin = end - std::chrono::hours(24 * days);
    const uint64_t sample = std::max<uint64_t>(1, total / 4000);
    std::string uri;
    for (uint64_t i = 0; i < total; ++i) {
        record::RecordView record;
        const double at = static_cast<double>(i) / static_cast<double>(total);
        record.start = begin + std::chrono::microseconds(static_cast<int64_t>(
                                   at * static_cast<double>((end - begin).count())));
        record.ray = maker.make(record.start);
        record.first_byte_us = static_cast<int64_t>(latency(random));
        record.duration_us = record.first_byte_us + 300;
        record.colo = "LAB";
        record.scheme = "https";
        record.protocol = "HTTP/2";
        record.method = "GET";
        record.host = kHosts[random() % kHosts.size()];
        uri = fmt::format("/section{}/item/{}?page={}",
                          static_cast<char>('a' + random() % kPaths % 26), random() % 1'000'000,
                          random() % 9);
        record.uri = uri;
        record.user_agent = "Mozilla/5.0 (X11; Linux x86_64) Chrome/131.0.0.0 Safari/537.36";
        record.origin_url = kOrigins[random() % kOrigins.size()];
        record.request_bytes = 400;
        record.response_bytes = 4000;
        record.edge_status = record.origin_status = 200;
        record.content_type = "text/html";
        record::Attempt attempt;
        attempt.origin = *ip::Endpoint::parse("10.0.0.1:8080");
        attempt.reused = true;
        attempt.nth_request = 7;
        attempt.first_byte_us = record.first_byte_us;
        attempt.header_bytes = 300;
        attempt.status = 200;
        const bool is_down = record.start >= begin + (end - begin) / 2 &&
                             record.start < begin + (end - begin) / 2 + std::chrono::minutes(2);
        if (restarts ? is_down : share(random) < kFailureShare) {
            const Failure& failure = restarts ? kDown : kFailures[random() % kFailures.size()];
            record.cause = attempt.cause = failure.cause;
            record.edge_status = failure.edge_status;
            record.origin_status = failure.cause == Cause::origin_status ? 503 : 0;
            record.evidence.add("bytes_received", 0).add("bytes_sent", 400).add("elapsed_ms", 12);
            attempt.evidence = record.evidence;
        }
        record.attempts.push_back(attempt);
        if (!corpus.add(record)) return fail(argv[1], "cannot write");
        if (i % sample == 0) fmt::print("{}\n", record.ray.to_string());
    }
    return corpus.flush() ? 0 : fail(argv[1], "cannot write");
}
