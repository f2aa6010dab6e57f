// `aws ec2 describe-security-groups`, `describe-security-group-rules` and `describe-network-acls`.
#include <fmt/format.h>

#include <algorithm>

#include "allowlist/cloud_rules.hpp"

namespace edgecase::allowlist {
namespace {

using nlohmann::json;

/// Whether a rule is for TCP at all.
bool is_for_tcp(const std::string& protocol) {
    return protocol == "tcp" || protocol == "6" || protocol == "-1";
}

/// `FromPort` to `ToPort`; without them, and with -1, all.
std::optional<Match> port_match(const json& rule, const char* from, const char* to) {
    const auto first = number_at(rule, from);
    const auto last = number_at(rule, to);
    if (!first || !last || *first < 0) return std::nullopt;
    const PortRange range{static_cast<uint32_t>(std::clamp<int64_t>(*first, 0, 65535)),
                          static_cast<uint32_t>(std::clamp<int64_t>(*last, 0, 65535))};
    return to_ports(std::span(&range, 1));
}

class GroupReader {
  public:
    GroupReader(Reading& into, uint32_t file) : into_(into), file_(file) {}

    ReadResult read_groups(const json& groups) {
        std::vector<Rule> rules;
        for (const json& group : groups) {
            const std::string name = text_at(group, "GroupId") + " " + text_at(group, "GroupName");
            for (const json& permission : array_at(group, "IpPermissions")) {
                add_permission(name, permission, rules);
            }
        }
        if (groups.size() > 1) {
            into_.rules.notes.push_back(fmt::format(
                "{}: its {} security groups are taken for those of one instance: what one of them "
                "admits gets in",
                into_.source(file_).name, groups.size()));
        }
        return finish(std::move(rules));
    }

    ReadResult read_group_rules(const json& list) {
        std::vector<Rule> rules;
        for (const json& one : list) {
            if (is_true_at(one, "IsEgress")) continue;
            const std::string name =
                text_at(one, "GroupId") + " " + text_at(one, "SecurityGroupRuleId");
            std::vector<std::string> sources = strings_at(one, "CidrIpv4", "");
            std::ranges::move(strings_at(one, "CidrIpv6", ""), std::back_inserter(sources));
            add(name, one, sources, !text_at(one, "PrefixListId").empty(), rules);
        }
        return finish(std::move(rules));
    }

  private:
    void add_permission(const std::string& name, const json& permission, std::vector<Rule>& rules) {
        std::vector<std::string> sources;
        for (const json& range : array_at(permission, "IpRanges")) {
            sources.push_back(text_at(range, "CidrIp"));
        }
        for (const json& range : array_at(permission, "Ipv6Ranges")) {
            sources.push_back(text_at(range, "CidrIpv6"));
        }
        add(name, permission, sources, !array_at(permission, "PrefixListIds").empty(), rules);
    }

    void add(const std::string& name, const json& rule, const std::vector<std::string>& sources,
             bool has_prefix_list, std::vector<Rule>& rules) {
        if (!is_for_tcp(text_at(rule, "IpProtocol"))) return;
        std::vector<Match> matches;
        if (auto ports = port_match(rule, "FromPort", "ToPort"))
            matches.push_back(std::move(*ports));
        std::vector<std::string> others;
        const auto ranges = ranges_among(sources, others);
        const std::string text = fmt::format("{}: {} {}-{}", name, text_at(rule, "IpProtocol"),
                                             text_at(rule, "FromPort"), text_at(rule, "ToPort"));
        if (!ranges.empty()) {
            std::vector<Match> with = matches;
            with.push_back(from_addresses(ranges));
            std::string all = text + " from";
            for (size_t i = 0; i < std::min<size_t>(sources.size(), 4); ++i)
                all += " " + sources[i];
            rules.push_back(make_rule(Action::accept, std::move(with), {file_, 0, 0}, all));
        }
        if (has_prefix_list || !others.empty()) {
            matches.push_back(unknown_match("what a prefix list has"));
            rules.push_back(make_rule(Action::accept, std::move(matches), {file_, 0, 0},
                                      text + " from a prefix list"));
        }
    }

    ReadResult finish(std::vector<Rule> rules) {
        Stage stage;
        stage.name = "aws security group";
        stage.hook = Hook::instance;
        stage.policy = Action::drop;
        stage.policy_place = {file_, 0, 0};
        stage.policy_text = "no rule admits it";
        stage.is_for_first = true;  // it keeps state
        add_stage(into_.rules, std::move(stage), std::move(rules));
        return std::nullopt;
    }

    Reading& into_;
    uint32_t file_;
};

/// Both directions, each in the order of its rule numbers: it keeps no state.
void read_network_acl(Reading& into, uint32_t file, const json& acl) {
    std::vector<const json*> entries;
    for (const json& entry : array_at(acl, "Entries")) entries.push_back(&entry);
    std::ranges::sort(entries, {}, [](const json* entry) {
        return number_at(*entry, "RuleNumber").value_or(INT64_MAX);
    });
    for (const bool is_egress : {false, true}) {
        std::vector<Rule> rules;
        for (const json* const entry : entries) {
            if (is_true_at(*entry, "Egress") != is_egress) continue;
            if (!is_for_tcp(text_at(*entry, "Protocol"))) continue;
            std::vector<std::string> others;
            auto sources = strings_at(*entry, "CidrBlock", "");
            std::ranges::move(strings_at(*entry, "Ipv6CidrBlock", ""), std::back_inserter(sources));
            const auto ranges = ranges_among(sources, others);
            std::vector<Match> matches{is_egress ? to_addresses(ranges) : from_addresses(ranges)};
            if (entry->is_object() && entry->contains("PortRange")) {
                if (auto ports = port_match(entry->at("PortRange"), "From", "To")) {
                    matches.push_back(std::move(*ports));
                }
            }
            const bool allows = text_at(*entry, "RuleAction") == "allow";
            rules.push_back(make_rule(
                allows ? Action::accept : Action::drop, std::move(matches), {file, 0, 0},
                fmt::format("{} {} rule {}: {} {}", text_at(acl, "NetworkAclId"),
                            is_egress ? "egress" : "ingress", text_at(*entry, "RuleNumber"),
                            text_at(*entry, "RuleAction"), sources.empty() ? "" : sources[0])));
        }
        Stage stage;
        stage.name = "aws network acl " + text_at(acl, "NetworkAclId");
        stage.hook = is_egress ? Hook::network_reply : Hook::network;
        stage.policy = Action::drop;
        stage.policy_place = {file, 0, 0};
        stage.policy_text = "no rule admits it";
        stage.is_for_first = true;
        add_stage(into.rules, std::move(stage), std::move(rules));
    }
}

}  // namespace

ReadResult read_aws(Reading& into, uint32_t file) {
    const auto document = parse_cloud_json(into.source(file));
    if (!document) return document.error();
    GroupReader reader(into, file);
    if (const json& groups = array_at(*document, "SecurityGroups"); !groups.empty()) {
        return reader.read_groups(groups);
    }
    if (const json& rules = array_at(*document, "SecurityGroupRules"); !rules.empty()) {
        return reader.read_group_rules(rules);
    }
    const json& acls = array_at(*document, "NetworkAcls");
    if (acls.empty()) {
        return ReadError{into.source(file).name, 1, 1,
                         "no SecurityGroups, SecurityGroupRules or NetworkAcls in it"};
    }
    if (acls.size() > 1) {
        into.rules.notes.push_back(into.source(file).name +
                                   ": several network ACLs; all of them must admit a packet here");
    }
    for (const json& acl : acls) read_network_acl(into, file, acl);
    return std::nullopt;
}

}  // namespace edgecase::allowlist
