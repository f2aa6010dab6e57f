#include "allowlist/evaluate.hpp"

#include <algorithm>
#include <tuple>

#include "allowlist/flow.hpp"
#include "allowlist/joiner.hpp"
#include "allowlist/matches.hpp"

namespace edgecase::allowlist {
namespace {

using ip::AddressSet;

constexpr int kMaxDepth = 64;  // of chains; the kernel's own bound is 16

/// Chains can multiply each other, and a rule may be doubted each time it is met. These many visits
/// and pieces take about a second; a rule set of many rules may have some for each of them.
constexpr uint64_t kFreeVisits = 2'000'000;
constexpr uint64_t kVisitsPerRule = 16;
constexpr uint64_t kFreePieces = 500'000;
constexpr uint64_t kPiecesPerRule = 8;

uint64_t rules_in(const Ruleset& rules) {
    uint64_t count = 0;
    for (const Chain& chain : rules.chains) count += chain.rules.size();
    return count;
}

/// How rate limits are taken: as not reached, as exceeded, or as either.
enum class Limits : uint8_t { under, over, either };

/// Who of a flow a rule is for.
struct Hit {
    AddressSet sure;
    AddressSet maybe;
    bool is_all = false;  // sure is the whole flow, not copied
    bool is_limited = false;
    bool is_doubted = false;
    bool is_searched = false;  // addresses were looked up
    explicit Hit(ip::Family family) : sure(family), maybe(family) {}
};

class Walk {
  public:
    Walk(const Ruleset& rules, const Question& question, Limits limits)
        : rules_(rules),
          question_(question),
          limits_(limits),
          max_visits_(kFreeVisits + kVisitsPerRule * rules_in(rules)),
          max_pieces_(kFreePieces + kPiecesPerRule * rules_in(rules)) {}

    std::vector<Piece> run(const AddressSet& from) {
        constexpr size_t kRoom = 1 << 17;  // address space alone, until it is used
        pieces_.reserve(kRoom);
        std::vector<uint32_t> order;
        for (uint32_t i = 0; i < rules_.stages.size(); ++i) {
            if (applies(rules_.stages[i])) order.push_back(i);
        }
        std::ranges::sort(order, {}, [&](uint32_t i) {
            return std::tuple(rules_.stages[i].hook, rules_.stages[i].priority, i);
        });
        order_ = std::move(order);
        AddressSet flow = from;
        for (const Phase phase : {Phase::first, Phase::reply, Phase::later}) {
            flow = pass_phase(flow, phase);
        }
        for (const ip::Interval& one : flow.intervals()) {
            pieces_.push_back({one, Outcome::admitted, {kPolicy, kPolicy, kPolicy, false}});
        }
        return std::move(pieces_);
    }

  private:
    bool applies(const Stage& stage) const {
        if (!(question_.family == ip::Family::v4 ? stage.v4 : stage.v6)) return false;
        return stage.ports.empty() || std::ranges::any_of(stage.ports, [&](const PortRange& range) {
                   return range.first <= question_.port && question_.port <= range.last;
               });
    }

    /// Connection tracking sits at one priority of the hooks where packets begin.
    bool meets_tracking(const Stage& stage) const {
        constexpr int kTracking = -200;
        if (stage.hook == Hook::ingress) return false;
        const bool is_begin = stage.hook == Hook::prerouting ||
                              (stage.hook == Hook::output && phase_ != Phase::reset);
        return !is_begin || stage.priority > kTracking;
    }

    bool has_no_say(const Stage& stage) const {
        return stage.policy == Action::accept &&
               (stage.chain == kNoChain || rules_.chains[stage.chain].rules.empty());
    }

    /// Who gets through all hooks of a phase.
    AddressSet pass_phase(AddressSet flow, Phase phase) {
        phase_ = phase;
        const bool is_out = phase == Phase::reply || phase == Phase::reset;
        // What answers an untracked packet is no part of a connection either.
        const bool was_tracked = phase != Phase::reset || is_tracked_;
        for (size_t i = 0; i < order_.size() && !flow.empty(); ++i) {
            const Stage& stage = rules_.stages[order_[i]];
            if (is_reply(stage.hook) != is_out) continue;
            if (phase == Phase::later && stage.is_for_first) continue;
            if (phase != Phase::first && has_no_say(stage)) continue;
            stage_ = order_[i];
            is_tracked_ = was_tracked && meets_tracking(stage);
            passed_ = {};
            pass_stage(flow);
            flow = AddressSet(question_.family, std::move(passed_));
        }
        return flow;
    }

    /// The reset that answers leaves by the same hooks as any packet, and may be dropped there.
    void reset(const AddressSet& set, const Decider& decider) {
        auto passed = std::move(passed_);
        const uint32_t stage = stage_;
        const Phase phase = phase_;
        const bool is_tracked = is_tracked_;
        answers_later_ = phase == Phase::later;
        const AddressSet out = pass_phase(set, Phase::reset);
        stage_ = stage;
        phase_ = phase;
        is_tracked_ = is_tracked;
        answers_later_ = false;
        passed_ = std::move(passed);
        note(out, Outcome::rejected, decider);
    }

    void pass_stage(const AddressSet& from) {
        const Stage& stage = rules_.stages[stage_];
        Flow flow(from);
        if (stage.chain != kNoChain) {
            Flow returned(question_.family);
            walk(stage.chain, flow, returned, 0);
            flow.add(returned.snapshot());
        }
        decide(flow.snapshot(), stage.policy, {stage_, stage.chain, kPolicy, false});
    }

    void note(const AddressSet& set, Outcome outcome, Decider decider) {
        decider.is_later = phase_ == Phase::later || answers_later_;
        // Who admits is told of the first packet alone.
        if (phase_ >= Phase::later && outcome == Outcome::passed) return;
        for (const ip::Interval& one : set.intervals()) pieces_.push_back({one, outcome, decider});
    }

    void decide(const AddressSet& set, Action action, const Decider& decider,
                cause::Cause sees = cause::Cause::none) {
        switch (action) {
            case Action::accept:
                note(set, Outcome::passed, decider);
                passed_.insert(passed_.end(), set.intervals().begin(), set.intervals().end());
                return;
            case Action::drop:
                note(set, Outcome::dropped, decider);
                return;
            case Action::reject:
                // A reset of the reply never reaches the edge: it goes to the server.
                if (phase_ == Phase::reply || phase_ == Phase::reset) {
                    note(set, Outcome::dropped, decider);
                } else if (sees == cause::Cause::connect_refused) {
                    reset(set, decider);
                } else {
                    note(set, Outcome::rejected, decider);
                }
                return;
            case Action::proceed:
            case Action::jump:
            case Action::go_to:
            case Action::give_back:
            case Action::unclear:
                note(set, Outcome::unclear, decider);
                return;
        }
    }

    /// What is left of `flow` fell off the end; what returned or came to the end of a chain gone to
    /// is in `returned`.
    void walk(uint32_t index, Flow& flow, Flow& returned, int depth) {
        const Chain& chain = rules_.chains[index];
        if (depth > kMaxDepth || !chain.is_defined) {
            decide(flow.snapshot(), Action::unclear, {stage_, index, kGivenUp, false});
            flow.clear();
            return;
        }
        for (uint32_t i = 0; i < chain.rules.size() && !flow.empty(); ++i) {
            if (++visits_ > max_visits_ || pieces_.size() > max_pieces_) {
                decide(flow.snapshot(), Action::unclear, {stage_, index, kGivenUp, false});
                flow.clear();
                return;
            }
            const Rule& rule = chain.rules[i];
            if (rule.action != Action::proceed)
                step(rule, {stage_, index, i, false}, flow, returned, depth);
        }
    }

    void step(const Rule& rule, const Decider& at, Flow& flow, Flow& returned, int depth) {
        const Operand* const only = only_source(rule);
        if (only != nullptr && flow.is_without(only)) return;
        Hit hit(question_.family);
        const bool is_hit = find(rule, flow, hit);
        if (only != nullptr && hit.is_searched && hit.maybe.empty()) flow.note_without(only);
        if (!is_hit) return;
        if (hit.is_all) {
            hit.sure = flow.snapshot();
            flow.clear();
        } else {
            flow.remove(hit.sure);
        }
        if (!hit.maybe.empty()) {
            if (hit.is_doubted) note(hit.maybe, Outcome::doubted, at);
            if (hit.is_limited) note(hit.maybe, Outcome::limited, at);
        }
        const AddressSet both = hit.maybe.empty() ? hit.sure : hit.sure.unite(hit.maybe);
        if (both.empty()) return;
        switch (rule.action) {
            case Action::give_back:
                returned.add(both);
                return;
            case Action::jump:
            case Action::go_to: {
                Flow inner(both);
                Flow back(question_.family);
                walk(rule.chain, inner, back, depth + 1);
                back.add(inner.snapshot());
                // After goto the caller's caller goes on.
                (rule.action == Action::jump ? flow : returned).add(back.snapshot());
                return;
            }
            case Action::proceed:
            case Action::accept:
            case Action::drop:
            case Action::reject:
            case Action::unclear:
                decide(both, rule.action, at, rule.sees);
                return;
        }
    }

    /// The large set that alone says which of the edge's addresses a rule is for.
    const Operand* only_source(const Rule& rule) const {
        constexpr size_t kLarge = 8;  // intervals; fewer are searched as quickly as remembered
        const MatchKind wanted = phase_ == Phase::reply || phase_ == Phase::reset
                                     ? MatchKind::destination
                                     : MatchKind::source;
        const Operand* only = nullptr;
        for (const Match& match : rule.matches) {
            const bool is_address = match.kind == MatchKind::source ||
                                    match.kind == MatchKind::destination ||
                                    match.kind == MatchKind::source_and_port ||
                                    match.kind == MatchKind::destination_and_port;
            if (!is_address) continue;
            if (match.kind != wanted || match.is_negated || only != nullptr) return nullptr;
            only = match.operand.get();
        }
        if (only == nullptr || !only->is_defined || only->is_dynamic) return nullptr;
        return only->of(question_.family).intervals().size() > kLarge ? only : nullptr;
    }

    /// False: the rule is for nobody.
    bool find(const Rule& rule, const Flow& flow, Hit& hit) const {
        const Packet packet{rules_, question_, phase_, is_tracked_};
        bool is_about_edge = false;
        for (const Match& match : rule.matches) {
            if (packet.is_about_edge(match)) {
                is_about_edge = true;
                continue;
            }
            Truth truth = packet.truth(match);
            if (truth == Truth::sometimes && limits_ != Limits::either) {
                truth = (limits_ == Limits::over) == match.is_negated ? Truth::yes : Truth::no;
            }
            if (truth == Truth::no) return false;
            hit.is_limited |= truth == Truth::sometimes;
            hit.is_doubted |= truth == Truth::unknown;
        }
        const bool is_sure = !hit.is_limited && !hit.is_doubted;
        if (!is_about_edge) {
            hit.is_all = is_sure;
            if (!is_sure) hit.maybe = flow.snapshot();
            return true;
        }
        hit.is_searched = true;
        bool is_first = true;
        for (const Match& match : rule.matches) {
            if (!packet.is_about_edge(match)) continue;
            narrow(match, is_first ? &flow : nullptr, hit);
            is_first = false;
            if (hit.sure.empty() && hit.maybe.empty()) return false;
        }
        if (!is_sure) {
            hit.maybe = hit.maybe.unite(hit.sure);
            hit.sure = AddressSet(question_.family);
        }
        return true;
    }

    /// `flow`: where the hit has everybody yet.
    void narrow(const Match& match, const Flow* flow, Hit& hit) const {
        const Operand& operand = *match.operand;
        if (!operand.is_defined) {
            hit.maybe = flow != nullptr ? flow->snapshot() : hit.maybe.unite(hit.sure);
            hit.sure = AddressSet(question_.family);
            hit.is_doubted = true;
            return;
        }
        const bool has_pairs = match.kind == MatchKind::source_and_port ||
                               match.kind == MatchKind::destination_and_port;
        const AddressSet of_port =
            has_pairs ? addresses_for_port(operand) : AddressSet(question_.family);
        const AddressSet& set = has_pairs ? of_port : operand.of(question_.family);
        if (operand.is_dynamic && limits_ != Limits::under) {
            // Who is not in it may be the next moment.
            const AddressSet before = flow != nullptr ? flow->snapshot() : hit.sure;
            const AddressSet outside = before.subtract(set);
            if (limits_ == Limits::over) {
                hit.sure = match.is_negated ? AddressSet(question_.family) : before;
                if (match.is_negated) hit.maybe = AddressSet(question_.family);
            } else {
                hit.sure = match.is_negated ? AddressSet(question_.family) : before.intersect(set);
                hit.maybe = hit.maybe.unite(outside);
                hit.is_limited = true;
            }
            return;
        }
        if (flow != nullptr) {
            hit.sure = match.is_negated ? flow->subtract(set) : flow->intersect(set);
        } else {
            hit.sure = match.is_negated ? hit.sure.subtract(set) : hit.sure.intersect(set);
        }
        hit.maybe = match.is_negated ? hit.maybe.subtract(set) : hit.maybe.intersect(set);
    }

    AddressSet addresses_for_port(const Operand& operand) const {
        std::vector<ip::Interval> intervals;
        for (const AddressPort& pair : operand.pairs) {
            if (pair.family == question_.family && pair.ports.first <= question_.port &&
                question_.port <= pair.ports.last) {
                intervals.push_back(pair.addresses);
            }
        }
        return {question_.family, std::move(intervals)};
    }

    const Ruleset& rules_;
    const Question& question_;
    Limits limits_;
    uint32_t stage_ = 0;
    Phase phase_ = Phase::first;
    bool is_tracked_ = true;
    bool answers_later_ = false;
    uint64_t visits_ = 0;
    uint64_t max_visits_;
    uint64_t max_pieces_;
    std::vector<uint32_t> order_;
    std::vector<Piece> pieces_;
    std::vector<ip::Interval> passed_;
};

}  // namespace

Judgement judge(const Ruleset& rules, const Question& question, const AddressSet& from) {
    std::vector<Piece> pieces = Walk(rules, question, Limits::either).run(from);
    Joiner joiner(question.family);
    joiner.add(pieces, 0);
    size_t modes = 1;
    if (rules.has_limits) {
        joiner.add(Walk(rules, question, Limits::under).run(from), 1);
        joiner.add(Walk(rules, question, Limits::over).run(from), 2);
        modes = kModes;
    }
    Judgement judgement = std::move(joiner).join(modes);
    judgement.pieces = std::move(pieces);
    return judgement;
}

}  // namespace edgecase::allowlist
