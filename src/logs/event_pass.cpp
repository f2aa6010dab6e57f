#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>

#include "logs/event_formats.hpp"
#include "logs/event_nearness.hpp"
#include "logs/passes.hpp"
#include "record/redact_uri.hpp"

namespace edgecase::logs {
namespace {

constexpr int64_t kBeforeUs = 3'000'000;
constexpr int64_t kAfterUs = 3'000'000;
constexpr size_t kMaximumEvents = 100'000;

/// When something that a ray met may be logged, on the origin's clock.
Span span_of(const EdgeRay& edge, const Skew& skew) {
    const LogTime end = edge.end == kNoTime ? edge.start : edge.end;
    return {edge.start + skew.at(edge.start) - kBeforeUs - edge.resolution_us,
            end + skew.at(end) + kAfterUs + edge.resolution_us};
}

/// Spans that overlap as one, in order.
std::vector<Span> spans_of(const std::vector<TracedRay>& rays, const Skew& skew) {
    std::vector<Span> spans;
    for (const TracedRay& ray : rays) {
        if (ray.edge.start != kNoTime) spans.push_back(span_of(ray.edge, skew));
    }
    std::ranges::sort(spans, {}, &Span::from);
    std::vector<Span> merged;
    for (const Span& one : spans) {
        if (!merged.empty() && one.from <= merged.back().to) {
            merged.back().to = std::max(merged.back().to, one.to);
        } else {
            merged.push_back(one);
        }
    }
    return merged;
}

bool holds(const std::vector<Span>& spans, LogTime time) {
    const auto after = std::ranges::upper_bound(spans, time, {}, &Span::from);
    return after != spans.begin() && (after - 1)->to >= time;
}

/// One log's events, in the zone that the origin's machine had at that time: after a change of
/// daylight saving time it is another.
class ZonedReader {
  public:
    ZonedReader(std::string_view format, EventContext context, const ZoneChanges& zones)
        : zones_(zones) {
        const int64_t first = context.zone_us;
        readers_.push_back({first, event_reader(format, context)});
        for (const ZoneChange& change : zones) {
            const bool known = std::ranges::any_of(
                readers_, [&](const auto& one) { return one.zone_us == change.zone_us; });
            if (known || readers_.size() >= kMaximumZones) continue;
            context.zone_us = change.zone_us;
            readers_.push_back({change.zone_us, event_reader(format, context)});
        }
    }

    /// Of the hour that comes twice it may be either: the one that `is_wanted`.
    template <typename Wanted>
    Parsed read(std::string_view line, EventView& into, Wanted is_wanted) {
        Parsed parsed = readers_.front().reader->read(line, into);
        if (readers_.size() == 1) return parsed;
        const auto score_of = [&](const InZone& reader, LogTime time) {
            if (!fits_at(reader.zone_us, time)) return 0;
            const bool told = time >= zones_.front().at && time <= zones_.back().at;
            return 1 + (told ? 1 : 0) + (is_wanted(time) ? 1 : 0);
        };
        int best = score_of(readers_.front(), into.time);
        for (size_t i = 1; i < readers_.size(); ++i) {
            EventView other;
            const Parsed also = readers_[i].reader->read(line, other);
            const int score = score_of(readers_[i], other.time);
            if (also != Parsed::entry || score <= best) continue;
            into = other;
            parsed = also;
            best = score;
        }
        return parsed;
    }

  private:
    static constexpr size_t kMaximumZones = 4;
    struct InZone {
        int64_t zone_us;
        std::unique_ptr<EventReader> reader;
    };
    bool fits_at(int64_t zone_us, LogTime time) const {
        const auto after = std::ranges::upper_bound(zones_, time, {}, &ZoneChange::at);
        return (after == zones_.begin() ? zones_.front() : *(after - 1)).zone_us == zone_us;
    }

    const ZoneChanges& zones_;
    std::vector<InZone> readers_;
};

/// Keeps what may be about a ray; of lines that say nothing by themselves no more than some.
class EventKeeper {
  public:
    EventKeeper(const std::vector<TracedRay>& rays, std::vector<Span> spans)
        : spans_(std::move(spans)), table_(rays.size()) {
        for (uint32_t i = 0; i < rays.size(); ++i) table_.add(rays[i].edge.ray, i);
    }
    void take(const EventView& event, size_t log) {
        const bool named = table_.find(event.ray) != RayTable::kAbsent;
        if (!named && !is_wanted(event.time)) return;
        const bool telling =
            named || weight_of(event.kind) > 0 || !event.uri.empty() || !event.script.empty();
        size_t& count = telling ? telling_ : others_;
        if (count >= kMaximumEvents) {
            ++passed_over;
            return;
        }
        ++count;
        events.push_back(Event::of(event, log));
    }
    bool is_wanted(LogTime time) const { return time != kNoTime && holds(spans_, time); }
    LogTime begin() const { return spans_.empty() ? 0 : spans_.front().from; }

    std::vector<Event> events{};
    uint64_t passed_over = 0;

  private:
    std::vector<Span> spans_;
    RayTable table_;
    size_t telling_ = 0;
    size_t others_ = 0;
};

/// Errors: one sentence.
std::expected<LogReport, std::string> read_log(const EventLog& log, size_t index,
                                               const EventContext& context,
                                               const ZoneChanges& zones, EventKeeper& keeper,
                                               Progress& progress) {
    LogReport report(LogReport::Role::events, log.name, log.format, log.files.size());
    report.damage = log.notes;
    std::vector<FileTimes::Piece> pieces;
    for (const LogFile& file : log.files) {
        auto source = LineSource::open(file.path);
        if (!source) return std::unexpected(source.error());
        ZonedReader reader(log.format, context, zones);
        FileTimes times;
        uint64_t taken = 0;
        for (;;) {
            const auto block = (*source)->next();
            if (!block) return std::unexpected(block.error());
            progress.add((*source)->bytes_taken() - taken);
            taken = (*source)->bytes_taken();
            if (block->empty()) break;
            for_each_line(*block, [&](std::string_view line) {
                EventView event;
                const Parsed parsed =
                    reader.read(line, event, [&](LogTime time) { return keeper.is_wanted(time); });
                if (parsed == Parsed::failed) report.unread.add(line);
                if (parsed != Parsed::entry) return;
                ++report.lines;
                times.add(event.time);
                keeper.take(event, index);
            });
        }
        if (!(*source)->damage().empty()) {
            report.damage.push_back(file.name + ": " + (*source)->damage());
        }
        std::ranges::copy(times.pieces(), std::back_inserter(pieces));
    }
    report.coverage = Coverage::of(std::move(pieces), report.lines);
    return report;
}

/// Which of all events a ray is compared with.
class Nearby {
  public:
    /// `events`: in order of time.
    explicit Nearby(const std::vector<Event>& events) {
        for (uint32_t i = 0; i < events.size(); ++i) {
            const Event& event = events[i];
            // A script may serve other URIs than the one that is named.
            if (event.uri.empty() || !event.script.empty()) {
                by_weight_[static_cast<size_t>(weight_of(event.kind))].push_back(i);
            } else {
                by_uri_[record::redact_uri(event.uri)].push_back(i);
            }
        }
    }
    /// Of a flood of one kind the first thousand tell what it is, and hide no other kind.
    template <typename Visit>
    void visit(const std::vector<Event>& events, const TracedRay& ray, const Span& span,
               Visit visit_one) const {
        const auto visit_list = [&](const std::vector<uint32_t>& list) {
            constexpr ptrdiff_t kConsidered = 1000;
            const auto first = std::ranges::lower_bound(list, span.from, {},
                                                        [&](uint32_t i) { return events[i].time; });
            const auto end = first + std::min(kConsidered, list.end() - first);
            for (auto i = first; i != end && events[*i].time <= span.to; ++i) visit_one(*i);
        };
        for (const auto& list : by_weight_) visit_list(list);
        // An edge's own records have credentials hidden.
        const auto named = by_uri_.find(record::redact_uri(ray.edge.uri));
        if (named != by_uri_.end()) visit_list(named->second);
    }

  private:
    std::array<std::vector<uint32_t>, 5> by_weight_;
    std::unordered_map<std::string, std::vector<uint32_t>> by_uri_;  // redacted
};

}  // namespace

std::expected<std::vector<Event>, std::string> pass_over_events(
    const TraceInput& input, const TraceOptions& options, const std::vector<TracedRay>& rays,
    const Skew& skew, const ZoneChanges& zones, std::vector<LogReport>& reports,
    uint64_t& passed_over) {
    EventKeeper keeper(rays, spans_of(rays, skew));
    uint64_t bytes = 0;
    for (const EventLog& log : input.events) {
        for (const LogFile& file : log.files) bytes += file.bytes;
    }
    Progress progress(options, "reading the error logs", bytes);
    const ZoneChanges known = options.zone_us ? ZoneChanges{{0, *options.zone_us}} : zones;
    EventContext context;
    context.zone_us = known.empty() ? 0 : known.front().zone_us;
    context.near = keeper.begin();
    for (size_t i = 0; i < input.events.size(); ++i) {
        auto report = read_log(input.events[i], i, context, known, keeper, progress);
        if (!report) return std::unexpected(report.error());
        reports.push_back(std::move(*report));
    }
    passed_over = keeper.passed_over;
    return std::move(keeper.events);
}

void assign_events(std::vector<TracedRay>& rays, std::vector<Event> events, const Skew& skew) {
    std::ranges::sort(events, {}, &Event::time);
    name_ends(events);
    std::vector<std::shared_ptr<const Event>> shared(events.size());  // those that some ray has
    RayTable table(rays.size());
    for (uint32_t i = 0; i < rays.size(); ++i) table.add(rays[i].edge.ray, i);
    std::vector<std::vector<uint32_t>> named(rays.size());  // by Ray ID, wherever they are
    for (uint32_t i = 0; i < events.size(); ++i) {
        const uint32_t index = table.find(events[i].ray);
        if (index != RayTable::kAbsent) named[index].push_back(i);
    }
    const Nearby nearby(events);
    std::vector<std::pair<double, uint32_t>> scored;
    for (uint32_t r = 0; r < rays.size(); ++r) {
        TracedRay& ray = rays[r];
        if (ray.edge.start == kNoTime) continue;
        ray.clock_us = skew.at(ray.edge.end == kNoTime ? ray.edge.start : ray.edge.end);
        ray.is_clock_known = skew.is_known();
        scored.clear();
        for (const uint32_t i : named[r]) scored.emplace_back(-100.0, i);
        nearby.visit(events, ray, span_of(ray.edge, skew), [&](uint32_t i) {
            if (events[i].ray == ray.edge.ray && events[i].ray != 0) return;
            const double score = relevance(ray, events[i]);
            if (score > 0) scored.emplace_back(-score, i);
        });
        std::ranges::sort(scored);
        for (size_t i = 0; i < std::min(scored.size(), TracedRay::kMaximumNearby); ++i) {
            auto& event = shared[scored[i].second];
            if (!event) event = std::make_shared<const Event>(events[scored[i].second]);
            ray.nearby.push_back(event);
        }
    }
}

}  // namespace edgecase::logs
