// What shipping to ClickHouse costs an edge, and records of very many edges through the real
// schema.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "clickhouse/delivery.hpp"
#include "clickhouse/shipper.hpp"
#include "record/binary.hpp"
#include "store/outbox.hpp"

namespace {

using namespace edgecase;
using Clock = std::chrono::steady_clock;

int fail(std::string_view what) {
    fmt::print(stderr, "ledger_bench: {}\n", what);
    return 1;
}

double cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

uint64_t number(const char* text) {
    return std::strtoull(text, nullptr, 10);
}

void print_figures(uint64_t records, uint64_t batches, double seconds, double cpu) {
    const auto count = static_cast<double>(std::max<uint64_t>(records, 1));
    fmt::print(
        "{{\"records\":{},\"batches\":{},\"seconds\":{:.3f},\"records_per_second\":{:.0f},"
        "\"cpu_us_per_record\":{:.3f}}}\n",
        records, batches, seconds, count / seconds, cpu / count * 1e6);
}

/// All that a store has, by the shipper that an edge runs.
int ship(const std::string& data_dir, clickhouse::Settings settings) {
    auto outbox = store::Outbox::open(data_dir);
    if (!outbox) return fail(outbox.error());
    const auto waiting = outbox->waiting();
    if (!waiting) return fail(waiting.error());
    const uint64_t records = waiting->cases + waiting->successes;
    clickhouse::ShipperOptions options;
    options.ledger = std::move(settings);
    options.data_dir = data_dir;
    options.node = "bench";
    options.log = [](const std::string& line) { fmt::print(stderr, "{}\n", line); };
    const auto began = Clock::now();
    const double cpu = cpu_seconds();
    const auto shipper = clickhouse::Shipper::start(std::move(options));
    auto said = began;
    while (shipper->counters().shipped < records) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        if (Clock::now() - said < std::chrono::seconds(10)) continue;
        said = Clock::now();
        fmt::print(stderr, "{} of {} records\n", shipper->counters().shipped, records);
    }
    const std::chrono::duration<double> lasted = Clock::now() - began;
    const auto counters = shipper->counters();
    print_figures(counters.shipped, counters.batches, lasted.count(), cpu_seconds() - cpu);
    return 0;
}

record::Record request_of(record::RayIdMaker& maker, base::WallTime now, uint64_t i,
                          std::mt19937_64& random) {
    record::Record record;
    record.start = now;
    record.ray = maker.make(now);
    record.duration_us = static_cast<int64_t>(500 + random() % 20'000);
    record.first_byte_us = record.duration_us - 100;
    record.colo = "SIM";
    record.client = *ip::Endpoint::parse("203.0.113.9:51000");
    record.edge = *ip::Endpoint::parse("203.0.113.1:443");
    record.scheme = "https";
    record.protocol = "HTTP/2";
    record.method = "GET";
    record.host = fmt::format("site{}.example", random() % 50);
    record.uri = fmt::format("/section{}/item-{}?page={}", random() % 20, i, random() % 9);
    record.user_agent =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
        "Safari/537.36";
    record.origin_url = fmt::format("http://10.0.0.{}:8080", random() % 3 + 1);
    record.request_bytes = 420;
    record.response_bytes = 1000 + random() % 30'000;
    record.edge_status = record.origin_status = 200;
    record.content_type = "text/html; charset=utf-8";
    record::Attempt attempt;
    attempt.origin = *ip::Endpoint::parse("10.0.0.1:8080");
    attempt.edge = *ip::Endpoint::parse("10.0.1.1:40000");
    attempt.reused = true;
    attempt.nth_request = 14;
    attempt.total_us = record.duration_us - 50;
    attempt.status = 200;
    record.attempts.push_back(std::move(attempt));
    if (random() % 200 == 0) {
        record.cause = record.attempts[0].cause = cause::Cause::resp_empty_fin;
        record.edge_status = cause::row(record.cause).status;
        record.origin_status = record.attempts[0].status = 0;
        record.evidence.add("bytes_read", 0).add("bytes_acked", 500).add("close", "fin");
        record.attempts[0].evidence = record.evidence;
    }
    return record;
}

/// Batches of `nodes` edges in turn, each to the server that its edge would choose first.
int simulate(clickhouse::Settings settings, uint64_t nodes, uint64_t records,
             uint64_t records_per_batch) {
    clickhouse::Client client(std::move(settings));
    std::mt19937_64 random(1);
    const auto began = Clock::now();
    const double cpu = cpu_seconds();
    uint64_t done = 0;
    uint64_t batches = 0;
    for (uint64_t node = 0; done < records; node = (node + 1) % nodes) {
        const base::WallTime now = base::SystemClock().wall_now();
        record::RayIdMaker maker(static_cast<unsigned>(node), static_cast<unsigned>(batches % 32));
        base::ByteBuffer blocks[2];
        for (uint64_t i = 0; i < records_per_batch; ++i) {
            const record::Record one = request_of(maker, now, done + i, random);
            record::encode(blocks[record::is_case(one) ? 0 : 1], one);
        }
        const std::string name = fmt::format("node-{}", node);
        clickhouse::RowMaker rows(name, true);
        for (const auto kind : {clickhouse::Kind::cases, clickhouse::Kind::successes}) {
            const auto& block = blocks[static_cast<size_t>(kind)];
            if (block.empty()) continue;
            store::Parcel parcel;
            parcel.kind = kind;
            parcel.bytes = block.view();
            parcel.rows.push_back({.bytes = parcel.bytes.size(), .records = 0});
            const auto batch = clickhouse::make_batch(batches, parcel, rows);
            const auto sent = clickhouse::deliver(client, node % client.servers(), batch, false);
            if (!sent) return fail(sent.error().message);
            ++batches;
        }
        done += records_per_batch;
    }
    const std::chrono::duration<double> lasted = Clock::now() - began;
    print_figures(done, batches, lasted.count(), cpu_seconds() - cpu);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        return fail(
            "usage: ledger_bench ship DATA_DIR DATABASE URL | "
            "simulate NODES RECORDS PER_BATCH DATABASE CLUSTER URL...");
    }
    clickhouse::Settings settings;
    const bool ships = std::string_view(argv[1]) == "ship";
    settings.database = argv[ships ? 3 : 5];
    if (!ships) settings.cluster = argv[6];
    for (int i = ships ? 4 : 7; i < argc; ++i) settings.urls.emplace_back(argv[i]);
    {
        clickhouse::Client client(settings);
        if (const auto made = clickhouse::migrate(client); !made) return fail(made.error());
    }
    if (ships) return ship(argv[2], std::move(settings));
    return simulate(std::move(settings), number(argv[2]), number(argv[3]), number(argv[4]));
}
