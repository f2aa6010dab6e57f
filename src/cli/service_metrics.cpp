// What a running edge counts, as metrics.
#include <fmt/format.h>

#include <array>

#include "admin/metrics.hpp"
#include "cause/table.hpp"
#include "cli/service.hpp"

namespace edgecase::cli {
namespace {

using admin::Metric;
using Durations = std::array<uint64_t, edge::Counters::kDurationBoundsUs.size() + 1>;

Metric counter(std::string name, std::string help) {
    return {std::move(name), std::move(help), Metric::Type::counter, {}};
}

/// Steps add up, as Prometheus wants them.
Metric duration_metric(const Durations& durations, uint64_t sum_us) {
    Metric metric{"edgecase_request_duration_seconds",
                  "From the request's first byte to the last of its answer.",
                  Metric::Type::histogram,
                  {}};
    uint64_t count = 0;
    for (size_t i = 0; i < durations.size(); ++i) {
        count += durations[i];
        const bool last = i == edge::Counters::kDurationBoundsUs.size();
        const std::string bound =
            last ? "+Inf"
                 : fmt::format("{}",
                               static_cast<double>(edge::Counters::kDurationBoundsUs[i]) / 1e6);
        metric.samples.push_back({{{"le", bound}}, count, "_bucket"});
    }
    metric.samples.push_back({{}, 0, "_sum", static_cast<double>(sum_us) / 1e6});
    metric.samples.push_back({{}, count, "_count"});
    return metric;
}

}  // namespace

std::string Service::metrics() {
    Metric connections = counter("edgecase_connections_total", "Client connections accepted.");
    Metric open{
        "edgecase_connections_open", "Client connections open now.", Metric::Type::gauge, {}};
    Metric requests = counter("edgecase_requests_total", "Requests, by what was answered.");
    Metric causes = counter("edgecase_causes_total", "Requests by cause; `none` is a success.");
    Metric retries = counter("edgecase_retries_total", "Attempts that were made again.");
    uint64_t accepted = 0;
    uint64_t opened = 0;
    uint64_t retried = 0;
    uint64_t hinted = 0;
    std::array<uint64_t, 6> classes{};
    std::array<uint64_t, edge::Counters::kCauses> by_cause{};
    Durations durations{};
    uint64_t duration_us = 0;
    std::unique_lock lock(shown_mutex_);
    for (const auto& worker : counters_) {
        accepted += worker->connections_accepted.get();
        opened += worker->connections_open.get();
        retried += worker->retries.get();
        hinted += worker->early_hints.get();
        for (size_t i = 0; i < classes.size(); ++i) {
            classes[i] += worker->responses_by_class[i].get();
        }
        for (size_t i = 0; i < by_cause.size(); ++i) by_cause[i] += worker->by_cause[i].get();
        for (size_t i = 0; i < durations.size(); ++i) durations[i] += worker->durations[i].get();
        duration_us += worker->duration_us.get();
    }
    Metric reloads = counter("edgecase_reloads_total", "Configurations taken while running.");
    reloads.samples.push_back({{}, reloads_});
    Metric healthy{"edgecase_origin_healthy",
                   "1 unless its health checks have taken the origin out of its pool.",
                   Metric::Type::gauge,
                   {}};
    health_->for_each([&](const auto& pool, const auto& origin, const auto& state) {
        healthy.samples.push_back(
            {{{"pool", pool}, {"origin", origin}}, state.healthy.load() ? 1u : 0u});
    });
    lock.unlock();
    connections.samples.push_back({{}, accepted});
    open.samples.push_back({{}, opened});
    retries.samples.push_back({{}, retried});
    Metric hints = counter("edgecase_early_hints_total", "103 Early Hints made by the edge.");
    hints.samples.push_back({{}, hinted});
    for (size_t i = 0; i < classes.size(); ++i) {
        const std::string name = i == 0 ? "none" : std::to_string(i) + "xx";
        requests.samples.push_back({{{"status", name}}, classes[i]});
    }
    for (const cause::Row& row : cause::table()) {
        const uint64_t count = by_cause[static_cast<size_t>(row.cause) % by_cause.size()];
        if (count == 0) continue;
        causes.samples.push_back({{{"cause", std::string(row.name)},
                                   {"actor", std::string(cause::to_string(row.actor))}},
                                  count});
    }
    const store::StoreCounters stored = recording_->stored();
    Metric written = counter("edgecase_records_written_total", "Records stored.");
    written.samples.push_back({{}, stored.records_written});
    Metric dropped =
        counter("edgecase_records_dropped_total", "Records the store had no room for.");
    dropped.samples.push_back({{{"kind", "success"}}, stored.successes_dropped});
    dropped.samples.push_back({{{"kind", "case"}}, stored.cases_dropped});
    Metric errors = counter("edgecase_store_errors_total", "Failed writes of the store.");
    errors.samples.push_back({{}, stored.write_errors});
    std::vector<Metric> all{connections, open,    requests, causes,  retries, hints,
                            healthy,     reloads, written,  dropped, errors};
    all.push_back(counter("edgecase_rollup_requests_lost_total",
                          "Requests that traffic does not count, the store having been away."));
    all.back().samples.push_back({{}, stored.requests_uncounted});
    all.push_back(duration_metric(durations, duration_us));
    all.push_back({"edgecase_build_info",
                   "1, with the version.",
                   Metric::Type::gauge,
                   {{{{"version", EDGECASE_VERSION}}, 1}}});
    all.push_back(
        {"edgecase_start_time_seconds",
         "When the process started, in seconds since 1970.",
         Metric::Type::gauge,
         {{{}, static_cast<uint64_t>(base::milliseconds(started_.time_since_epoch()) / 1000)}}});
    all.push_back({"edgecase_draining",
                   "1 while it answers that it wants no more requests.",
                   Metric::Type::gauge,
                   {{{}, switches_->draining ? 1u : 0u}}});
    if (const auto counted = recording_->logged()) {
        const auto add = [&](std::string name, std::string help, uint64_t value) {
            all.push_back(counter(std::move(name), std::move(help)));
            all.back().samples.push_back({{}, value});
        };
        add("edgecase_access_log_lines_total", "Lines of the access log.", counted->lines);
        add("edgecase_access_log_dropped_total", "Lines that the access log had no room for.",
            counted->dropped);
        add("edgecase_access_log_errors_total", "Failed writes of the access log.",
            counted->errors);
    }
    if (const auto shipped = recording_->shipped()) {
        const auto add = [&](std::string name, std::string help, uint64_t value,
                             Metric::Type type = Metric::Type::counter) {
            all.push_back({std::move(name), std::move(help), type, {{{}, value}}});
        };
        add("edgecase_ledger_records_shipped_total", "Records that the ledger has acknowledged.",
            shipped->shipped);
        add("edgecase_ledger_batches_total", "Batches of them.", shipped->batches);
        add("edgecase_ledger_errors_total", "Batches that the ledger did not take.",
            shipped->failures);
        add("edgecase_ledger_records_lost_total",
            "Records that went from the store before the ledger had them.",
            shipped->lost + stored.unshipped);
        add("edgecase_ledger_records_waiting", "Records that are still to be shipped.",
            shipped->waiting, Metric::Type::gauge);
        add("edgecase_ledger_up", "1 unless no server of the ledger takes records.",
            shipped->away ? 0 : 1, Metric::Type::gauge);
    }
    return admin::metrics_text(all);
}

}  // namespace edgecase::cli
