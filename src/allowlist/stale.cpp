// Old copies of the edge's list: what they lack, and what only they have.
#include <algorithm>
#include <set>

#include "allowlist/report.hpp"

namespace edgecase::allowlist {
namespace {

using ip::AddressSet;

constexpr double kMost = 0.6;      // of the published ranges: a list with so many is a copy of them
constexpr double kBroadest = 4.0;  // times what is published: a list with more is for everybody

/// The ranges of one family that a list may be a copy of.
struct Copy {
    size_t published = 0;
    std::vector<ip::Cidr> missing;
    std::vector<ip::Cidr> retired;
    bool is_copy = false;
};

Copy compare(const AddressSet& list, const Published& published) {
    Copy copy;
    const ip::Family family = list.family();
    const AddressSet wanted = published.of(family);
    for (const ip::Cidr& range : published.ranges) {
        if (range.family != family) continue;
        ++copy.published;
        if (!list.covers(AddressSet(range))) copy.missing.push_back(range);
    }
    if (copy.published == 0) return copy;
    const auto has = static_cast<double>(copy.published - copy.missing.size());
    copy.is_copy = has >= kMost * static_cast<double>(copy.published) &&
                   size_of(list) <= kBroadest * size_of(wanted);
    for (const ip::Cidr& old : retired()) {
        if (old.family != family) continue;
        const AddressSet left = AddressSet(old).subtract(wanted);
        // Only the whole of what was given up tells a list's age.
        if (!left.empty() && list.covers(left)) {
            for (const ip::Cidr& range : left.cidrs()) copy.retired.push_back(range);
        }
    }
    return copy;
}

class Finder {
  public:
    Finder(const Ruleset& rules, const Published& published)
        : rules_(rules), published_(published) {
        for (const NamedSet& set : rules.sets) named_.insert(set.operand.get());
    }

    void look_at(const std::string& name, const Place& place, const Operand& operand) {
        StaleList stale{name, rules_.sources[place.file].name, place.line, {}, {}};
        for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
            if (operand.of(family).empty()) continue;
            Copy copy = compare(operand.of(family), published_);
            if (!copy.is_copy) continue;
            std::ranges::move(copy.missing, std::back_inserter(stale.missing));
            std::ranges::move(copy.retired, std::back_inserter(stale.retired));
        }
        if (!stale.missing.empty() || !stale.retired.empty()) found_.push_back(std::move(stale));
    }

    /// The sources that the rules of a chain admit, one by one.
    void look_at(const Chain& chain) {
        std::array<std::vector<ip::Interval>, 2> intervals;
        const Place* first = nullptr;
        for (const Rule& rule : chain.rules) {
            if (rule.action != Action::accept) continue;
            const Match* source = nullptr;
            for (const Match& match : rule.matches) {
                if (match.kind == MatchKind::source && !match.is_negated) source = &match;
            }
            if (source == nullptr || !source->operand->is_defined) continue;
            if (named_.contains(source->operand.get())) continue;
            if (first == nullptr) first = &rule.place;
            for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
                const auto more = source->operand->of(family).intervals();
                auto& all = intervals[static_cast<size_t>(family)];
                all.insert(all.end(), more.begin(), more.end());
            }
        }
        if (first == nullptr) return;
        Operand joint;
        for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
            joint.of(family) =
                AddressSet(family, std::move(intervals[static_cast<size_t>(family)]));
        }
        look_at("the accepting rules of " + chain.name, *first, joint);
    }

    std::vector<StaleList> run() {
        for (const NamedSet& set : rules_.sets) look_at("set " + set.name, set.place, *set.operand);
        for (const Chain& chain : rules_.chains) look_at(chain);
        return std::move(found_);
    }

  private:
    const Ruleset& rules_;
    const Published& published_;
    std::set<const Operand*> named_;
    std::vector<StaleList> found_;
};

}  // namespace

std::vector<StaleList> find_stale(const Ruleset& rules, const Published& published) {
    return Finder(rules, published).run();
}

}  // namespace edgecase::allowlist
