#include "allowlist/report.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

using ip::AddressSet;
using ip::Interval;

/// Where the lines of each source begin: rules are quoted often.
class Lines {
  public:
    explicit Lines(const Ruleset& rules) : rules_(rules), starts_(rules.sources.size()) {}

    std::string at(const Place& place) {
        if (place.line == 0 || place.file >= starts_.size()) return {};
        const std::string_view text = rules_.sources[place.file].text;
        auto& starts = starts_[place.file];
        if (starts.empty()) {
            starts.push_back(0);
            for (size_t i = text.find('\n'); i != std::string_view::npos;
                 i = text.find('\n', i + 1)) {
                starts.push_back(i + 1);
            }
        }
        if (place.line > starts.size()) return {};
        std::string_view line = text.substr(starts[place.line - 1]);
        line = line.substr(0, std::min(line.find_first_of("\r\n"), kLongestText));
        return std::string(base::trim(line.substr(0, line.find(" # handle "))));
    }

  private:
    static constexpr size_t kLongestText = 500;  // a set within a rule can have a million elements
    const Ruleset& rules_;
    std::vector<std::vector<size_t>> starts_;
};

/// Why a rule leaves open what happens.
std::string doubt_of(const Ruleset& rules, const Rule& rule) {
    for (const Match& match : rule.matches) {
        const std::string_view text = match.operand ? match.operand->text : std::string_view();
        switch (match.kind) {
            case MatchKind::unknown:
                return "not modelled: " + std::string(text);
            case MatchKind::interface_in:
            case MatchKind::interface_out:
                return "the interface is not known (--interface NAME)";
            case MatchKind::source:
            case MatchKind::destination:
            case MatchKind::source_and_port:
            case MatchKind::destination_and_port:
                if (!match.operand->is_defined) {
                    return text.empty() ? "its set is in none of the files"
                                        : "its set has what is not modelled: " + std::string(text);
                }
                if (match.kind == MatchKind::destination) {
                    return "the origin's address is not known (--destination ADDRESS)";
                }
                break;
            case MatchKind::source_port:
            case MatchKind::destination_port:
                break;
            case MatchKind::mark:
                if (rules.sets_marks) return "marks are set by other rules, which is not followed";
                break;
            case MatchKind::state:
                if (rules.skips_tracking) return "other rules switch connection tracking off";
                break;
            case MatchKind::always:
            case MatchKind::family:
            case MatchKind::tcp_flags:
            case MatchKind::limit:
                break;
        }
    }
    return rule.action == Action::unclear ? "what it leads to is not modelled" : "";
}

/// Which rows have addresses of an interval: blocks lie within each other or apart.
class RowIndex {
  public:
    explicit RowIndex(const std::vector<Row>& rows) {
        for (size_t i = 0; i < rows.size(); ++i) {
            entries_.push_back({rows[i].range.first, rows[i].range.last(), i, kNone});
        }
        // The larger of two that begin together comes first.
        std::ranges::sort(entries_, [](const Entry& a, const Entry& b) {
            return std::tuple(a.first, b.last, a.row) < std::tuple(b.first, a.last, b.row);
        });
        size_t outer = kNone;
        for (size_t i = 0; i < entries_.size(); ++i) {
            while (outer != kNone && entries_[outer].last < entries_[i].first) {
                outer = entries_[outer].outer;
            }
            entries_[i].outer = outer;
            outer = i;
        }
    }

    template <typename Visit>
    void for_each_in(const Interval& interval, Visit visit) const {
        const auto behind = std::ranges::upper_bound(entries_, interval.first, {}, &Entry::first);
        const auto begin = static_cast<size_t>(behind - entries_.begin());
        for (size_t i = begin; i-- > 0;) {
            if (entries_[i].last >= interval.first) {
                visit(entries_[i].row);
            }
            // What lies between it and the block around it ends before its begin.
            if (entries_[i].outer == kNone) break;
            i = entries_[i].outer + 1;
        }
        for (size_t i = begin; i < entries_.size() && entries_[i].first <= interval.last; ++i) {
            visit(entries_[i].row);
        }
    }

  private:
    static constexpr size_t kNone = SIZE_MAX;
    struct Entry {
        ip::Number first;
        ip::Number last;
        size_t row;
        size_t outer;
    };
    std::vector<Entry> entries_;
};

class RowMaker {
  public:
    RowMaker(const Ruleset& rules, const Published& published) : rules_(rules), lines_(rules) {
        for (const ip::Cidr& range : published.ranges) ranges_.push_back(range);
    }

    void add(const Judgement& judgement, ip::Family family, uint16_t port, std::vector<Row>& into) {
        std::vector<Row> rows;
        for (const ip::Cidr& range : ranges_) {
            if (range.family != family) continue;
            Row row(range);
            const AddressSet whole(range);
            row.port = port;
            row.admitted = judgement.admitted.intersect(whole);
            row.dropped = judgement.dropped.intersect(whole);
            row.rejected = judgement.rejected.intersect(whole);
            row.rate_limited = judgement.rate_limited.intersect(whole);
            row.unknown = judgement.unknown.intersect(whole);
            rows.push_back(std::move(row));
        }
        gather(judgement.pieces, rows);
        std::ranges::move(rows, std::back_inserter(into));
    }

  private:
    using Key = std::pair<Decider, Outcome>;

    /// The part of a piece whose outcome the piece explains.
    static const AddressSet* explained(const Row& row, Outcome outcome, int turn) {
        switch (outcome) {
            case Outcome::passed:
                return turn == 0 ? &row.admitted : nullptr;
            case Outcome::dropped:
                return turn == 0 ? &row.dropped : turn == 1 ? &row.rate_limited : nullptr;
            case Outcome::rejected:
                return turn == 0 ? &row.rejected : turn == 1 ? &row.rate_limited : nullptr;
            case Outcome::limited:
                return turn == 0 ? &row.rate_limited : nullptr;
            case Outcome::unclear:
            case Outcome::doubted:
                return turn == 0 ? &row.unknown : nullptr;
            case Outcome::admitted:
                return nullptr;
        }
        return nullptr;
    }

    struct Found {
        std::map<Key, std::vector<Interval>> parts;
        std::vector<Key> order;
        Key last;
    };

    void gather(const std::vector<Piece>& pieces, std::vector<Row>& rows) {
        std::vector<Found> found(rows.size());
        const RowIndex index(rows);
        for (const Piece& piece : pieces) {
            index.for_each_in(piece.addresses, [&](size_t i) { add(piece, rows[i], found[i]); });
        }
        for (size_t i = 0; i < rows.size(); ++i) {
            for (const Key& key : found[i].order) {
                DecidedBy decided = describe(key.first, key.second);
                decided.part = AddressSet(rows[i].range.family, std::move(found[i].parts[key]));
                rows[i].decided_by.push_back(std::move(decided));
            }
        }
    }

    void add(const Piece& piece, Row& row, Found& found) {
        for (int turn = 0; turn < 2; ++turn) {
            const AddressSet* const set = explained(row, piece.outcome, turn);
            if (set == nullptr || set->empty()) continue;
            part_.clear();
            set->append_part(piece.addresses, part_);
            if (part_.empty()) continue;
            const Key key{piece.decider, piece.outcome};
            if (found.order.size() >= kMaxDeciders && !found.parts.contains(key)) {
                // Pieces of one rule come together, so each is counted once.
                if (found.last != key) ++row.more_deciders;
                found.last = key;
                continue;
            }
            auto& intervals = found.parts[key];
            if (intervals.empty()) found.order.emplace_back(piece.decider, piece.outcome);
            intervals.insert(intervals.end(), part_.begin(), part_.end());
        }
    }

    DecidedBy describe(const Decider& decider, Outcome outcome) {
        DecidedBy result;
        result.outcome = outcome == Outcome::passed ? Outcome::admitted : outcome;
        const Stage& stage = rules_.stages[decider.stage];
        Place place = stage.policy_place;
        result.stage = stage.name;
        if (decider.rule == kPolicy) {
            result.chain = stage.name;
            result.text = stage.policy_text.empty() ? lines_.at(place) : stage.policy_text;
            result.sees = stage.policy_sees;
            result.http_status = stage.policy_http_status;
        } else if (decider.rule == kGivenUp) {
            const Chain& chain = rules_.chains[decider.chain];
            result.chain = chain.name;
            result.text = "chain " + chain.name;
            result.why = chain.is_defined ? "too many steps, or chains too deep to follow"
                                          : "the chain is in none of the files";
        } else {
            const Rule& rule = rules_.chains[decider.chain].rules[decider.rule];
            place = rule.place;
            result.chain = rules_.chains[decider.chain].name;
            result.text = rule.text.empty() ? lines_.at(place) : rule.text;
            result.sees = rule.sees;
            result.http_status = rule.http_status;
            if (outcome == Outcome::doubted || outcome == Outcome::unclear) {
                result.why = doubt_of(rules_, rule);
            }
            if (outcome == Outcome::limited) result.why = "a rate limit: sometimes";
        }
        if (outcome != Outcome::dropped && outcome != Outcome::rejected) {
            result.sees = cause::Cause::none;
        } else if (decider.is_later) {
            // The connection was made. Of errors by ICMP it takes no notice any more.
            result.why = "the first packet is let in, those after it are not";
            result.sees = !is_reply(stage.hook) && result.sees == cause::Cause::connect_refused
                              ? cause::Cause::connect_reset
                              : cause::Cause::request_not_acked;
        } else if (is_reply(stage.hook)) {
            result.sees = cause::Cause::connect_timeout;
            result.http_status = 0;
        }
        result.file = rules_.sources[place.file].name;
        result.line = place.line;
        result.handle = place.handle;
        return result;
    }

    const Ruleset& rules_;
    Lines lines_;
    std::vector<ip::Cidr> ranges_;
    std::vector<Interval> part_;  // scratch
};

/// No file says anything of this family.
void add_silent(const Published& published, ip::Family family, uint16_t port,
                std::vector<Row>& into) {
    for (const ip::Cidr& range : published.ranges) {
        if (range.family != family) continue;
        Row row(range);
        row.port = port;
        row.unknown = AddressSet(range);
        DecidedBy decided;
        decided.why = family == ip::Family::v6
                          ? "none of the files is about IPv6 (ip6tables-save would be)"
                          : "none of the files is about IPv4 (iptables-save would be)";
        decided.part = row.unknown;
        row.decided_by.push_back(std::move(decided));
        into.push_back(std::move(row));
    }
}

}  // namespace

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::admitted:
        case Outcome::passed:
            return "admitted";
        case Outcome::dropped:
            return "dropped";
        case Outcome::rejected:
            return "rejected";
        case Outcome::limited:
            return "rate_limited";
        case Outcome::unclear:
        case Outcome::doubted:
            break;
    }
    return "unknown";
}

bool Report::is_clear() const {
    return std::ranges::all_of(rows, &Row::is_admitted);
}

Report check(const Ruleset& rules, const Published& published, const CheckOptions& options) {
    Report report;
    RowMaker maker(rules, published);
    for (const uint16_t port : options.ports) {
        for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
            const AddressSet from = published.of(family);
            if (from.empty()) continue;
            if (!rules.speaks_of[static_cast<size_t>(family)]) {
                add_silent(published, family, port, report.rows);
                continue;
            }
            Question question{family, port, options.interface_in, std::nullopt};
            for (const ip::Address& address : options.destinations) {
                if (ip::family_of(address) == family) question.destination = address;
            }
            maker.add(judge(rules, question, from), family, port, report.rows);
        }
    }
    report.stale = find_stale(rules, published);
    return report;
}

}  // namespace edgecase::allowlist
