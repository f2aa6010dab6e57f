#include <algorithm>

#include "logs/event_formats.hpp"
#include "logs/event_nearness.hpp"
#include "logs/passes.hpp"

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

}  // namespace

std::expected<std::vector<Event>, std::string> pass_over_events(
    const TraceInput& input, const TraceOptions& options, const std::vector<TracedRay>& rays,
    const Skew& skew, int64_t zone_us, std::vector<LogReport>& reports, uint64_t& passed_over) {
    std::vector<Event> events;
    const std::vector<Span> spans = spans_of(rays, skew);
    RayTable table(rays.size());
    for (uint32_t i = 0; i < rays.size(); ++i) table.add(rays[i].edge.ray, i);
    uint64_t bytes = 0;
    for (const EventLog& log : input.events) {
        for (const LogFile& file : log.files) bytes += file.bytes;
    }
    Progress progress(options, "reading the error logs", bytes);
    EventContext context;
    context.zone_us = options.zone_us.value_or(zone_us);
    context.near = spans.empty() ? 0 : spans.front().from;
    for (size_t i = 0; i < input.events.size(); ++i) {
        const EventLog& log = input.events[i];
        LogReport report(LogReport::Role::events, log.name, log.format, log.files.size());
        std::vector<FileTimes::Piece> pieces;
        for (const LogFile& file : log.files) {
            auto source = LineSource::open(file.path);
            if (!source) return std::unexpected(source.error());
            const auto reader = event_reader(log.format, context);
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
                    const Parsed parsed = reader->read(line, event);
                    if (parsed == Parsed::failed) report.unread.add(line);
                    if (parsed != Parsed::entry) return;
                    ++report.lines;
                    times.add(event.time);
                    const bool wanted = table.find(event.ray) != RayTable::kAbsent ||
                                        (event.time != kNoTime && holds(spans, event.time));
                    if (!wanted) return;
                    if (events.size() >= kMaximumEvents) {
                        ++passed_over;
                        return;
                    }
                    events.push_back(Event::of(event, i));
                });
            }
            if (!(*source)->damage().empty()) {
                report.damage.push_back(file.name + ": " + (*source)->damage());
            }
            std::ranges::copy(times.pieces(), std::back_inserter(pieces));
        }
        report.coverage = Coverage::of(std::move(pieces), report.lines);
        reports.push_back(std::move(report));
    }
    return events;
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
    std::vector<std::pair<double, uint32_t>> scored;
    for (uint32_t r = 0; r < rays.size(); ++r) {
        TracedRay& ray = rays[r];
        if (ray.edge.start == kNoTime) continue;
        const Span span = span_of(ray.edge, skew);
        ray.clock_us = skew.at(ray.edge.end == kNoTime ? ray.edge.start : ray.edge.end);
        ray.is_clock_known = skew.is_known();
        scored.clear();
        for (const uint32_t i : named[r]) scored.emplace_back(-100.0, i);
        const auto first = std::ranges::lower_bound(events, span.from, {}, &Event::time);
        // Of a flood of lines the first thousand tell what it is.
        constexpr ptrdiff_t kConsidered = 1000;
        const auto end = first + std::min(kConsidered, events.end() - first);
        for (auto event = first; event != end && event->time <= span.to; ++event) {
            if (event->ray == ray.edge.ray && event->ray != 0) continue;
            const double score = relevance(ray, *event);
            if (score > 0) {
                scored.emplace_back(-score, static_cast<uint32_t>(event - events.begin()));
            }
        }
        std::ranges::sort(scored);
        for (size_t i = 0; i < std::min(scored.size(), TracedRay::kMaximumNearby); ++i) {
            auto& event = shared[scored[i].second];
            if (!event) event = std::make_shared<const Event>(events[scored[i].second]);
            ray.nearby.push_back(event);
        }
    }
}

}  // namespace edgecase::logs
