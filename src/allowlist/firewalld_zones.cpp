#include "allowlist/firewalld_zones.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "allowlist/contains.hpp"
#include "allowlist/rule_parts.hpp"

namespace edgecase::allowlist {
namespace {

struct Service {
    std::string_view name;
    uint32_t port;  // 0: none of TCP
};
/// Source: firewalld's service files, the ones that are common.
constexpr std::array kServices{
    Service{"http", 80},         Service{"https", 443},      Service{"ssh", 22},
    Service{"http3", 0},         Service{"dhcp", 0},         Service{"dhcpv6", 0},
    Service{"dhcpv6-client", 0}, Service{"mdns", 0},         Service{"dns", 53},
    Service{"cockpit", 9090},    Service{"samba-client", 0}, Service{"smtp", 25},
    Service{"smtps", 465},       Service{"imaps", 993},      Service{"mysql", 3306},
    Service{"postgresql", 5432}, Service{"ntp", 0},          Service{"wireguard", 0},
    Service{"ftp", 21},          Service{"redis", 6379},     Service{"prometheus", 9090}};

/// Nullopt: it has no port of TCP.
std::optional<Match> service_match(const std::string& name) {
    const auto found = std::ranges::find(kServices, name, &Service::name);
    if (found == kServices.end()) return unknown_match("the ports of the service " + name);
    if (found->port == 0) return std::nullopt;
    const PortRange range{found->port, found->port};
    return to_ports(std::span(&range, 1));
}

Match from_ports(std::span<const PortRange> ports) {
    Match match = to_ports(ports);
    match.kind = MatchKind::source_port;
    return match;
}

/// The value of `key="value"` or `key=value` among a rich rule's words, from `at` on.
std::string value_of(const std::vector<std::string>& words, std::string_view key, size_t at = 0) {
    for (size_t i = at; i < words.size(); ++i) {
        if (words[i].starts_with(key) && words[i].size() > key.size() &&
            words[i][key.size()] == '=') {
            return words[i].substr(key.size() + 1);
        }
    }
    return {};
}

bool rich_source(Sets& sets, const std::vector<std::string>& words, std::vector<Match>& matches) {
    const auto source = std::ranges::find(words, "source");
    if (source == words.end()) return true;
    const auto at = static_cast<size_t>(source - words.begin()) + 1;
    const bool is_negated =
        at < words.size() && (words[at] == "NOT" || words[at] == "not" || words[at] == "invert");
    if (const std::string set = value_of(words, "ipset", at); !set.empty()) {
        matches.push_back({MatchKind::source, is_negated, 0, 0, sets.at("ipset", set)->operand()});
        return true;
    }
    if (const auto range = AddressRange::parse(value_of(words, "address", at))) {
        matches.push_back(only_family(range->family));
        matches.push_back(from_addresses(std::span(&*range, 1), is_negated));
        return true;
    }
    matches.push_back(unknown_match("the source of a rich rule"));
    return true;
}

/// False: not for TCP.
bool rich_element(const std::vector<std::string>& words, std::vector<Match>& matches) {
    const auto has = [&](std::string_view word) { return contains(words, word); };
    if (has("destination")) {
        matches.push_back(unknown_match("the destination of a rich rule"));
    }
    const auto service = std::ranges::find(words, "service");
    if (service != words.end()) {
        auto match = service_match(value_of(words, "name"));
        if (!match) return false;
        matches.push_back(std::move(*match));
    } else if (const std::string port = value_of(words, "port"); !port.empty()) {
        if (value_of(words, "protocol") != "tcp") return false;
        const auto range = parse_ports(port);
        matches.push_back(!range               ? unknown_match("the port " + port)
                          : has("source-port") ? from_ports(std::span(&*range, 1))
                                               : to_ports(std::span(&*range, 1)));
    } else if (std::ranges::find(words, "protocol") != words.end()) {
        return value_of(words, "value") == "tcp";
    } else {
        for (const char* const other : {"icmp-block", "icmp-type", "masquerade", "forward-port"}) {
            if (std::ranges::find(words, other) != words.end()) return false;
        }
    }
    return true;
}

/// A zone's chain ends as its target says.
uint32_t add_zone(Ruleset& all, FirewalldZone& zone) {
    std::vector<Rule> rules;
    const auto add_prioritised = [&](bool is_before) {
        for (auto& [priority, rule] : zone.by_priority) {
            if ((priority < 0) == is_before) rules.push_back(std::move(rule));
        }
    };
    add_prioritised(true);
    std::ranges::move(zone.denying, std::back_inserter(rules));
    std::ranges::move(zone.admitting, std::back_inserter(rules));
    add_prioritised(false);
    Rule last = make_rule(Action::reject, {}, zone.target_place);
    if (zone.target == "ACCEPT") last.action = Action::accept;
    if (zone.target == "DROP") {
        last = make_rule(Action::drop, {}, zone.target_place);
    } else {
        last.sees = cause::Cause::connect_prohibited;
    }
    rules.push_back(std::move(last));
    all.chains.push_back({"firewalld " + zone.name, std::move(rules), true});
    return static_cast<uint32_t>(all.chains.size() - 1);
}

}  // namespace

void FirewalldZone::add_service(const std::string& service, const Place& at) {
    auto match = service_match(service);
    if (match) admitting.push_back(make_rule(Action::accept, {std::move(*match)}, at));
}

void FirewalldZone::add_port(std::string_view text, const Place& at, bool is_source) {
    if (!text.ends_with("/tcp")) return;
    const auto range = parse_ports(text.substr(0, text.size() - 4));
    if (!range) return;
    const auto ports = std::span(&*range, 1);
    admitting.push_back(
        make_rule(Action::accept, {is_source ? from_ports(ports) : to_ports(ports)}, at));
}

void FirewalldZone::add_protocol(std::string_view protocol, const Place& at) {
    if (protocol == "tcp") admitting.push_back(make_rule(Action::accept, {}, at));
}

void FirewalldZone::add_forwarding(const Place& at) {
    denying.push_back(make_rule(Action::unclear, {unknown_match("forward-ports")}, at));
}

/// `rule family="ipv4" source address="1.2.3.0/24" port port="443" protocol="tcp" accept`
void FirewalldZone::add_rich_rule(Sets& sets, const std::vector<std::string>& words,
                                  const Place& at) {
    std::vector<Match> matches;
    const std::string family = value_of(words, "family");
    if (family == "ipv4") matches.push_back(only_family(ip::Family::v4));
    if (family == "ipv6") matches.push_back(only_family(ip::Family::v6));
    if (!rich_source(sets, words, matches) || !rich_element(words, matches)) return;
    const auto has = [&](std::string_view word) {
        return std::ranges::find(words, word) != words.end();
    };
    // A limit behind `log` is the log's.
    const auto limit = std::ranges::find(words, "limit");
    const auto action = std::ranges::find_if(words, [](const std::string& word) {
        return word == "accept" || word == "drop" || word == "reject";
    });
    if (limit != words.end() && action < limit) matches.push_back(rate_limit());
    int priority = 0;
    const std::string given = value_of(words, "priority");
    std::from_chars(given.data(), given.data() + given.size(), priority);
    const auto keep = [&](std::vector<Rule>& list, Rule rule) {
        if (priority == 0) {
            list.push_back(std::move(rule));
        } else {
            by_priority.emplace(priority, std::move(rule));
        }
    };
    if (has("accept")) {
        keep(admitting, make_rule(Action::accept, std::move(matches), at));
    } else if (has("drop")) {
        keep(denying, make_rule(Action::drop, std::move(matches), at));
    } else if (has("reject")) {
        Rule rule = make_rule(Action::reject, std::move(matches), at);
        const std::string type = value_of(words, "type");
        if (!type.empty()) rule.sees = cause_of_rejection(type);
        keep(denying, std::move(rule));
    } else if (!has("log") && !has("nflog") && !has("audit") && !has("mark")) {
        keep(denying, make_rule(Action::unclear, std::move(matches), at));
    }
}

/// Zones by source come before zones by interface; what is in none is in the default zone.
void finish_firewalld(Ruleset& rules, Sets& sets, FirewalldZones&& all) {
    if (all.zones.empty()) return;
    std::vector<Rule> by_source;
    std::vector<Rule> by_interface;
    std::vector<Rule> by_chance;
    std::vector<Rule> by_default;
    for (FirewalldZone& zone : all.zones) {
        if (!all.default_zone.empty()) {
            zone.is_default = zone.is_said_default = zone.name == all.default_zone;
        }
        const uint32_t chain = add_zone(rules, zone);
        const auto lead = [&](std::vector<Match> matches, std::vector<Rule>& list) {
            Rule rule = make_rule(Action::go_to, std::move(matches), zone.place);
            rule.chain = chain;
            list.push_back(std::move(rule));
        };
        for (const std::string& source : zone.sources) {
            if (const auto range = AddressRange::parse(source)) {
                lead({from_addresses(std::span(&*range, 1))}, by_source);
            } else if (source.starts_with("ipset:")) {
                lead({{MatchKind::source, false, 0, 0,
                       sets.at("ipset", source.substr(6))->operand()}},
                     by_source);
            } else {
                lead({unknown_match("the source " + source)}, by_source);
            }
        }
        if (!zone.interfaces.empty()) {
            auto operand = std::make_shared<Operand>();
            for (const std::string& name : zone.interfaces) {
                operand->text += (operand->text.empty() ? "" : "\n") + name;
            }
            lead({{MatchKind::interface_in, false, 0, 0, std::move(operand)}}, by_interface);
        }
        // Another zone, which is not here, may have the interface; without one of its own the
        // default zone is for whatever no other has.
        const bool is_for_rest =
            zone.interfaces.empty() ? zone.is_default : zone.is_said_default && all.are_all;
        if (is_for_rest) {
            lead({}, by_default);
        } else if (zone.interfaces.empty() && zone.sources.empty()) {
            lead({unknown_match("which interface is in zone " + zone.name)}, by_chance);
        }
    }
    if (all.is_permanent) {
        rules.notes.emplace_back(
            "firewalld: zones into which a program put interfaces or sources while it runs are not "
            "in these files; `firewall-cmd --list-all-zones` has them");
    }
    std::ranges::move(by_interface, std::back_inserter(by_source));
    std::ranges::move(by_chance, std::back_inserter(by_source));
    std::ranges::move(by_default, std::back_inserter(by_source));
    Stage stage;
    stage.name = "firewalld";
    stage.policy = Action::unclear;
    stage.policy_place = {all.file, 0, 0};
    stage.policy_text = "the default zone, which is not among these";
    stage.is_for_first = true;
    add_stage(rules, std::move(stage), std::move(by_source));
}

}  // namespace edgecase::allowlist
