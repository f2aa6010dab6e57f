#include "cli/service.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <thread>

#include "admin/metrics.hpp"
#include "cause/table.hpp"
#include "cli/console.hpp"
#include "record/ray_id.hpp"

namespace edgecase::cli {
namespace {

using admin::Metric;

/// Freed memory stays with the process: giving it back costs a page fault of microseconds each time
/// it is wanted again, on virtual machines tens of them. Measured in bench/README.md.
void keep_freed_memory() {
    constexpr int kKeptBytes = 64 << 20;
    mallopt(M_TRIM_THRESHOLD, kKeptBytes);
    mallopt(M_MMAP_THRESHOLD, kKeptBytes);
}

/// Every connection is a descriptor; the soft limit is often far below what is allowed.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

Metric counter(std::string name, std::string help) {
    return {std::move(name), std::move(help), Metric::Type::counter, {}};
}

}  // namespace

std::expected<std::unique_ptr<Service>, std::string> Service::start(config::Settings settings) {
    keep_freed_memory();
    raise_descriptor_limit();
    if (settings.workers == 0) {
        settings.workers =
            std::clamp(std::thread::hardware_concurrency(), 1u, record::RayId::kMaximumWorkers);
    }
    std::unique_ptr<Service> service(new Service(std::move(settings)));
    store::StoreOptions options;
    options.data_dir = service->settings_.data_dir;
    options.retention_age = service->settings_.retention.age;
    options.retention_bytes = service->settings_.retention.bytes;
    options.log = [](const std::string& line) { complain(line); };
    auto store = store::Store::open(std::move(options));
    if (!store) return std::unexpected(store.error());
    service->store_ = std::move(*store);

    auto edge = edge::Server::start(service->settings_, service->clock_,
                                    [&store = *service->store_] { return store.make_sink(); });
    if (!edge) return std::unexpected(edge.error());
    service->edge_ = std::move(*edge);

    if (service->settings_.admin) {
        auto admin = admin::AdminServer::start(*service->settings_.admin, service->clock_,
                                               [raw = service.get()] { return raw->metrics(); });
        if (!admin) return std::unexpected(admin.error());
        service->admin_ = std::move(*admin);
    }
    return service;
}

Service::~Service() {
    admin_.reset();  // first: it reads the counters of the others
    edge_.reset();
    store_.reset();
}

ip::Endpoint Service::admin_address() const {
    return admin_ ? admin_->address() : ip::Endpoint();
}

std::string Service::metrics() const {
    Metric connections = counter("edgecase_connections_total", "Client connections accepted.");
    Metric open{
        "edgecase_connections_open", "Client connections open now.", Metric::Type::gauge, {}};
    Metric requests = counter("edgecase_requests_total", "Requests, by what was answered.");
    Metric causes = counter("edgecase_causes_total", "Requests by cause; `none` is a success.");
    Metric retries = counter("edgecase_retries_total", "Attempts that were made again.");
    uint64_t accepted = 0;
    uint64_t opened = 0;
    uint64_t retried = 0;
    std::array<uint64_t, 6> classes{};
    std::array<uint64_t, edge::Counters::kCauses> by_cause{};
    for (const edge::Counters* worker : edge_->counters()) {
        accepted += worker->connections_accepted.get();
        opened += worker->connections_open.get();
        retried += worker->retries.get();
        for (size_t i = 0; i < classes.size(); ++i) {
            classes[i] += worker->responses_by_class[i].get();
        }
        for (size_t i = 0; i < by_cause.size(); ++i) by_cause[i] += worker->by_cause[i].get();
    }
    connections.samples.push_back({{}, accepted});
    open.samples.push_back({{}, opened});
    retries.samples.push_back({{}, retried});
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
    const store::StoreCounters stored = store_->counters();
    Metric written = counter("edgecase_records_written_total", "Records stored.");
    written.samples.push_back({{}, stored.records_written});
    Metric dropped =
        counter("edgecase_records_dropped_total", "Records the store had no room for.");
    dropped.samples.push_back({{{"kind", "success"}}, stored.successes_dropped});
    dropped.samples.push_back({{{"kind", "case"}}, stored.cases_dropped});
    Metric errors = counter("edgecase_store_errors_total", "Failed writes of the store.");
    errors.samples.push_back({{}, stored.write_errors});
    return admin::metrics_text(
        {connections, open, requests, causes, retries, written, dropped, errors});
}

}  // namespace edgecase::cli
