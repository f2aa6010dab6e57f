#include "allowlist/sets.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace edgecase::allowlist {
namespace {

constexpr int kMaxSetDepth = 8;  // sets of sets

struct Service {
    std::string_view name;
    uint32_t port;
};
constexpr std::array kServices{
    Service{"ftp", 21},         Service{"ssh", 22},          Service{"telnet", 23},
    Service{"smtp", 25},        Service{"domain", 53},       Service{"http", 80},
    Service{"pop3", 110},       Service{"ntp", 123},         Service{"imap2", 143},
    Service{"imap", 143},       Service{"snmp", 161},        Service{"https", 443},
    Service{"submission", 587}, Service{"imaps", 993},       Service{"pop3s", 995},
    Service{"mysql", 3306},     Service{"postgresql", 5432}, Service{"http-alt", 8080},
};

std::optional<uint32_t> parse_port(std::string_view text) {
    uint32_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, port);
    if (error == std::errc() && rest == end && !text.empty()) {
        return port <= 65535 ? std::optional(port) : std::nullopt;
    }
    const auto found = std::ranges::find(kServices, text, &Service::name);
    return found == kServices.end() ? std::nullopt : std::optional(found->port);
}

}  // namespace

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
    if (const size_t dash = text.find('-'); dash != std::string_view::npos) {
        const auto first = ip::Address::parse(text.substr(0, dash));
        const auto last = ip::Address::parse(text.substr(dash + 1));
        if (!first || !last || first->is_v4() != last->is_v4()) return std::nullopt;
        const ip::Interval interval{ip::number_of(*first), ip::number_of(*last)};
        if (interval.last < interval.first) return std::nullopt;
        return AddressRange{ip::family_of(*first), interval};
    }
    const auto cidr = ip::Cidr::parse(text);
    if (!cidr) return std::nullopt;
    return AddressRange{cidr->family, {cidr->first, cidr->last()}};
}

std::optional<PortRange> parse_ports(std::string_view text) {
    // A whole name may have a dash in it.
    if (const auto port = parse_port(text)) return PortRange{*port, *port};
    const size_t mark = text.find_first_of("-:");
    if (mark == std::string_view::npos) return std::nullopt;
    const std::string_view from = text.substr(0, mark);
    const std::string_view to = text.substr(mark + 1);
    if (from.empty() && to.empty()) return std::nullopt;
    const auto first = from.empty() ? 0 : parse_port(from);
    const auto last = to.empty() ? 65535 : parse_port(to);
    if (!first || !last || *last < *first) return std::nullopt;
    return PortRange{*first, *last};
}

void SetBuilder::add(const AddressRange& range) {
    if (!ordered_.empty()) {
        ordered_.emplace_back(range, true);
    } else {
        intervals_[static_cast<size_t>(range.family)].push_back(range.interval);
    }
}

void SetBuilder::except(const AddressRange& range) {
    if (ordered_.empty()) {
        for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
            auto& intervals = intervals_[static_cast<size_t>(family)];
            for (const auto& interval : intervals) {
                ordered_.emplace_back(AddressRange{family, interval}, true);
            }
            intervals.clear();
        }
    }
    ordered_.emplace_back(range, false);
}

void SetBuilder::add_pair(const AddressRange& range, PortRange ports) {
    operand_->pairs.push_back({range.family, range.interval, ports});
}

void SetBuilder::swap_content(SetBuilder& other) {
    std::swap(intervals_, other.intervals_);
    std::swap(ordered_, other.ordered_);
    std::swap(members_, other.members_);
    std::swap(is_unknown_, other.is_unknown_);
    std::swap(why_unknown_, other.why_unknown_);
    std::swap(operand_->shape, other.operand_->shape);
    std::swap(operand_->pairs, other.operand_->pairs);
    std::swap(operand_->ports, other.operand_->ports);
}

void SetBuilder::finish(int depth) {
    if (is_finished_) return;
    is_finished_ = true;
    for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
        operand_->of(family) =
            ip::AddressSet(family, std::move(intervals_[static_cast<size_t>(family)]));
    }
    if (!ordered_.empty()) {
        // Larger blocks first: those inside them overrule.
        const auto width = [](const std::pair<AddressRange, bool>& one) {
            const ip::Interval& interval = one.first.interval;
            const bool borrows = interval.last.low < interval.first.low;
            return ip::Number{interval.last.high - interval.first.high - (borrows ? 1 : 0),
                              interval.last.low - interval.first.low};
        };
        std::ranges::sort(ordered_, std::greater(), width);
        for (size_t i = 0; i < ordered_.size();) {
            size_t end = i;
            std::array<std::array<std::vector<ip::Interval>, 2>, 2> groups;
            while (end < ordered_.size() && width(ordered_[end]) == width(ordered_[i])) {
                const auto& [range, is_in] = ordered_[end];
                groups[is_in ? 1 : 0][static_cast<size_t>(range.family)].push_back(range.interval);
                ++end;
            }
            for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
                const auto f = static_cast<size_t>(family);
                ip::AddressSet& set = operand_->of(family);
                set = set.unite({family, std::move(groups[1][f])})
                          .subtract({family, std::move(groups[0][f])});
            }
            i = end;
        }
    }
    for (const auto& held : members_) {
        const auto member = held.lock();
        if (!member || depth >= kMaxSetDepth) {
            make_unknown("sets of sets of sets, too deep");
            break;
        }
        member->finish(depth + 1);
        if (!member->operand_->is_defined) {
            make_unknown(member->why_unknown_.empty() ? "a set in it that is in none of the files"
                                                      : "a set in it of " + member->why_unknown_);
        }
        // Each member is compared by its own kind.
        if (!member->operand_->pairs.empty() || !member->operand_->ports.empty()) {
            make_unknown("sets in it of ports");
        }
        for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
            operand_->of(family) = operand_->of(family).unite(member->operand_->of(family));
        }
        operand_->is_dynamic |= member->operand_->is_dynamic;
    }
    if (is_unknown_) {
        operand_->is_defined = false;
        operand_->text = why_unknown_;
    }
    std::ranges::sort(operand_->ports);
}

std::shared_ptr<SetBuilder> Sets::at(std::string_view scope, std::string_view name) {
    if (last_ && name == last_name_ && scope == last_scope_) return last_;
    last_scope_ = scope;
    last_name_ = name;
    auto& set = sets_[last_scope_ + " " + last_name_];
    if (!set) set = std::make_shared<SetBuilder>();
    last_ = set;
    return set;
}

VerdictMap& Sets::map_at(std::string_view scope, std::string_view name) {
    return maps_[std::string(scope) + " " + std::string(name)];
}

void Sets::finish(Ruleset& rules) {
    for (const auto& [name, set] : sets_) {
        set->finish();
        if (set->operand()->is_dynamic) rules.has_limits = true;
        if (set->operand()->is_defined) rules.sets.push_back({name, set->place(), set->operand()});
    }
}

}  // namespace edgecase::allowlist
