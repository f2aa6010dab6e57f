#include "origin/balancer.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace edgecase::origin {
namespace {

using cause::Cause;

constexpr unsigned kLongestEjection = 10;  // times the setting

uint64_t mixed(uint64_t value) {  // splitmix64
    value += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

/// The same on every machine and in every run, so that several edges agree.
uint64_t hash_of(std::string_view text) {
    uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return mixed(hash);
}

bool is_healthy(const Upstream::Member& member) {
    return member.health.healthy.load(std::memory_order_relaxed);
}

bool is_ejected(const Upstream::Member& member, base::SteadyTime now) {
    return member.ejected_until > now;
}

}  // namespace

Blame blame_of(Cause cause) {
    const cause::Row& row = cause::row(cause);
    if (row.actor == cause::Actor::none || row.actor == cause::Actor::client) return Blame::none;
    // The edge's own limits are nobody else's fault; its own missing route is not the origin's
    // either, but another origin may be reached all the same.
    if (row.status == 503 || row.status == 500) return Blame::none;
    const std::string_view phase = row.phase();
    if (phase == "dns" || phase == "connect" || phase == "tls") return Blame::unreachable;
    if (phase == "edge" || phase == "reuse" || cause == Cause::body_extra_bytes) return Blame::none;
    constexpr std::array kTransport{Cause::request_not_acked,    Cause::resp_connection_lost,
                                    Cause::body_connection_lost, Cause::h2_settings_timeout,
                                    Cause::h2_ping_timeout,      Cause::h2_connection_fin,
                                    Cause::h2_connection_rst};
    return std::ranges::find(kTransport, cause) != kTransport.end() ? Blame::unreachable
                                                                    : Blame::bad_answer;
}

Upstream::Upstream(const config::Pool& pool, std::span<Origin* const> origins, HealthBoard& board,
                   size_t number, uint64_t seed)
    : pool_(pool), random_state_(seed) {
    members_.reserve(pool.origins.size());
    candidates_.reserve(pool.origins.size());
    for (size_t i = 0; i < pool.origins.size(); ++i) {
        members_.push_back({.origin = *origins[i],
                            .health = board.at(number, i),
                            .weight = pool.origins[i].weight,
                            .hash = hash_of(pool.origins[i].url.to_string())});
    }
}

Upstream::Member* Upstream::choose(std::string_view key, base::SteadyTime now) {
    candidates_.clear();
    for (Member& member : members_) {
        if (is_healthy(member) && !is_ejected(member, now)) candidates_.push_back(&member);
    }
    if (candidates_.empty()) {
        for (Member& member : members_) {
            if (is_healthy(member)) candidates_.push_back(&member);
        }
    }
    return choose_among_candidates(key);
}

Upstream::Member* Upstream::choose_other(const Member& than, std::string_view key,
                                         base::SteadyTime now) {
    candidates_.clear();
    for (Member& member : members_) {
        if (&member == &than || !is_healthy(member) || is_ejected(member, now)) continue;
        candidates_.push_back(&member);
    }
    return choose_among_candidates(key);
}

Upstream::Member* Upstream::choose_among_candidates(std::string_view key) {
    if (candidates_.size() < 2) return candidates_.empty() ? nullptr : candidates_.front();
    switch (pool_.balance) {
        case config::Balance::round_robin:
            return next_in_turn();
        case config::Balance::least_requests:
            return less_busy_of_two();
        case config::Balance::consistent_hash:
            return by_hash(key);
    }
    return candidates_.front();
}

/// Smooth: weights 5, 1, 1 give a a b a c a a. Source: nginx, ngx_http_upstream_round_robin.c.
Upstream::Member* Upstream::next_in_turn() {
    Member* best = candidates_.front();
    int64_t total = 0;
    for (Member* const member : candidates_) {
        member->turn += member->weight;
        total += member->weight;
        if (member->turn > best->turn) best = member;
    }
    best->turn -= total;
    return best;
}

/// Two random choices keep many edges from all running to the one that is idle now.
/// Source: Mitzenmacher, The Power of Two Choices; nginx, `random two least_conn`.
Upstream::Member* Upstream::less_busy_of_two() {
    Member* const one = at_random(nullptr);
    Member* const other = at_random(one);
    const uint64_t load_of_one = (one->origin.open() + 1) * uint64_t{other->weight};
    const uint64_t load_of_other = (other->origin.open() + 1) * uint64_t{one->weight};
    // Both idle: the first draw, which has the weights already, decides.
    if (one->origin.open() == 0 && other->origin.open() == 0) return one;
    return load_of_other < load_of_one ? other : one;
}

/// Rendezvous hashing: an origin that leaves or returns moves its own requests and no others.
/// Source: Thaler and Ravishankar 1998; weights: Schindelhauer and Schomaker 2005.
Upstream::Member* Upstream::by_hash(std::string_view key) {
    constexpr double kRange = 0x1p-53;
    const uint64_t hash = hash_of(key);
    Member* best = nullptr;
    double best_score = 0;
    for (Member* const member : candidates_) {
        // In (0, 1): never a logarithm of 0 nor one that is 0.
        const double draw = (static_cast<double>(mixed(hash ^ member->hash) >> 11) + 0.5) * kRange;
        const double score = -static_cast<double>(member->weight) / std::log(draw);
        if (best != nullptr && score <= best_score) continue;
        best = member;
        best_score = score;
    }
    return best;
}

Upstream::Member* Upstream::at_random(const Member* except) {
    uint64_t total = 0;
    for (const Member* const member : candidates_) {
        if (member != except) total += member->weight;
    }
    if (total == 0) return candidates_.back();  // there is none but it
    uint64_t drawn = random() % total;
    for (Member* const member : candidates_) {
        if (member == except) continue;
        if (drawn < member->weight) return member;
        drawn -= member->weight;
    }
    return candidates_.back();
}

uint64_t Upstream::random() {
    return mixed(random_state_++);
}

void Upstream::failed(Member& member, const cause::Failure& failure, base::SteadyTime now) {
    const Blame blame = blame_of(failure.cause());
    if (blame == Blame::unreachable) {
        count(member, member.unreachable, pool_.ejection.failures, now);
    } else if (blame == Blame::bad_answer) {
        count(member, member.bad_answers, pool_.ejection.bad_answers, now);
    }
}

void Upstream::answered(Member& member, uint16_t status, base::SteadyTime now) {
    member.unreachable = 0;
    if (status >= 500) count(member, member.bad_answers, pool_.ejection.bad_answers, now);
}

/// Requests that were under way when it was ejected tell nothing new.
void Upstream::count(Member& member, unsigned& in_a_row, unsigned limit, base::SteadyTime now) {
    if (is_ejected(member, now)) return;
    ++in_a_row;
    if (limit > 0 && in_a_row >= limit && !is_last(member, now)) eject(member, now);
}

void Upstream::completed(Member& member, uint16_t status) {
    if (status >= 500) return;
    member.bad_answers = 0;
    member.ejections = 0;
}

void Upstream::eject(Member& member, base::SteadyTime now) {
    const unsigned times = std::min(1u << std::min(member.ejections, 4u), kLongestEjection);
    member.ejected_until = now + pool_.ejection.time * times;
    ++member.ejections;
    member.unreachable = member.bad_answers = 0;
}

/// Whether no other could take the requests.
bool Upstream::is_last(const Member& member, base::SteadyTime now) const {
    return std::ranges::none_of(members_, [&](const Member& other) {
        return &other != &member && is_healthy(other) && !is_ejected(other, now);
    });
}

cause::Failure Upstream::none_healthy() const {
    std::vector<std::string> faults;
    for (const Member& member : members_) {
        const Cause fault = member.health.last_fault.load();
        const uint16_t status = member.health.last_status.load();
        std::string text = member.origin.url_text() + ": " + std::string(health_fault_name(fault));
        text += " (" + std::string(cause::row(fault).name);
        if (status != 0) text += ", status " + std::to_string(status);
        faults.push_back(text + ")");
    }
    cause::Evidence evidence;
    evidence.add("pool", pool_.name);
    evidence.add("unhealthy_origins", std::move(faults));
    return {Cause::connect_no_healthy_origin, std::move(evidence)};
}

}  // namespace edgecase::origin
