// `firewall-cmd --list-all` and `--list-all-zones`.
#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "allowlist/rule_parts.hpp"
#include "base/ascii.hpp"

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

struct Zone {
    std::string name;
    Place place;
    bool is_active = false;
    bool is_default = false;  // what is in no zone is in this one
    std::string target = "default";
    Place target_place;
    std::vector<std::string> interfaces;
    std::vector<std::string> sources;
    std::vector<Rule> denying;
    std::vector<Rule> admitting;
    std::multimap<int, Rule> by_priority;  // rich rules with one: below 0 first, above 0 last
};

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

class FirewalldReader {
  public:
    FirewalldReader(Reading& into, uint32_t file) : into_(into), file_(file) {}

    ReadResult read() {
        for_each_line(into_.source(file_).text, [&](uint32_t number, std::string_view line) {
            read_line(line, {file_, number, 0});
        });
        if (zones_.empty()) {
            return ReadError{into_.source(file_).name, 1, 1,
                             "no zone such as `public (active)` in it"};
        }
        std::erase_if(zones_,
                      [&](const Zone& zone) { return zones_.size() > 1 && !zone.is_active; });
        if (zones_.empty()) {
            return ReadError{into_.source(file_).name, 1, 1, "none of its zones is active"};
        }
        finish();
        return std::nullopt;
    }

  private:
    void read_line(std::string_view line, const Place& place) {
        const std::string_view text = base::trim(line);
        if (text.empty()) return;
        if (line.front() != ' ' && line.front() != '\t') {
            Zone zone;
            zone.name = std::string(text.substr(0, text.find(' ')));
            zone.place = zone.target_place = place;
            zone.is_active = text.contains("active");
            // Old versions do not say which it is; it is `public` unless that was changed.
            zone.is_default = text.contains("default") || zone.name == "public";
            zones_.push_back(std::move(zone));
            return;
        }
        if (zones_.empty()) return;
        Zone& zone = zones_.back();
        if (text.starts_with("rule ") || text == "rule") {
            rich_rule(zone, words_of(text), place);
            return;
        }
        const size_t colon = text.find(':');
        if (colon == std::string_view::npos) return;
        const std::string_view key = text.substr(0, colon);
        const auto words = words_of(text.substr(colon + 1));
        if (key == "target" && !words.empty()) {
            zone.target = words[0];
            zone.target_place = place;
        } else if (key == "interfaces") {
            zone.interfaces = words;
        } else if (key == "sources") {
            zone.sources = words;
        } else if (key == "services") {
            for (const std::string& name : words) add_service(zone, name, {}, place);
        } else if (key == "ports") {
            for (const std::string& port : words) add_port(zone, port, place);
        } else if (key == "protocols") {
            if (std::ranges::find(words, "tcp") != words.end()) {
                zone.admitting.push_back(make_rule(Action::accept, {}, place));
            }
        } else if (key == "forward-ports" && !words.empty()) {
            zone.denying.push_back(
                make_rule(Action::unclear, {unknown_match("forward-ports")}, place));
        }
    }

    static void add_service(Zone& zone, const std::string& name, std::vector<Match> matches,
                            const Place& place) {
        if (auto match = service_match(name)) {
            matches.push_back(std::move(*match));
            zone.admitting.push_back(make_rule(Action::accept, std::move(matches), place));
        }
    }

    /// Nullopt: it has no port of TCP.
    static std::optional<Match> service_match(const std::string& name) {
        const auto found = std::ranges::find(kServices, name, &Service::name);
        if (found == kServices.end()) return unknown_match("the ports of the service " + name);
        if (found->port == 0) return std::nullopt;
        const PortRange range{found->port, found->port};
        return to_ports(std::span(&range, 1));
    }

    /// `8443/tcp`, `8000-8100/tcp`
    static void add_port(Zone& zone, std::string_view text, const Place& place) {
        if (!text.ends_with("/tcp")) return;
        const auto range = parse_ports(text.substr(0, text.size() - 4));
        if (!range) return;
        zone.admitting.push_back(
            make_rule(Action::accept, {to_ports(std::span(&*range, 1))}, place));
    }

    /// `rule family="ipv4" source address="1.2.3.0/24" port port="443" protocol="tcp" accept`
    void rich_rule(Zone& zone, const std::vector<std::string>& words, const Place& place) {
        std::vector<Match> matches;
        const std::string family = value_of(words, "family");
        if (family == "ipv4") matches.push_back(only_family(ip::Family::v4));
        if (family == "ipv6") matches.push_back(only_family(ip::Family::v6));
        if (!rich_source(words, matches) || !rich_element(words, matches)) return;
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
                zone.by_priority.emplace(priority, std::move(rule));
            }
        };
        if (has("accept")) {
            keep(zone.admitting, make_rule(Action::accept, std::move(matches), place));
        } else if (has("drop")) {
            keep(zone.denying, make_rule(Action::drop, std::move(matches), place));
        } else if (has("reject")) {
            Rule rule = make_rule(Action::reject, std::move(matches), place);
            const std::string type = value_of(words, "type");
            if (!type.empty()) rule.sees = cause_of_rejection(type);
            keep(zone.denying, std::move(rule));
        } else if (!has("log") && !has("audit") && !has("mark")) {
            keep(zone.denying, make_rule(Action::unclear, std::move(matches), place));
        }
    }

    bool rich_source(const std::vector<std::string>& words, std::vector<Match>& matches) {
        const auto source = std::ranges::find(words, "source");
        if (source == words.end()) return true;
        const auto at = static_cast<size_t>(source - words.begin()) + 1;
        const bool is_negated = at < words.size() &&
                                (words[at] == "NOT" || words[at] == "not" || words[at] == "invert");
        if (const std::string set = value_of(words, "ipset", at); !set.empty()) {
            matches.push_back(
                {MatchKind::source, is_negated, 0, 0, into_.sets.at("ipset", set)->operand()});
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
    static bool rich_element(const std::vector<std::string>& words, std::vector<Match>& matches) {
        if (std::ranges::find(words, "destination") != words.end()) {
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
            matches.push_back(range ? to_ports(std::span(&*range, 1))
                                    : unknown_match("the port " + port));
        } else if (std::ranges::find(words, "protocol") != words.end()) {
            return value_of(words, "value") == "tcp";
        } else {
            for (const char* const other :
                 {"icmp-block", "icmp-type", "masquerade", "forward-port"}) {
                if (std::ranges::find(words, other) != words.end()) return false;
            }
        }
        return true;
    }

    /// A zone's chain ends as its target says.
    uint32_t add_zone(Zone& zone) {
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
        into_.rules.chains.push_back({"firewalld " + zone.name, std::move(rules), true});
        return static_cast<uint32_t>(into_.rules.chains.size() - 1);
    }

    /// Zones by source come before zones by interface; what is in none is in the default zone.
    void finish() {
        std::vector<Rule> rules;
        std::vector<Rule> by_interface;
        for (Zone& zone : zones_) {
            const bool has_sources = !zone.sources.empty();
            const uint32_t chain = add_zone(zone);
            const auto lead = [&](std::vector<Match> matches, std::vector<Rule>& list) {
                Rule rule = make_rule(Action::go_to, std::move(matches), zone.place);
                rule.chain = chain;
                list.push_back(std::move(rule));
            };
            for (const std::string& source : zone.sources) {
                if (const auto range = AddressRange::parse(source)) {
                    lead({from_addresses(std::span(&*range, 1))}, rules);
                } else if (source.starts_with("ipset:")) {
                    lead({{MatchKind::source, false, 0, 0,
                           into_.sets.at("ipset", source.substr(6))->operand()}},
                         rules);
                } else {
                    lead({unknown_match("the source " + source)}, rules);
                }
            }
            if (zone.interfaces.empty() && has_sources) continue;
            const bool is_only = std::ranges::count_if(zones_, [](const Zone& one) {
                                     return !one.interfaces.empty() || one.sources.empty();
                                 }) == 1;
            // One zone that is not the default is for its interfaces alone.
            if ((is_only && zone.is_default) || zone.interfaces.empty()) {
                lead({}, by_interface);
                continue;
            }
            auto operand = std::make_shared<Operand>();
            for (const std::string& name : zone.interfaces) {
                operand->text += (operand->text.empty() ? "" : "\n") + name;
            }
            lead({{MatchKind::interface_in, false, 0, 0, std::move(operand)}}, by_interface);
        }
        std::ranges::move(by_interface, std::back_inserter(rules));
        Stage stage;
        stage.name = "firewalld";
        stage.policy = Action::unclear;
        stage.policy_place = {file_, 0, 0};
        stage.policy_text = "the default zone, which is not among these";
        stage.is_for_first = true;
        add_stage(into_.rules, std::move(stage), std::move(rules));
    }

    Reading& into_;
    uint32_t file_;
    std::vector<Zone> zones_;
};

}  // namespace

ReadResult read_firewalld(Reading& into, uint32_t file) {
    return FirewalldReader(into, file).read();
}

}  // namespace edgecase::allowlist
