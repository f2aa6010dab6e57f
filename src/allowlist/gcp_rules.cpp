// `gcloud compute firewall-rules list --format=json`.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "allowlist/cloud_rules.hpp"

namespace edgecase::allowlist {
namespace {

using nlohmann::json;

constexpr int64_t kDefaultPriority = 1000;

/// The ports of an `allowed` or `denied` list for TCP. Nullopt: it is not for TCP.
std::optional<std::vector<PortRange>> tcp_ports(const json& list) {
    bool is_for_tcp = false;
    std::vector<PortRange> ports;
    for (const json& one : list) {
        const std::string protocol = text_at(one, "IPProtocol");
        if (protocol != "tcp" && protocol != "all" && protocol != "6") continue;
        is_for_tcp = true;
        const auto texts = strings_at(one, "", "ports");
        if (texts.empty()) ports.push_back({0, 65535});
        for (const std::string& text : texts) {
            if (const auto range = parse_ports(text)) ports.push_back(*range);
        }
    }
    return is_for_tcp ? std::optional(std::move(ports)) : std::nullopt;
}

void add_rule(uint32_t file, const json& rule, std::vector<Rule>& rules) {
    const bool denies = !array_at(rule, "denied").empty();
    const auto ports = tcp_ports(array_at(rule, denies ? "denied" : "allowed"));
    if (!ports) return;
    std::vector<std::string> others;
    const auto texts = strings_at(rule, "", "sourceRanges");
    const auto ranges = ranges_among(texts, others);
    // Tags and service accounts name machines of the same network.
    if (ranges.empty() && others.empty()) return;
    std::vector<Match> matches{to_ports(*ports)};
    if (!others.empty()) {
        matches.push_back(unknown_match("the source " + others[0]));
    } else {
        matches.push_back(from_addresses(ranges));
    }
    for (const char* const key : {"targetTags", "targetServiceAccounts"}) {
        const auto targets = strings_at(rule, "", key);
        if (targets.empty()) continue;
        matches.push_back(
            unknown_match(fmt::format("whether the machine has {} {}", key, targets[0])));
    }
    std::vector<std::string> no_ranges;
    const auto destinations = ranges_among(strings_at(rule, "", "destinationRanges"), no_ranges);
    if (!destinations.empty()) matches.push_back(to_addresses(destinations));
    rules.push_back(make_rule(denies ? Action::drop : Action::accept, std::move(matches),
                              {file, 0, 0},
                              fmt::format("{} (priority {}, {})", text_at(rule, "name"),
                                          number_at(rule, "priority").value_or(kDefaultPriority),
                                          denies ? "deny" : "allow")));
}

}  // namespace

ReadResult read_gcp(Reading& into, uint32_t file) {
    const auto document = parse_cloud_json(into.source(file));
    if (!document) return document.error();
    if (!document->is_array()) {
        return ReadError{into.source(file).name, 1, 1, "an array of firewall rules was expected"};
    }
    std::set<std::string> networks;
    for (const json& rule : *document) networks.insert(text_at(rule, "network"));
    if (networks.size() > 1) {
        return ReadError{into.source(file).name, 1, 1,
                         "rules of several networks; --filter=network:NAME lists one's"};
    }
    std::vector<const json*> list;
    for (const json& rule : *document) {
        if (!is_true_at(rule, "disabled") && text_at(rule, "direction") != "EGRESS")
            list.push_back(&rule);
    }
    // Of two rules with one priority the one that denies counts.
    std::ranges::sort(list, {}, [](const json* rule) {
        return std::tuple(number_at(*rule, "priority").value_or(kDefaultPriority),
                          array_at(*rule, "denied").empty());
    });
    std::vector<Rule> rules;
    for (const json* const rule : list) add_rule(file, *rule, rules);
    Stage stage;
    stage.name = "gcp firewall";
    stage.hook = Hook::instance;
    stage.policy = Action::drop;
    stage.policy_place = {file, 0, 0};
    stage.policy_text = "the implied rule: deny ingress";
    stage.is_for_first = true;
    add_stage(into.rules, std::move(stage), std::move(rules));
    return std::nullopt;
}

}  // namespace edgecase::allowlist
