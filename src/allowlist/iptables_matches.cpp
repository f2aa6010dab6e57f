#include "allowlist/iptables_matches.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "allowlist/contains.hpp"
#include "allowlist/nft_keys.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

using Words = IptablesWords;

Match address_match(MatchKind kind, bool is_negated, std::string_view list) {
    // Nearly all rules have one address, and a rule set has many rules.
    if (const auto one = AddressRange::parse(list)) {
        auto operand = std::make_shared<Operand>();
        operand->of(one->family) = ip::AddressSet(one->family, {one->interval});
        return {kind, is_negated, 0, 0, std::move(operand)};
    }
    SetBuilder builder;
    builder.define({});
    bool is_known = true;
    base::for_each_list_element(list, [&](std::string_view one) {
        const auto range = AddressRange::parse(one);
        is_known &= range.has_value();
        if (range) builder.add(*range);
    });
    if (!is_known) return unknown_match("the address " + std::string(list));
    builder.finish();
    return {kind, is_negated, 0, 0, builder.operand()};
}

Match port_match(MatchKind kind, bool is_negated, std::string_view list) {
    if (const auto one = parse_ports(list))
        return {kind, is_negated, one->first, one->last, nullptr};
    auto operand = std::make_shared<Operand>();
    bool is_known = true;
    base::for_each_list_element(list, [&](std::string_view one) {
        const auto ports = parse_ports(one);
        is_known &= ports.has_value();
        if (ports) operand->ports.push_back(*ports);
    });
    if (!is_known || operand->ports.empty()) return unknown_match("the ports " + std::string(list));
    return {kind, is_negated, 0, 0, std::move(operand)};
}

Match interface_match(MatchKind kind, bool is_negated, std::string_view name) {
    auto operand = std::make_shared<Operand>();
    operand->text = std::string(name);
    return {kind, is_negated, 0, 0, std::move(operand)};
}

Match constant(bool holds) {
    return holds ? Match{} : never();
}

Match state_match(bool is_negated, std::string_view list) {
    uint32_t bits = 0;
    bool is_known = true;
    base::for_each_list_element(list, [&](std::string_view one) {
        const std::string word = base::to_lower(one);
        if (word == "new") bits |= State::kNew;
        if (word == "established") bits |= State::kEstablished;
        if (word == "related") bits |= State::kRelated;
        if (word == "invalid") bits |= State::kInvalid;
        if (word == "untracked") bits |= State::kUntracked;
        // Translated connections have met an unclear rule before: SNAT and DNAT add nothing.
        is_known &= word == "new" || word == "established" || word == "related" ||
                    word == "invalid" || word == "untracked" || word == "snat" || word == "dnat";
    });
    if (!is_known) return unknown_match("the state " + std::string(list));
    return {MatchKind::state, is_negated, bits, 0, nullptr};
}

std::optional<uint32_t> tcp_flags_of(std::string_view list) {
    constexpr std::array kNames{
        std::pair{std::string_view("FIN"), 1U},  std::pair{std::string_view("SYN"), 2U},
        std::pair{std::string_view("RST"), 4U},  std::pair{std::string_view("PSH"), 8U},
        std::pair{std::string_view("ACK"), 16U}, std::pair{std::string_view("URG"), 32U},
        std::pair{std::string_view("ALL"), 63U}, std::pair{std::string_view("NONE"), 0U}};
    uint32_t bits = 0;
    bool is_known = true;
    base::for_each_list_element(list, [&](std::string_view word) {
        const auto found =
            std::ranges::find(kNames, word, [](const auto& one) { return one.first; });
        is_known &= found != kNames.end();
        if (found != kNames.end()) bits |= found->second;
    });
    return is_known ? std::optional(bits) : std::nullopt;
}

Match tcp_flags_match(bool is_negated, std::string_view mask, std::string_view value) {
    const auto mask_bits = tcp_flags_of(mask);
    const auto value_bits = tcp_flags_of(value);
    if (!mask_bits || !value_bits) return unknown_match("--tcp-flags");
    return {MatchKind::tcp_flags, is_negated, *mask_bits, *value_bits, nullptr};
}

/// `VALUE` or `VALUE/MASK`; a packet's mark is 0 as long as no rule sets one.
Match mark_match(bool is_negated, std::string_view text) {
    text = text.substr(0, text.find('/'));
    if (text.starts_with("0x")) text.remove_prefix(2);
    const bool is_zero = !text.empty() && text.find_first_not_of('0') == std::string_view::npos;
    return {MatchKind::mark, is_negated, 0, is_zero ? 0U : 1U, nullptr};
}

/// `NAME src`, `NAME src,dst`: which addresses and ports the set's dimensions are compared with.
Match set_match(Reading& into, bool is_negated, std::string_view name,
                std::string_view directions) {
    const auto operand = into.sets.at("ipset", name)->operand();
    if (directions == "src") return {MatchKind::source, is_negated, 0, 0, operand};
    if (directions == "dst") return {MatchKind::destination, is_negated, 0, 0, operand};
    if (directions == "src,dst") return {MatchKind::source_and_port, is_negated, 0, 0, operand};
    return unknown_match("the set " + std::string(name) + " by " + std::string(directions));
}

/// Whether an address type, of our packet's source or destination, is among those listed.
Match address_type_match(bool is_negated, std::string_view list, bool is_source) {
    bool holds = false;
    base::for_each_list_element(
        list, [&](std::string_view type) { holds |= type == (is_source ? "UNICAST" : "LOCAL"); });
    return constant(holds != is_negated);
}

Match protocol_match(bool is_negated, std::string_view name) {
    const bool holds = name == "tcp" || name == "6" || name == "all" || name == "0";
    return constant(holds != is_negated);
}

Match limit(bool matches_above) {
    return {MatchKind::limit, matches_above, 0, 0, nullptr};
}

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> prefixes) {
    return std::ranges::any_of(
        prefixes, [text](std::string_view prefix) { return text.starts_with(prefix); });
}

/// Options that only shape another one.
bool is_detail(std::string_view option) {
    return starts_with_any(option, {"--hashlimit-burst", "--hashlimit-mode", "--hashlimit-srcmask",
                                    "--hashlimit-dstmask", "--hashlimit-name", "--hashlimit-htable",
                                    "--hashlimit-rate-match", "--hashlimit-rate-interval",
                                    "--limit-burst", "--connlimit-mask", "--connlimit-saddr",
                                    "--connlimit-daddr", "--comment", "--probability", "--every",
                                    "--packet", "--loose", "--validmark", "--accept-local"});
}

/// Of IPv6; the edge's packets have none.
bool is_extension_header(std::string_view module) {
    return module == "rt" || module == "frag" || module == "hbh" || module == "dst" ||
           module == "mh";
}

bool read_limits(IptablesRule& rule, std::string_view option, bool is_negated, Words& words) {
    std::optional<Match> match;
    if (option == "--limit" || option == "--hashlimit" || option == "--hashlimit-upto" ||
        option == "--connlimit-upto" || (option == "--mode" && rule.module == "statistic")) {
        match = limit(false);
    } else if (option == "--hashlimit-above" || option == "--connlimit-above") {
        match = limit(!is_negated);
    } else {
        return false;
    }
    words.skip_values();
    rule.matches.push_back(std::move(*match));
    return true;
}

/// `recent` counts the packets of an address: with --hitcount it is a limit, with --set alone it is
/// always true.
bool read_recent(IptablesRule& rule, std::string_view option, bool is_negated, Words& words) {
    if (rule.module != "recent") return false;
    if (option == "--set" || option == "--remove") rule.recent_only_sets = option == "--set";
    if (option == "--update" || option == "--rcheck") rule.recent_only_sets = false;
    if (option == "--hitcount") rule.recent_counts = true;
    rule.recent = "recent";
    rule.recent_is_negated |= is_negated;
    words.skip_values();
    return true;
}

bool read_addresses(IptablesRule& rule, std::string_view option, bool is_negated, Words& words) {
    if (option == "-s" || option == "--source" || option == "--src" || option == "--src-range") {
        rule.matches.push_back(address_match(MatchKind::source, is_negated, words.next()));
    } else if (option == "-d" || option == "--destination" || option == "--dst" ||
               option == "--dst-range") {
        rule.matches.push_back(address_match(MatchKind::destination, is_negated, words.next()));
    } else if (option == "--dport" || option == "--dports" || option == "--destination-port" ||
               option == "--destination-ports") {
        rule.matches.push_back(port_match(MatchKind::destination_port, is_negated, words.next()));
    } else if (option == "--sport" || option == "--sports" || option == "--source-port" ||
               option == "--source-ports") {
        rule.matches.push_back(port_match(MatchKind::source_port, is_negated, words.next()));
    } else if (option == "-i" || option == "--in-interface") {
        rule.matches.push_back(interface_match(MatchKind::interface_in, is_negated, words.next()));
    } else if (option == "-o" || option == "--out-interface") {
        rule.matches.push_back(interface_match(MatchKind::interface_out, is_negated, words.next()));
    } else if (option == "-p" || option == "--protocol") {
        rule.matches.push_back(protocol_match(is_negated, words.next()));
    } else {
        return false;
    }
    return true;
}

bool read_others(Reading& into, IptablesRule& rule, std::string_view option, bool is_negated,
                 Words& words) {
    auto& matches = rule.matches;
    if (option == "--state" || option == "--ctstate") {
        matches.push_back(state_match(is_negated, words.next()));
    } else if (option == "--syn") {
        matches.push_back(tcp_flags_match(is_negated, "FIN,SYN,RST,ACK", "SYN"));
    } else if (option == "--tcp-flags") {
        const std::string_view mask = words.next();
        matches.push_back(tcp_flags_match(is_negated, mask, words.next()));
    } else if (option == "-f" || option == "--fragment") {
        matches.push_back(constant(is_negated));
    } else if (option == "--mark") {
        matches.push_back(mark_match(is_negated, words.next()));
    } else if (option == "--match-set") {
        const std::string_view name = words.next();
        matches.push_back(set_match(into, is_negated, name, words.next()));
    } else if (option == "--dst-type" || option == "--src-type") {
        matches.push_back(address_type_match(is_negated, words.next(), option == "--src-type"));
    } else if (option == "--pkt-type") {
        const std::string_view type = words.next();
        matches.push_back(constant((type == "unicast" || type == "host") != is_negated));
    } else if (option == "--icmp-type" || option == "--icmpv6-type") {
        words.next();
        matches.push_back(never());
    } else if (option == "--invert" && rule.module == "rpfilter") {
        matches.push_back(never());  // there is a way back, else no rule mattered
    } else if (option == "--pol" && rule.module == "policy") {
        matches.push_back(constant((words.next() == "none") != is_negated));
    } else if (option == "--dir" && rule.module == "policy") {
        words.next();
    } else {
        return false;
    }
    return true;
}

/// Without any of their options they match everything, or they refuse to be without one.
constexpr std::array<std::string_view, 21> kQuietModules{
    "tcp",     "udp",       "multiport", "comment",   "conntrack", "state",    "limit",
    "iprange", "hashlimit", "set",       "mark",      "connmark",  "addrtype", "pkttype",
    "recent",  "statistic", "rpfilter",  "connlimit", "icmp",      "icmp6",    "policy"};

/// Source: xt_multiport.h, XT_MULTI_PORTS; iptables 1.8.9 says "too many ports specified".
const char* wrong_ports(std::string_view module, std::string_view option, std::string_view list) {
    constexpr ptrdiff_t kMostPorts = 15;
    const bool is_list = option == "--dports" || option == "--sports" || option == "--ports" ||
                         option == "--destination-ports" || option == "--source-ports";
    if (is_list) {
        const auto ports = 1 + std::ranges::count(list, ',') + std::ranges::count(list, ':');
        return ports > kMostPorts ? "more than 15 ports, of which a range counts as two" : nullptr;
    }
    const bool is_one = option == "--dport" || option == "--sport" ||
                        option == "--destination-port" || option == "--source-port";
    if (is_one && module != "multiport" && list.contains(',')) {
        return "several ports need --dports of multiport";
    }
    return nullptr;
}

}  // namespace

const char* read_iptables_match(Reading& into, IptablesRule& rule, std::string_view option,
                                bool is_negated, IptablesWords& words) {
    if (option == "-m" || option == "--match") {
        end_iptables_matches(rule);
        rule.module = words.next();
        if (is_extension_header(rule.module)) {
            // Without the header there is no match, also of a negated one.
            rule.matches.push_back(never());
        } else if (!contains(kQuietModules, rule.module)) {
            // Others may match by being there.
            rule.matches.push_back(unknown_match("-m " + std::string(rule.module)));
        }
        return nullptr;
    }
    if (is_detail(option)) {
        words.skip_values();
        return nullptr;
    }
    if (const char* const wrong = wrong_ports(rule.module, option, words.peek())) return wrong;
    if (read_recent(rule, option, is_negated, words) ||
        read_addresses(rule, option, is_negated, words) ||
        read_limits(rule, option, is_negated, words) ||
        read_others(into, rule, option, is_negated, words)) {
        return nullptr;
    }
    if (is_extension_header(rule.module)) {
        words.skip_values();
        return nullptr;
    }
    rule.matches.push_back(
        unknown_match("-m " + std::string(rule.module) + " " + std::string(option)));
    words.skip_values();
    return nullptr;
}

void end_iptables_matches(IptablesRule& rule) {
    if (rule.recent.empty()) return;
    if (rule.recent_only_sets) {
        rule.matches.push_back(constant(!rule.recent_is_negated));
    } else if (rule.recent_counts) {
        rule.matches.push_back(limit(!rule.recent_is_negated));
    } else {
        rule.matches.push_back(unknown_match("-m recent without --hitcount"));
    }
    rule.recent = {};
    rule.recent_counts = rule.recent_only_sets = rule.recent_is_negated = false;
}

}  // namespace edgecase::allowlist
