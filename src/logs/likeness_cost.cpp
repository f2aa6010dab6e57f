#include "logs/likeness_cost.hpp"

#include <algorithm>
#include <cstdlib>

namespace edgecase::logs {
namespace {

constexpr int64_t kDurationSlackUs = 20'000;
constexpr double kSame = -100;  // they have one Ray ID

bool comparable_bytes(const Likeness& edge, const Likeness& origin) {
    // What the edge itself made has a size of its own.
    return edge.body_bytes >= 0 && origin.body_bytes >= 0 && edge.edge_status == origin.status;
}

bool durations_agree(const Likeness& edge, const Likeness& origin) {
    return std::abs(edge.duration_us - origin.duration_us) <=
           kDurationSlackUs + edge.duration_us / 10;
}

}  // namespace

void TellingSample::add(const Likeness& edge, const Likeness& origin) {
    const auto count = [](Agreement& agreement, bool agrees) {
        ++agreement.compared;
        if (agrees) ++agreement.agreed;
    };
    if (comparable_bytes(edge, origin)) count(body_bytes_, edge.body_bytes == origin.body_bytes);
    if (edge.client != 0 && origin.client != 0) count(client_, edge.client == origin.client);
    if (edge.address != 0 && origin.address != 0) count(address_, edge.address == origin.address);
    if (edge.duration_us >= 0 && origin.duration_us >= 0) {
        count(duration_, durations_agree(edge, origin));
    }
}

Telling TellingSample::learned() const {
    return {body_bytes_.tells(), client_.tells(), address_.tells(), duration_.tells()};
}

double unlikeness(const Likeness& edge, const Likeness& origin, int64_t skew_us, int64_t slack_us,
                  const Telling& telling) {
    if (edge.ray != 0 && origin.ray != 0) return edge.ray == origin.ray ? kSame : kMostUnlike;
    const LogTime from = origin.from - skew_us;
    const LogTime to = origin.to - skew_us;
    const int64_t apart = std::max({edge.from - to, from - edge.to, int64_t{0}});
    // Beyond what the clocks leave open, each quarter of a second makes it e times as unlikely.
    const double late = std::max<double>(0, static_cast<double>(apart - slack_us)) / 250'000;
    const double middles =
        static_cast<double>(std::abs((edge.from + edge.to) / 2 - (from + to) / 2)) / 1e6;
    double cost = std::min(20.0, late) + std::min(1.0, middles * 0.2);
    if (edge.status != 0 && origin.status != edge.status) cost += 9;
    if (telling.body_bytes && comparable_bytes(edge, origin)) {
        cost += edge.body_bytes == origin.body_bytes ? -3 : 6;
    }
    if (telling.client && edge.client != 0 && origin.client != 0) {
        cost += edge.client == origin.client ? -3 : 7;
    }
    if (telling.address && edge.address != 0 && origin.address != 0) {
        cost += edge.address == origin.address ? -0.5 : 4;
    }
    // A failed request is over for the edge before it is for the origin, or the other way round.
    if (telling.duration && edge.edge_status == origin.status && edge.duration_us >= 0 &&
        origin.duration_us >= 0) {
        cost += durations_agree(edge, origin) ? -1 : 3;
    }
    return cost;
}

}  // namespace edgecase::logs
