#include "record/traffic.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "record/path_template.hpp"
#include "record/traffic_series.hpp"

namespace edgecase::record {
namespace {

using std::chrono::seconds;

constexpr std::array<std::pair<std::string_view, TrafficBy>, 4> kBy{
    {{"cause", TrafficBy::cause},
     {"status", TrafficBy::status},
     {"host", TrafficBy::host},
     {"origin", TrafficBy::origin}}};

constexpr size_t kMaximumKeys = 2000;  // told apart; each has a histogram
constexpr size_t kCasesRead = 5000;    // newest, where paths come from cases

/// No host, no origin.
std::string_view text_or_dash(std::string_view text) {
    return text.empty() ? std::string_view("-") : text;
}

class Matcher {
  public:
    explicit Matcher(const TrafficQuery& query) : query_(query) {}

    bool operator()(const Rollup& rollup) const {
        const RollupKeyView& key = rollup.key;
        if (!query_.host.empty() && !is_of_host(text_or_dash(key.host), query_.host)) return false;
        if (key.family == RollupFamily::path) return !narrows_paths();
        if (!query_.origin.empty() && text_or_dash(key.label) != query_.origin) return false;
        if (query_.status && key.edge_status != *query_.status) return false;
        return query_.cause.empty() || cause::is_within(cause::row(key.cause).name, query_.cause);
    }

    /// Rollups of paths know of no origin, status or cause.
    bool narrows_paths() const {
        return !query_.origin.empty() || query_.status || !query_.cause.empty();
    }

  private:
    const TrafficQuery& query_;
};

using Latency = LatencyHistogram::Encoded;

void add(TrafficTotals& totals, const Rollup& rollup, const Latency& latency) {
    const cause::Row& row = cause::row(rollup.key.cause);
    totals.requests += rollup.requests;
    totals.failures += rollup.failures;
    if (row.actor == cause::Actor::client) {
        totals.client_gone += rollup.requests;
    } else if (rollup.key.cause == cause::Cause::origin_status) {
        totals.origin_errors += rollup.requests;
    } else if (rollup.failures != 0 && rollup.key.edge_status >= 500) {
        totals.edge_errors += rollup.requests;
    }
    totals.bytes_in += rollup.bytes_in;
    totals.bytes_out += rollup.bytes_out;
    totals.latency.merge(latency);
}

/// Sums by a key, bounded.
class TopMaker {
  public:
    /// `latency`: null where nobody asks for it.
    void add(std::string_view key, const Rollup& rollup, const Latency* latency) {
        Sum& sum = sum_of(key);
        sum.requests += rollup.requests;
        sum.failures += rollup.failures;
        if (latency != nullptr) sum.latency.merge(*latency);
    }
    void add_failure(std::string_view key, int64_t latency_us) {
        Sum& sum = sum_of(key);
        ++sum.requests;
        ++sum.failures;
        sum.latency.add(latency_us);
    }

    std::vector<TrafficTop> top() const {
        std::vector<TrafficTop> all;
        all.reserve(sums_.size());
        for (const auto& [key, sum] : sums_) {
            all.push_back({key, sum.requests, sum.failures, sum.latency.percentile_us(0.95)});
        }
        const auto order = [](const TrafficTop& a, const TrafficTop& b) {
            if (a.requests != b.requests) return a.requests > b.requests;
            return a.key < b.key;
        };
        std::ranges::sort(all, order);
        if (all.size() <= Traffic::kTop) return all;
        // What fails is what people look for: of a long list it keeps half the places.
        std::vector<TrafficTop> shown;
        std::vector<TrafficTop> others;
        for (TrafficTop& one : all) {
            const bool wanted = one.failures != 0 && shown.size() < Traffic::kTop / 2;
            (wanted ? shown : others).push_back(std::move(one));
        }
        for (size_t i = 0; i < others.size() && shown.size() < Traffic::kTop; ++i) {
            shown.push_back(std::move(others[i]));
        }
        std::ranges::sort(shown, order);
        return shown;
    }

  private:
    struct Sum {
        uint64_t requests = 0;
        uint64_t failures = 0;
        LatencyHistogram latency;
    };

    Sum& sum_of(std::string_view key) {
        auto found = sums_.find(key);
        if (found != sums_.end()) return found->second;
        if (sums_.size() >= kMaximumKeys) key = kOtherLabel;
        return sums_.try_emplace(std::string(key)).first->second;
    }

    std::unordered_map<std::string, Sum, KeyHash, std::equal_to<>> sums_;
};

class TrafficMaker {
  public:
    explicit TrafficMaker(const TrafficQuery& query) : matches_(query), by_(query.by) {}

    void take(const Rollup& rollup) {
        if (!matches_(rollup)) return;
        (void)latency_.read(rollup.latency);
        if (rollup.key.family == RollupFamily::path) {
            paths_.add(text_or_dash(rollup.key.label), rollup, &latency_);
            return;
        }
        latency_of_[rollup.start].merge(latency_);
        const std::string status = std::to_string(rollup.key.edge_status);
        const std::string_view cause = cause::row(rollup.key.cause).name;
        const std::string_view host = text_or_dash(rollup.key.host);
        const std::string_view origin = text_or_dash(rollup.key.label);
        const auto count = [&](std::string_view key) {
            series_.add(key, rollup.start, rollup.requests);
        };
        switch (by_) {
            case TrafficBy::cause:
                count(cause);
                break;
            case TrafficBy::status:
                count(status);
                break;
            case TrafficBy::host:
                count(host);
                break;
            case TrafficBy::origin:
                count(origin);
                break;
        }
        hosts_.add(host, rollup, &latency_);
        origins_.add(origin, rollup, &latency_);
        causes_.add(cause, rollup, nullptr);
        statuses_.add(status, rollup, nullptr);
        add(result_.totals, rollup, latency_);
    }

    void take_path(const Record& failed) {
        if (!is_failure(failed.cause)) return;
        paths_.add_failure(text_or_dash(path_template(failed.uri)),
                           failed.first_byte_us >= 0 ? failed.first_byte_us : failed.duration_us);
    }
    bool wants_cases() const { return matches_.narrows_paths(); }

    Traffic finish(const TrafficQuery& query, seconds step) {
        result_.query = query;
        result_.step = step;
        const auto first = std::chrono::floor<seconds>(query.since).time_since_epoch();
        for (auto at = base::WallTime(first - first % step); at < query.until; at += step) {
            result_.times.push_back(at);
        }
        result_.series = series_.series(result_.times);
        for (const base::WallTime time : result_.times) {
            const auto found = latency_of_.find(time);
            result_.latency.push_back(found == latency_of_.end() ? LatencyHistogram()
                                                                 : found->second);
        }
        result_.hosts = hosts_.top();
        result_.paths = paths_.top();
        result_.origins = origins_.top();
        result_.causes = causes_.top();
        result_.statuses = statuses_.top();
        return std::move(result_);
    }

  private:
    Matcher matches_;
    const TrafficBy by_;
    Latency latency_;  // of the rollup at hand
    std::map<base::WallTime, LatencyHistogram> latency_of_;
    SeriesMaker series_;
    TopMaker hosts_;
    TopMaker paths_;
    TopMaker origins_;
    TopMaker causes_;
    TopMaker statuses_;
    Traffic result_;
};

std::expected<TrafficTotals, std::string> totals_of(Source& source, const TrafficQuery& query,
                                                    bool whole_steps) {
    const Matcher matches(query);
    TrafficTotals totals;
    Latency latency;
    const auto done = source.visit_rollups({.since = query.since,
                                            .until = query.until,
                                            .maximum_steps = query.maximum_steps,
                                            .node = query.node,
                                            .with_paths = false,
                                            .whole_steps = whole_steps},
                                           [&](const Rollup& rollup) {
                                               if (!matches(rollup)) return;
                                               (void)latency.read(rollup.latency);
                                               add(totals, rollup, latency);
                                           });
    if (!done) return std::unexpected(done.error());
    return totals;
}

}  // namespace

std::optional<TrafficBy> parse_traffic_by(std::string_view text) {
    for (const auto& [name, by] : kBy) {
        if (name == text) return by;
    }
    return std::nullopt;
}

std::string_view to_string(TrafficBy by) {
    for (const auto& [name, one] : kBy) {
        if (one == by) return name;
    }
    return "?";
}

std::expected<Traffic, std::string> traffic(Source& source, const TrafficQuery& wanted) {
    TrafficQuery query = wanted;
    query.since = std::max(query.since, query.until - kLongestSpan);
    TrafficMaker maker(query);
    const auto step = source.visit_rollups({.since = query.since,
                                            .until = query.until,
                                            .maximum_steps = query.maximum_steps,
                                            .node = query.node,
                                            .with_paths = !maker.wants_cases()},
                                           [&](const Rollup& rollup) { maker.take(rollup); });
    if (!step) return std::unexpected(step.error());
    if (maker.wants_cases()) {
        const auto cases = source.cases({.since = query.since,
                                         .until = query.until,
                                         .status = query.status,
                                         .cause = query.cause,
                                         .host = query.host,
                                         .path = {},
                                         .origin = query.origin,
                                         .node = query.node,
                                         .before = {},
                                         .limit = kCasesRead});
        if (!cases) return std::unexpected(cases.error());
        for (const Record& one : *cases) maker.take_path(one);
    }
    return maker.finish(query, *step);
}

std::expected<TrafficTotals, std::string> traffic_before(Source& source, const Traffic& traffic) {
    TrafficQuery query = traffic.query;
    query.until = traffic.times.empty() ? query.since : traffic.times.front();
    query.since = query.until - (traffic.query.until - query.until);
    // So long ago steps may be longer, and one of them would reach into `traffic`.
    return totals_of(source, query, true);
}

std::expected<TrafficTotals, std::string> traffic_totals(Source& source,
                                                         const TrafficQuery& query) {
    return totals_of(source, query, false);
}

}  // namespace edgecase::record
