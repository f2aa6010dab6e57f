// How many records a second the store takes, and what the writer thread pays for each.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <thread>

#include "store/store.hpp"

namespace {

using namespace edgecase;
using Clock = std::chrono::steady_clock;

double thread_cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double process_cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

base::WallTime wall_now() {
    return base::SystemClock().wall_now();
}

/// A record as an ordinary GET leaves it: one attempt on a pooled connection.
record::RecordView success() {
    record::RecordView record;
    record.duration_us = 1250;
    record.first_byte_us = 1200;
    record.colo = "LAB";
    record.client = *ip::Endpoint::parse("203.0.113.9:51000");
    record.edge = *ip::Endpoint::parse("203.0.113.1:443");
    record.scheme = "http";
    record.protocol = "HTTP/1.1";
    record.method = "GET";
    record.host = "shop.example.com";
    record.uri = "/products/item-12345?colour=blue&size=10";
    record.user_agent =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
        "Safari/537.36";
    record.origin_url = "http://127.0.0.1:3000";
    record.request_bytes = 420;
    record.response_bytes = 1300;
    record.response_body_bytes = 1024;
    record.edge_status = 200;
    record.origin_status = 200;
    record.content_type = "text/html; charset=utf-8";
    record.response_header_bytes = 276;
    record::Attempt attempt;
    attempt.origin = *ip::Endpoint::parse("127.0.0.1:3000");
    attempt.edge = *ip::Endpoint::parse("127.0.0.1:40000");
    attempt.connection_id = 77;
    attempt.reused = true;
    attempt.idle_us = 120'000;
    attempt.nth_request = 14;
    attempt.connect_us = 0;
    attempt.send_us = 20;
    attempt.first_byte_us = 1000;
    attempt.header_us = 1010;
    attempt.total_us = 1100;
    attempt.bytes_sent = 500;
    attempt.bytes_received = 1300;
    attempt.header_bytes = 276;
    attempt.status = 200;
    record.attempts.push_back(attempt);
    return record;
}

record::RecordView failure() {
    record::RecordView record = success();
    record.edge_status = 520;
    record.origin_status = 0;
    record.cause = cause::Cause::resp_empty_fin;
    record.evidence.add("bytes_read", 0).add("bytes_acked", 500).add("elapsed_ms", 12);
    record.evidence.add("tcp_rtt_us", 180).add("tcp_retransmits", 0).add("close", "fin");
    record.attempts[0].cause = record.cause;
    record.attempts[0].evidence = record.evidence;
    return record;
}

struct Result {
    double per_second = 0;
    double writer_us = 0;  // CPU of the writer thread per record
    double worker_ns = 0;  // CPU of the worker thread per record
    uint64_t dropped = 0;
    double bytes = 0;  // of file per record
};

/// Writes as fast as the store takes them: waits when half of the queue is used, so nothing drops.
Result run(const std::filesystem::path& dir, record::RecordView record, uint64_t total) {
    store::StoreOptions options;
    options.data_dir = dir;
    options.retention_bytes = uint64_t{1} << 34;
    auto opened = store::Store::open(options);
    if (!opened) {
        fmt::print(stderr, "{}\n", opened.error());
        std::exit(1);
    }
    auto store = std::move(*opened);
    auto sink = store->make_sink();
    record::RayIdMaker maker(1, 0);
    const auto began = Clock::now();
    const double process_before = process_cpu_seconds();
    const double worker_before = thread_cpu_seconds();
    double writing = 0;
    constexpr uint64_t kBurst = 500;
    constexpr uint64_t kAhead = 20'000;
    for (uint64_t done = 0; done < total; done += kBurst) {
        const double before = thread_cpu_seconds();
        record.start = wall_now();
        for (uint64_t i = 0; i < kBurst; ++i) {
            record.ray = maker.make(record.start);
            sink->write(record);
        }
        writing += thread_cpu_seconds() - before;
        while (done - std::min(done, store->counters().records_written) > kAhead) {
            std::this_thread::sleep_for(std::chrono::microseconds(500));
        }
    }
    sink->flush();
    while (true) {
        const auto counters = store->counters();
        if (counters.records_written + counters.successes_dropped + counters.cases_dropped >=
            total) {
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const std::chrono::duration<double> lasted = Clock::now() - began;
    const auto count = static_cast<double>(total);
    Result result;
    result.per_second = count / lasted.count();
    const double worker = thread_cpu_seconds() - worker_before;
    result.writer_us = (process_cpu_seconds() - process_before - worker) / count * 1e6;
    result.worker_ns = writing / count * 1e9;
    result.dropped = store->counters().successes_dropped + store->counters().cases_dropped;
    sink.reset();
    store.reset();
    result.bytes = static_cast<double>(std::filesystem::file_size(dir / "records.sqlite")) / count;
    return result;
}

}  // namespace

int main(int argc, char** argv) {
    const std::filesystem::path base = argc > 1 ? argv[1] : std::filesystem::temp_directory_path();
    const auto dir = base / fmt::format("edgecase-store-bench-{}", getpid());
    const Result successes = run(dir / "successes", success(), 1'000'000);
    const Result cases = run(dir / "cases", failure(), 100'000);
    std::filesystem::remove_all(dir);
    fmt::print(
        "{{\"successes_per_second\":{:.0f},\"cases_per_second\":{:.0f},\"cpu_us_per_success\":{:."
        "3f},"
        "\"cpu_us_per_case\":{:.3f},\"worker_ns_per_success\":{:.0f},\"worker_ns_per_case\":{:.0f},"
        "\"bytes_per_success\":{:.0f},\"bytes_per_case\":{:.0f},\"dropped\":{}}}\n",
        successes.per_second, cases.per_second, successes.writer_us, cases.writer_us,
        successes.worker_ns, cases.worker_ns, successes.bytes, cases.bytes,
        successes.dropped + cases.dropped);
    return 0;
}
