// One suite for both places where records may live. ClickHouse takes part where
// EDGECASE_CLICKHOUSE names a server: tests/ledger_suite_test.py starts one.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "clickhouse/schema.hpp"
#include "clickhouse/shipper.hpp"
#include "clickhouse/source.hpp"
#include "record/rollup.hpp"
#include "record/traffic.hpp"
#include "store/follower.hpp"
#include "store/store.hpp"
#include "store/test_support.hpp"

namespace edgecase::clickhouse {
namespace {

using record::CaseFilter;
using record::Record;
using record::RecordView;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using store::eventually;
using store::wall_now;

constexpr size_t kRecords = 3000;

/// What the texts of the views in `Corpus` live in.
struct Texts {
    std::string host;
    std::string uri;
    std::string agent;
    std::string origin;
};

/// Every byte there is, what SQL gives a meaning to, and a few ordinary ones.
std::string strange(size_t i) {
    std::string text = "a'b\\c`d\"e$f{g:String}--";
    for (int byte = 0; byte < 256; ++byte) text += static_cast<char>(byte);
    return text + std::to_string(i);
}

struct Corpus {
    std::vector<Texts> texts;
    std::vector<RecordView> views;

    /// Of the last half hour, each tenth a failure, one of them with all bytes in its evidence.
    explicit Corpus(base::WallTime now) {
        texts.reserve(kRecords);
        record::RayIdMaker maker(9, 1);
        for (size_t i = 0; i < kRecords; ++i) {
            const std::string n = std::to_string(i);
            texts.push_back({.host = i % 3 == 0 ? "Shop.example:8443" : "www.example",
                             .uri = (i % 7 == 3 ? "/cart/" : "/items/") + n + "?q=" + n,
                             .agent = strange(i),
                             .origin = "http://10.0.0." + std::to_string(i % 4 + 1) + ":80"});
            const Texts& text = texts.back();
            RecordView view;
            view.start = now - minutes(25) + i * microseconds(minutes(24)) / kRecords;
            view.ray = maker.make(view.start);
            view.duration_us = 1000 + static_cast<int64_t>(i * 7919 % 100'000);
            view.first_byte_us = i % 5 == 0 ? -1 : view.duration_us / 2;
            view.colo = "FRA";
            view.method = i % 4 == 0 ? "POST" : "GET";
            view.host = text.host;
            view.uri = text.uri;
            view.user_agent = text.agent;
            view.origin_url = text.origin;
            view.request_bytes = 100 + i;
            view.response_bytes = 1000 + i;
            view.edge_status = view.origin_status = 200;
            view.attempts.emplace_back();
            if (i % 10 == 0) fail(view, i);
            views.push_back(std::move(view));
        }
    }

    static void fail(RecordView& view, size_t i) {
        constexpr cause::Cause kCauses[] = {cause::Cause::resp_empty_fin,
                                            cause::Cause::connect_refused,
                                            cause::Cause::time_first_byte};
        view.cause = kCauses[i / 10 % 3];
        view.edge_status = cause::row(view.cause).status;
        view.origin_status = 0;
        view.evidence.add("header_line", strange(i)).add("bytes_read", static_cast<int64_t>(i));
        view.attempts[0].cause = view.cause;
        view.attempts[0].evidence = view.evidence;
    }

    /// Newest first, as a source gives them.
    std::vector<record::RayId> cases(const std::function<bool(const RecordView&)>& wanted) const {
        std::vector<record::RayId> rays;
        for (const RecordView& view : views) {
            if (record::is_case(view) && wanted(view)) rays.push_back(view.ray);
        }
        std::ranges::reverse(rays);
        return rays;
    }
};

enum class Place : uint8_t { sqlite, clickhouse };

std::string name_of(const testing::TestParamInfo<Place>& info) {
    return info.param == Place::sqlite ? "sqlite" : "clickhouse";
}

/// The corpus, written once for each place.
class Written {
  public:
    explicit Written(Place place) : place_(place) {
        store::StoreOptions options;
        options.data_dir = directory_.path();
        auto opened = store::Store::open(options);
        EXPECT_TRUE(opened);
        const auto sink = (*opened)->make_sink();
        for (const RecordView& view : corpus_.views) sink->write(view);
        sink->flush();
        EXPECT_TRUE(eventually([&] { return (*opened)->counters().records_written == kRecords; }));
        if (place == Place::clickhouse) ship();
    }
    Written(const Written&) = delete;
    Written& operator=(const Written&) = delete;
    ~Written() {
        if (place_ == Place::sqlite) return;
        Client client(settings_);
        (void)client.ask(0, "DROP DATABASE " + identifier(settings_.database));
    }

    static Written& of(Place place) {
        static std::map<Place, Written> all;
        return all.try_emplace(place, place).first->second;
    }

    std::unique_ptr<record::Source> open() const {
        auto source = place_ == Place::sqlite ? store::open_source(directory_.path())
                                              : open_source(settings_);
        EXPECT_TRUE(source) << source.error();
        return std::move(*source);
    }

    const Corpus& corpus() const { return corpus_; }
    base::WallTime now() const { return now_; }

  private:
    void ship() {
        settings_.urls = {std::getenv("EDGECASE_CLICKHOUSE")};
        settings_.database = "suite_" + std::to_string(getpid());
        Client client(settings_);
        const auto made = migrate(client);
        ASSERT_TRUE(made) << made.error();
        ShipperOptions options;
        options.ledger = settings_;
        options.data_dir = directory_.path();
        options.node = "fra-1";
        options.redacts = false;
        const auto shipper = Shipper::start(std::move(options));
        EXPECT_TRUE(eventually([&] { return shipper->counters().shipped == kRecords; }));
    }

    const Place place_;
    const base::WallTime now_ = wall_now();
    const Corpus corpus_{now_};
    store::TemporaryDirectory directory_;
    Settings settings_;
};

void expect_paths(const Corpus& corpus, const record::Traffic& traffic) {
    std::map<std::string, record::RollupCounts> expected;
    for (const RecordView& view : corpus.views) {
        record::RollupCounts& counts =
            expected[view.uri.starts_with("/c") ? "/cart/{n}" : "/items/{n}"];
        ++counts.requests;
        counts.failures += record::is_failure(view.cause) ? 1 : 0;
        counts.latency.add(view.first_byte_us >= 0 ? view.first_byte_us : view.duration_us);
    }
    ASSERT_EQ(traffic.paths.size(), expected.size());
    for (const record::TrafficTop& path : traffic.paths) {
        const record::RollupCounts& counts = expected[path.key];
        EXPECT_EQ(path.requests, counts.requests) << path.key;
        EXPECT_EQ(path.failures, counts.failures) << path.key;
        EXPECT_EQ(path.p95_us, counts.latency.percentile_us(0.95)) << path.key;
    }
}

class SourceTest : public testing::TestWithParam<Place> {
  protected:
    void SetUp() override {
        if (GetParam() == Place::clickhouse && std::getenv("EDGECASE_CLICKHOUSE") == nullptr) {
            GTEST_SKIP() << "EDGECASE_CLICKHOUSE names no server";
        }
        written_ = &Written::of(GetParam());
        source_ = written_->open();
    }

    std::vector<record::RayId> rays(const CaseFilter& filter) {
        const auto found = source_->cases(filter);
        EXPECT_TRUE(found) << found.error();
        std::vector<record::RayId> rays;
        for (const Record& one : *found) rays.push_back(one.ray);
        return rays;
    }
    const Corpus& corpus() const { return written_->corpus(); }

    Written* written_ = nullptr;
    std::unique_ptr<record::Source> source_;
};

TEST_P(SourceTest, finds_every_record_by_its_ray_byte_for_byte) {
    for (size_t i = 0; i < kRecords; i += 10 - i % 10 / 9) {
        const RecordView& view = corpus().views[i];
        const auto found = source_->find(view.ray);
        ASSERT_TRUE(found) << found.error();
        ASSERT_TRUE(*found) << i;
        EXPECT_EQ((*found)->user_agent, view.user_agent);
        EXPECT_EQ((*found)->uri, view.uri);
        EXPECT_EQ((*found)->start, view.start);
        EXPECT_EQ((*found)->cause, view.cause);
        EXPECT_EQ((*found)->evidence, view.evidence);
    }
    const auto none = source_->find(record::RayId(corpus().views[0].ray.value() + 1));
    ASSERT_TRUE(none);
    EXPECT_FALSE(*none);
}

TEST_P(SourceTest, lists_cases_newest_first_by_every_filter) {
    const auto all = [](const RecordView&) { return true; };
    CaseFilter filter;
    filter.limit = kRecords;
    EXPECT_EQ(rays(filter), corpus().cases(all));
    filter.limit = 7;
    auto first = corpus().cases(all);
    first.resize(7);
    EXPECT_EQ(rays(filter), first);

    filter = {.limit = kRecords};
    filter.status = uint16_t{502};
    EXPECT_TRUE(rays(filter).empty());
    filter.status = cause::row(cause::Cause::connect_refused).status;
    EXPECT_EQ(rays(filter), corpus().cases([](const RecordView& view) {
        return view.cause == cause::Cause::connect_refused;
    }));
    filter = {.cause = "resp", .limit = kRecords};
    EXPECT_EQ(rays(filter), corpus().cases([](const RecordView& view) {
        return view.cause == cause::Cause::resp_empty_fin;
    }));
    for (const char* const host : {"shop.example", "SHOP.example:8443"}) {
        filter = {.host = host, .limit = kRecords};
        EXPECT_EQ(rays(filter), corpus().cases([](const RecordView& view) {
            return view.host == "Shop.example:8443";
        }));
    }
    filter = {.host = "' OR 1 = 1 --", .limit = kRecords};
    EXPECT_TRUE(rays(filter).empty());
    filter = {.path = "/items/12", .limit = kRecords};
    EXPECT_EQ(rays(filter), corpus().cases([](const RecordView& view) {
        return view.uri.starts_with("/items/12");
    }));
    filter = {.origin = "http://10.0.0.3:80", .limit = kRecords};
    EXPECT_EQ(rays(filter), corpus().cases([](const RecordView& view) {
        return view.origin_url == "http://10.0.0.3:80";
    }));
}

TEST_P(SourceTest, lists_cases_of_a_time_page_by_page) {
    const base::WallTime since = written_->now() - minutes(20);
    const base::WallTime until = written_->now() - minutes(10);
    const auto expected = corpus().cases(
        [&](const RecordView& view) { return view.start >= since && view.start <= until; });
    std::vector<record::RayId> found;
    CaseFilter filter{.since = since, .until = until, .limit = 10};
    while (true) {
        const auto page = rays(filter);
        found.insert(found.end(), page.begin(), page.end());
        if (page.size() < filter.limit) break;
        filter.before = page.back();
    }
    EXPECT_EQ(found, expected);
}

TEST_P(SourceTest, visits_every_record_once) {
    std::multiset<record::RayId> visited;
    ASSERT_TRUE(source_->visit_all([&](const Record& one) { visited.insert(one.ray); }));
    EXPECT_EQ(visited.size(), kRecords);
    for (const RecordView& view : corpus().views) EXPECT_EQ(visited.count(view.ray), 1u);
}

TEST_P(SourceTest, visits_the_youngest_when_there_are_too_many) {
    for (const size_t maximum : {size_t{1'000'000}, size_t{400}, size_t{60}}) {
        std::set<record::RayId> visited;
        const auto from =
            source_->visit_recent(written_->now() - hours(24), maximum,
                                  [&](const Record& one) { visited.insert(one.ray); });
        ASSERT_TRUE(from) << from.error();
        size_t expected = 0;
        for (const RecordView& view : corpus().views) {
            if (view.start < *from) continue;
            ++expected;
            EXPECT_TRUE(visited.contains(view.ray)) << "whole from there on";
        }
        EXPECT_EQ(visited.size(), expected);
        EXPECT_GT(expected, 0u);
    }
}

TEST_P(SourceTest, rollups_count_every_request_and_its_latency) {
    // The steps of a day: the store counted them in the minute in which they ended.
    record::TrafficQuery query{.since = written_->now() - hours(1),
                               .until = written_->now() + minutes(1)};
    const auto traffic = record::traffic(*source_, query);
    ASSERT_TRUE(traffic) << traffic.error();
    record::RollupTable table;
    for (const RecordView& view : corpus().views) table.add(view);
    record::RollupCounts expected;
    for (const auto& [key, counts] : table.kinds()) {
        if (key.family == record::RollupFamily::origin) expected.merge(counts);
    }
    EXPECT_EQ(traffic->totals.requests, kRecords);
    EXPECT_EQ(traffic->totals.failures, expected.failures);
    EXPECT_EQ(traffic->totals.bytes_in, expected.bytes_in);
    EXPECT_EQ(traffic->totals.bytes_out, expected.bytes_out);
    EXPECT_EQ(traffic->totals.latency.maximum_us(), expected.latency.maximum_us());
    for (const double share : {0.5, 0.95, 0.99}) {
        EXPECT_EQ(traffic->totals.latency.percentile_us(share),
                  expected.latency.percentile_us(share));
    }
    ASSERT_EQ(traffic->hosts.size(), 2u);
    EXPECT_EQ(traffic->hosts[0].requests + traffic->hosts[1].requests, kRecords);
    ASSERT_FALSE(traffic->paths.empty());
    EXPECT_EQ(traffic->paths[0].key, "/items/{n}");
    expect_paths(corpus(), *traffic);
    std::set<base::WallTime> busy;
    for (size_t i = 0; i < traffic->times.size(); ++i) {
        if (traffic->latency[i].total() != 0) busy.insert(traffic->times[i]);
    }
    EXPECT_GE(busy.size(), 24u) << "each minute has its own";
    const auto totals = record::traffic_totals(*source_, query);
    ASSERT_TRUE(totals) << totals.error();
    EXPECT_EQ(totals->requests, kRecords);
    EXPECT_EQ(totals->bytes_out, expected.bytes_out);
    query.cause = "resp";
    const auto one_cause = record::traffic(*source_, query);
    ASSERT_TRUE(one_cause) << one_cause.error();
    EXPECT_EQ(one_cause->totals.requests, one_cause->totals.failures);
    EXPECT_LT(one_cause->totals.requests, kRecords);
    EXPECT_GT(one_cause->totals.requests, 0u);
    EXPECT_EQ(traffic->origins.size(), 4u);
}

TEST_P(SourceTest, is_whole) {
    ASSERT_TRUE(source_->cases({.limit = 1}));
    EXPECT_TRUE(source_->take_missing().empty());
    const auto nodes = source_->nodes();
    ASSERT_TRUE(nodes) << nodes.error();
    if (GetParam() == Place::sqlite) {
        EXPECT_TRUE(nodes->empty());
        return;
    }
    ASSERT_EQ(nodes->size(), 1u);
    EXPECT_EQ(nodes->front().name, "fra-1");
    EXPECT_FALSE(nodes->front().is_silent(wall_now()));
    EXPECT_TRUE(rays({.node = "fra-2", .limit = 5}).empty());
    EXPECT_EQ(rays({.node = "fra-1", .limit = 5}).size(), 5u);
}

TEST_P(SourceTest, the_busiest_paths_come_before_there_is_no_more_room) {
    if (GetParam() == Place::sqlite) return;  // there they come by time
    std::vector<std::pair<std::string, uint64_t>> paths;
    ASSERT_TRUE(source_->visit_rollups(
        {.since = written_->now() - hours(1), .until = written_->now() + minutes(1)},
        [&](const record::Rollup& rollup) {
            if (rollup.key.family != record::RollupFamily::path) return;
            EXPECT_GT(rollup.failures, 0u);
            paths.emplace_back(rollup.key.label, rollup.requests);
        }));
    ASSERT_EQ(paths.size(), 4u) << "two of each host";
    EXPECT_TRUE(std::ranges::is_sorted(paths, std::greater(),
                                       [](const auto& path) { return path.second; }));
}

INSTANTIATE_TEST_SUITE_P(Places, SourceTest, testing::Values(Place::sqlite, Place::clickhouse),
                         name_of);

}  // namespace
}  // namespace edgecase::clickhouse
