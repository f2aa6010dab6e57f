// `az network nsg show` and `az network nsg rule list`, in JSON.
#include <fmt/format.h>

#include <algorithm>

#include "allowlist/cloud_rules.hpp"
#include "allowlist/contains.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

using nlohmann::json;

/// ARM templates keep the fields one level deeper.
const json& fields_of(const json& rule) {
    return rule.is_object() && rule.contains("properties") ? rule.at("properties") : rule;
}

/// Who a source may be. Nullopt: none of the edge's.
std::optional<Match> source_match(const json& rule) {
    constexpr std::array<std::string_view, 2> kInside{"virtualnetwork", "azureloadbalancer"};
    std::vector<AddressRange> ranges;
    std::string unknown;
    for (const std::string& text :
         strings_at(rule, "sourceAddressPrefix", "sourceAddressPrefixes")) {
        const std::string lower = base::to_lower(text);
        if (lower == "*" || lower == "any" || lower == "internet") {
            ranges = {everyone(ip::Family::v4), everyone(ip::Family::v6)};
        } else if (const auto range = AddressRange::parse(text)) {
            ranges.push_back(*range);
        } else if (!contains(kInside, lower)) {
            unknown = text;
        }
    }
    if (!array_at(rule, "sourceApplicationSecurityGroups").empty() && ranges.empty()) {
        return std::nullopt;
    }
    if (!unknown.empty()) return unknown_match("who is in the service tag " + unknown);
    if (ranges.empty()) return std::nullopt;
    return from_addresses(ranges);
}

void add_rule(uint32_t file, const json& outer, std::vector<Rule>& rules) {
    const json& rule = fields_of(outer);
    const std::string protocol = base::to_lower(text_at(rule, "protocol"));
    if (protocol != "tcp" && protocol != "*" && protocol != "any" && protocol != "6") return;
    auto source = source_match(rule);
    if (!source) return;
    std::vector<Match> matches{std::move(*source)};
    std::vector<PortRange> ports;
    for (const std::string& text :
         strings_at(rule, "destinationPortRange", "destinationPortRanges")) {
        const auto range = text == "*" ? PortRange{0, 65535} : parse_ports(text);
        if (range) ports.push_back(*range);
    }
    matches.push_back(to_ports(ports));
    for (const std::string& text : strings_at(rule, "sourcePortRange", "sourcePortRanges")) {
        if (text == "*" || text == "0-65535" || text == "1-65535") continue;
        matches.push_back(unknown_match("the port of the edge's side, " + text));
        break;
    }
    if (!array_at(rule, "destinationApplicationSecurityGroups").empty()) {
        matches.push_back(unknown_match("whether the machine is in the rule's security group"));
    }
    std::vector<std::string> others;
    const auto destinations = ranges_among(
        strings_at(rule, "destinationAddressPrefix", "destinationAddressPrefixes"), others);
    if (!destinations.empty()) matches.push_back(to_addresses(destinations));
    const bool denies = base::iequals(text_at(rule, "access"), "deny");
    rules.push_back(make_rule(denies ? Action::drop : Action::accept, std::move(matches),
                              {file, 0, 0},
                              fmt::format("{} (priority {}, {})", text_at(outer, "name"),
                                          text_at(rule, "priority"), denies ? "deny" : "allow")));
}

}  // namespace

ReadResult read_azure(Reading& into, uint32_t file) {
    const auto document = parse_cloud_json(into.source(file));
    if (!document) return document.error();
    // `az network nsg list` has all of them, of which each is for other machines.
    const bool is_list = document->is_array() && !document->empty() &&
                         fields_of(document->front()).contains("securityRules");
    if (is_list && document->size() > 1) {
        return ReadError{into.source(file).name, 1, 1,
                         "several security groups; `az network nsg show` prints one"};
    }
    const json& group = is_list ? document->front() : *document;
    const json& nsg = fields_of(group);
    const json& list = nsg.is_array() ? nsg : array_at(nsg, "securityRules");
    if (list.empty()) {
        return ReadError{into.source(file).name, 1, 1, "no `securityRules` in it"};
    }
    std::vector<const json*> inbound;
    const auto add_inbound = [&](const json& rules) {
        for (const json& rule : rules) {
            if (base::iequals(text_at(fields_of(rule), "direction"), "inbound")) {
                inbound.push_back(&rule);
            }
        }
    };
    add_inbound(list);
    if (!nsg.is_array()) add_inbound(array_at(nsg, "defaultSecurityRules"));
    std::ranges::sort(inbound, {}, [](const json* rule) {
        return number_at(fields_of(*rule), "priority").value_or(INT64_MAX);
    });
    std::vector<Rule> rules;
    for (const json* const rule : inbound) add_rule(file, *rule, rules);
    Stage stage;
    stage.name = "azure nsg " + text_at(group, "name");
    stage.hook = Hook::instance;
    stage.policy = Action::drop;
    stage.policy_place = {file, 0, 0};
    stage.policy_text = "the default rule DenyAllInBound";
    stage.is_for_first = true;
    add_stage(into.rules, std::move(stage), std::move(rules));
    return std::nullopt;
}

}  // namespace edgecase::allowlist
