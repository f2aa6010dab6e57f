#include <algorithm>

#include "logs/likeness_window.hpp"
#include "logs/passes.hpp"

namespace edgecase::logs {
namespace {

using Status = std::expected<void, std::string>;

/// What a first look at both sides teaches.
struct Look {
    explicit Look(size_t rays) : wanted(rays) {}
    LikenessSample sample;
    FileOrders edge_orders;
    FileOrders origin_orders;
    KeyTable wanted;         // the keys of the rays
    int64_t longest_us = 0;  // of the rays
};

Status look_at(const TraceInput& input, const std::vector<size_t>& logs, const KeyFields& fields,
               const std::vector<TracedRay>& rays, Look& look) {
    RayTable table(rays.size());
    for (uint32_t i = 0; i < rays.size(); ++i) table.add(identity_of(rays[i].edge), i);
    auto edges = visit_edges(input, fields, [&](const Likeness& edge) {
        look.sample.add_edge(edge);
        if (table.find(edge.id) == RayTable::kAbsent) return;
        look.wanted.add(edge.key, 0);
        look.longest_us = std::max(look.longest_us, edge.to - edge.from);
    });
    if (!edges) return std::unexpected(edges.error());
    look.edge_orders = std::move(*edges);
    auto origins = visit_origins(input, logs, fields,
                                 [&](const Likeness& origin) { look.sample.add_origin(origin); });
    if (!origins) return std::unexpected(origins.error());
    look.origin_orders = std::move(*origins);
    return {};
}

/// Both sides in step, the one that is behind first.
Status walk(ItemStream<Likeness>& edges, ItemStream<OriginItem>& origins, const Skew& skew,
            LikenessWindow& window) {
    auto edge = edges.next();
    auto origin = origins.next();
    for (;;) {
        if (!edge) return std::unexpected(edge.error());
        if (!origin) return std::unexpected(origin.error());
        if (!*edge && !*origin) return {};
        const bool edge_first =
            !*origin || (*edge && (*edge)->to + skew.at((*edge)->to) <= (*origin)->likeness.to);
        if (edge_first) {
            window.add(**edge);
            edge = edges.next();
        } else {
            window.add(std::move(**origin));
            origin = origins.next();
        }
        window.settle_now_and_then();
    }
}

}  // namespace

std::expected<std::vector<FileTimes::Piece>, std::string> join_by_likeness(
    const TraceInput& input, const TraceOptions& options, const std::vector<size_t>& logs,
    std::vector<TracedRay>& rays, Skew& skew) {
    const KeyFields fields = key_fields_of(input, logs);
    if (options.progress) options.progress("comparing the clocks", 0, 0);
    Look look(rays.size());
    if (auto done = look_at(input, logs, fields, rays, look); !done) {
        return std::unexpected(done.error());
    }
    auto moment = moment_of(input, logs);
    if (!moment) moment = look.sample.moment(skew);
    if (!skew.is_known()) skew = look.sample.skew(moment);

    if (options.progress) options.progress("finding lines by what they say", 0, 0);
    LikenessWindow window(rays,
                          {skew, look.sample.telling(skew, moment), look.sample, look.longest_us});
    const auto done =
        walk(*edge_stream(input, fields, moment, look.wanted, look.edge_orders),
             *origin_stream(input, logs, fields, look.wanted, look.origin_orders), skew, window);
    if (!done) return std::unexpected(done.error());
    window.settle_all();
    return window.unsure();
}

}  // namespace edgecase::logs
