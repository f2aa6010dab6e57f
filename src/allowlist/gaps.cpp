#include "allowlist/gaps.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "allowlist/contains.hpp"
#include "allowlist/matches.hpp"
#include "allowlist/rule_parts.hpp"

namespace edgecase::allowlist {
namespace {

using ip::AddressSet;
using ip::Interval;

bool stops(Outcome outcome) {
    return outcome == Outcome::dropped || outcome == Outcome::rejected ||
           outcome == Outcome::limited;
}

/// Closes gaps in a copy of the rules until nothing is stopped: behind one gap there may be others,
/// which no packet has met yet.
class Finder {
  public:
    Finder(const Ruleset& rules, const Published& published, const CheckOptions& options)
        : rules_(rules), published_(published), options_(options) {
        for (Stage& stage : rules_.stages) {
            chains_.push_back(stage.chain);
            // What a rejection answers may be stopped as well, and is nothing to let out.
            if (is_reply(stage.hook)) speaks_.push_back({stage.v4, stage.v6});
            if (is_reply(stage.hook)) stage.v4 = stage.v6 = false;
        }
    }

    std::vector<Gap> find() {
        close_all();
        auto speaks = speaks_.begin();
        for (Stage& stage : rules_.stages) {
            if (!is_reply(stage.hook)) continue;
            stage.v4 = speaks->first;
            stage.v6 = speaks->second;
            ++speaks;
        }
        close_all();
        return std::move(gaps_);
    }

  private:
    void close_all() {
        // Each round closes a gap for all of a family and port, or there is none.
        const size_t most = 2 * (rules_.stages.size() + 1);
        for (size_t round = 0; round < most && look(); ++round) {
            for (uint32_t i = 0; i < rules_.stages.size(); ++i) close(i);
        }
    }

    /// Whether there was any that is new.
    bool look() {
        bool is_new = false;
        for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
            const AddressSet from = published_.of(family);
            if (from.empty() || !rules_.speaks_of[static_cast<size_t>(family)]) continue;
            for (const uint16_t port : options_.ports) {
                Question question{family, port, options_.interface_in, std::nullopt};
                for (const ip::Address& address : options_.destinations) {
                    if (ip::family_of(address) == family) question.destination = address;
                }
                is_new |= add(judge(rules_, question, from), family, port);
            }
        }
        return is_new;
    }

    bool add(const Judgement& judgement, ip::Family family, uint16_t port) {
        const AddressSet stopped =
            judgement.dropped.unite(judgement.rejected).unite(judgement.rate_limited);
        if (stopped.empty()) return false;
        std::map<uint32_t, std::vector<Interval>> parts;  // by stage
        std::map<uint32_t, uint32_t> chains;
        for (const Piece& piece : judgement.pieces) {
            if (!stops(piece.outcome)) continue;
            auto& part = parts[piece.decider.stage];
            stopped.append_part(piece.addresses, part);
            if (!part.empty()) chains.try_emplace(piece.decider.stage, piece.decider.chain);
        }
        bool is_new = false;
        for (auto& [stage, part] : parts) {
            if (part.empty()) continue;
            Gap& gap = gap_at(stage, family, chains.at(stage));
            if (!contains(gap.ports, port)) {
                gap.ports.push_back(port);
                is_new = true;
            }
            is_new |= widen(gap, AddressSet(family, std::move(part)));
        }
        return is_new;
    }

    Gap& gap_at(uint32_t stage, ip::Family family, uint32_t chain) {
        const auto found = std::ranges::find_if(
            gaps_, [&](const Gap& gap) { return gap.stage == stage && gap.family == family; });
        if (found != gaps_.end()) return *found;
        const Stage& at = rules_.stages[stage];
        Gap gap;
        gap.stage = stage;
        gap.family = family;
        gap.chain = chain < rules_.chains.size() ? rules_.chains[chain].name : at.name;
        constexpr int kTracking = -200;  // the priority at which packets on their way out are known
        // The hook of a device has no connection tracking.
        gap.is_told_by_state = !rules_.skips_tracking && at.hook != Hook::egress &&
                               (at.hook != Hook::output || at.priority > kTracking);
        gaps_.push_back(std::move(gap));
        return gaps_.back();
    }

    /// By whole ranges: one that is let in in part is not let in.
    bool widen(Gap& gap, const AddressSet& stopped) const {
        std::vector<Interval> intervals;
        for (const ip::Cidr& one : gap.ranges) intervals.push_back({one.first, one.last()});
        const AddressSet before(gap.family, intervals);
        for (const ip::Cidr& range : published_.ranges) {
            if (range.family != gap.family) continue;
            if (stopped.intersect(AddressSet(range)).empty()) continue;
            intervals.push_back({range.first, range.last()});
        }
        const AddressSet after(gap.family, std::move(intervals));
        if (after == before) return false;
        // Neighbours stay the ranges that people know.
        std::vector<ip::Cidr> known;
        for (const ip::Cidr& range : published_.ranges) {
            if (range.family != gap.family || !after.covers(AddressSet(range))) continue;
            const bool is_inside = std::ranges::any_of(published_.ranges, [&](const auto& other) {
                return other != range && other.family == range.family &&
                       AddressSet(other).covers(AddressSet(range));
            });
            if (!is_inside && !contains(known, range)) known.push_back(range);
        }
        std::ranges::sort(known);
        gap.ranges = std::move(known);
        return true;
    }

    /// A chain before the chain that was there, with the rules that the fix would insert.
    void close(uint32_t index) {
        std::vector<Rule> rules;
        Stage& stage = rules_.stages[index];
        for (const Gap& gap : gaps_) {
            if (gap.stage == index) rules.push_back(rule_for(gap, stage));
        }
        if (rules.empty()) return;
        if (chains_[index] != kNoChain) {
            Rule rest = make_rule(Action::jump, {}, stage.policy_place);
            rest.chain = chains_[index];
            rules.push_back(std::move(rest));
        }
        stage.chain = static_cast<uint32_t>(rules_.chains.size());
        rules_.chains.push_back({stage.name, std::move(rules), true});
    }

    static Rule rule_for(const Gap& gap, const Stage& stage) {
        std::vector<AddressRange> ranges;
        for (const ip::Cidr& one : gap.ranges) {
            ranges.push_back({gap.family, {one.first, one.last()}});
        }
        std::vector<PortRange> ports;
        for (const uint16_t port : gap.ports) ports.push_back({port, port});
        const bool is_out = is_reply(stage.hook);
        std::vector<Match> matches{is_out ? to_addresses(ranges) : from_addresses(ranges)};
        const bool is_by_far_port = stage.hook == Hook::network_reply;
        matches.push_back(is_by_far_port ? to_ports(std::span(&kEphemeral, 1)) : to_ports(ports));
        if (is_out && !is_by_far_port) matches.back().kind = MatchKind::source_port;
        if (is_out && !is_by_far_port && gap.is_told_by_state) {
            matches.push_back({MatchKind::state, false, State::kEstablished, 0, nullptr});
        }
        return make_rule(Action::accept, std::move(matches), stage.policy_place);
    }

    Ruleset rules_;
    const Published& published_;
    const CheckOptions& options_;
    std::vector<uint32_t> chains_;               // of the stages, as they were
    std::vector<std::pair<bool, bool>> speaks_;  // v4 and v6 of the stages on the way out
    std::vector<Gap> gaps_;
};

}  // namespace

std::vector<Gap> find_gaps(const Ruleset& rules, const Published& published,
                           const CheckOptions& options) {
    std::vector<Gap> gaps = Finder(rules, published, options).find();
    std::ranges::sort(gaps, {}, [&](const Gap& gap) {
        const Stage& stage = rules.stages[gap.stage];
        return std::tuple(stage.hook, stage.priority, gap.stage, gap.family);
    });
    for (Gap& gap : gaps) std::ranges::sort(gap.ports);
    return gaps;
}

}  // namespace edgecase::allowlist
