#include "admin/findings_cache.hpp"

#include "admin/records_api.hpp"
#include "diagnose/findings_json.hpp"
#include "record/case_json.hpp"

namespace edgecase::admin {
namespace {

using std::chrono::steady_clock;

Response compute(const OpenSource& open) {
    const base::WallTime now = base::SystemClock().wall_now();
    const auto source = open();
    if (!source) return Response::error(503, source.error());
    diagnose::FindingsMaker maker;
    uint64_t failures = 0;
    const base::WallTime wanted = now - FindingsCache::kSpan;
    const auto since = (*source)->visit_recent(
        wanted, FindingsCache::kMaximumRecords, [&](const record::Record& record) {
            failures += record::is_failure(record.cause) ? 1 : 0;
            maker.take(record);
        });
    if (!since) return Response::error(503, since.error());
    const nlohmann::ordered_json json{{"computed", record::rfc3339(now)},
                                      {"since", record::rfc3339(*since)},
                                      {"until", record::rfc3339(now)},
                                      {"records", maker.requests()},
                                      {"failures", failures},
                                      {"sampled", *since > wanted + std::chrono::milliseconds(1)},
                                      {"findings", diagnose::findings_json(maker.findings())}};
    Response response = Response::json(json.dump() + "\n");
    add_missing(response, **source);
    return response;
}

}  // namespace

FindingsCache::FindingsCache(OpenSource open)
    : open_(std::move(open)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

FindingsCache::~FindingsCache() = default;

Response FindingsCache::answer() {
    std::unique_lock lock(mutex_);
    if (!has_result_ || steady_clock::now() - computed_ > kFresh) {
        wanted_ = true;
        changed_.notify_all();
    }
    if (has_result_) return last_;
    const uint64_t before = rounds_;
    const bool there = changed_.wait_for(lock, kPatience, [&] { return rounds_ != before; });
    return there ? last_ : Response::error(503, "the findings are being computed; ask again");
}

void FindingsCache::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [&] { return wanted_; })) {
        lock.unlock();
        Response result = compute(open_);
        lock.lock();
        // What was found before is better than why it cannot be found now.
        const bool good = result.status == 200;
        if (good || !has_result_) last_ = std::move(result);
        if (good) computed_ = steady_clock::now();
        has_result_ = has_result_ || good;
        ++rounds_;
        wanted_ = false;
        changed_.notify_all();
    }
}

}  // namespace edgecase::admin
