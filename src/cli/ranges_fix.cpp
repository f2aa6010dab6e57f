#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "allowlist/gaps.hpp"
#include "cli/ranges_report.hpp"
#include "cli/terminal_text.hpp"

namespace edgecase::cli {
namespace {

using allowlist::Gap;
using allowlist::Ruleset;
using allowlist::Stage;

std::string joined(const std::vector<ip::Cidr>& ranges, std::string_view separator) {
    std::string text;
    for (const ip::Cidr& range : ranges) {
        if (!text.empty()) text += separator;
        text += range.to_string();
    }
    return text;
}

std::string ports_text(std::span<const uint16_t> ports, std::string_view separator) {
    return fmt::format("{}", fmt::join(ports, separator));
}

/// A name from a file that somebody else wrote, as one word of a shell.
std::string shell_word(std::string_view name) {
    const bool is_plain = !name.empty() && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_-./").contains(c);
    });
    if (is_plain) return std::string(name);
    std::string text = "'";
    for (const char c : printable(name)) text += c == '\'' ? std::string("'\\''") : std::string{c};
    return text + "'";
}

/// The words of a stage's name behind the first `count`, for a shell.
std::string words_behind(std::string_view name, size_t count) {
    std::string text;
    for (size_t index = 0; !name.empty(); ++index) {
        const size_t end = std::min(name.find(' '), name.size());
        if (index >= count) text += (text.empty() ? "" : " ") + shell_word(name.substr(0, end));
        name.remove_prefix(std::min(end + 1, name.size()));
    }
    return text;
}

/// Which of the two backends a listing is of: the other's rules cannot help.
bool is_legacy(const Ruleset& rules, uint32_t file) {
    const auto is_of_nft = [&](const allowlist::Source& source) {
        return source.text.contains("(nf_tables)");
    };
    if (rules.sources[file].name.contains("legacy")) return true;
    return !is_of_nft(rules.sources[file]) && std::ranges::any_of(rules.sources, is_of_nft);
}

struct FixWriter {
    const Ruleset& rules;
    const Gap& gap;
    const Stage& stage;
    size_t& acl_entries;  // of this network ACL and direction before this gap

    bool is_out() const { return is_reply(stage.hook); }
    bool is_v4() const { return gap.family == ip::Family::v4; }

    std::string nft() const {
        return fmt::format("  nft insert rule {} {} {} '{{ {} }}' tcp {} '{{ {} }}'{} accept\n",
                           words_behind(stage.name, 1), is_v4() ? "ip" : "ip6",
                           is_out() ? "daddr" : "saddr", joined(gap.ranges, ", "),
                           is_out() ? "sport" : "dport", ports_text(gap.ports, ", "),
                           is_out() && gap.is_told_by_state ? " ct state established" : "");
    }

    std::string iptables() const {
        constexpr size_t kMostPorts = 15;  // of one multiport match
        const std::string words = words_behind(stage.name, 1);
        const std::string table = words.substr(0, words.find(' '));
        const std::string chain = words.substr(std::min(words.find(' ') + 1, words.size()));
        std::string text;
        for (size_t at = 0; at < gap.ports.size(); at += kMostPorts) {
            const std::span<const uint16_t> all(gap.ports);
            const auto ports = all.subspan(at, std::min(kMostPorts, all.size() - at));
            text += fmt::format(
                "  {}{}{} -I {} -p tcp -m multiport --{} {}{} -{} {} -j ACCEPT\n",
                is_v4() ? "iptables" : "ip6tables",
                is_legacy(rules, stage.policy_place.file) ? "-legacy" : "",
                table == "filter" ? "" : " -t " + table, chain, is_out() ? "sports" : "dports",
                ports_text(ports, ","),
                is_out() && gap.is_told_by_state ? " -m conntrack --ctstate ESTABLISHED" : "",
                is_out() ? "d" : "s", joined(gap.ranges, ","));
        }
        return text;
    }

    std::string lines(std::string_view before, std::string_view after) const {
        std::string text;
        for (const ip::Cidr& range : gap.ranges) {
            text += fmt::format("  {}{}{}\n", before, range.to_string(), after);
        }
        return text;
    }

    /// `insert 1` is refused for IPv6 where there are rules for IPv4.
    std::string ufw() const {
        return lines("ufw prepend allow proto tcp from ",
                     " to any port " + ports_text(gap.ports, ","));
    }

    /// Below 0: before what the zone denies.
    std::string firewalld() const {
        const std::string zone = words_behind(gap.chain, 1);
        std::string text;
        for (const uint16_t port : gap.ports) {
            text += lines(
                fmt::format("firewall-cmd {}--add-rich-rule='rule priority=\"-1\" family=\"{}\" "
                            "source address=\"",
                            zone.empty() ? "" : "--zone=" + zone + " ", is_v4() ? "ipv4" : "ipv6"),
                fmt::format("\" port port=\"{}\" protocol=\"tcp\" accept'", port));
        }
        return text;
    }

    std::string nginx() const {
        return "  # before the first `deny` of that block:\n" + lines("allow ", ";");
    }

    std::string apache() const { return lines("Require ip ", ""); }

    std::string aws() const {
        if (stage.hook != allowlist::Hook::instance) return network_acl();
        std::string text = "  # sg-ID: the instance's security group\n";
        for (const uint16_t port : gap.ports) {
            std::string ranges;
            for (const ip::Cidr& range : gap.ranges) {
                ranges += fmt::format("{}{{{}={}}}", ranges.empty() ? "" : ",",
                                      is_v4() ? "CidrIp" : "CidrIpv6", range.to_string());
            }
            text += fmt::format(
                "  aws ec2 authorize-security-group-ingress --group-id sg-ID --ip-permissions "
                "'IpProtocol=tcp,FromPort={0},ToPort={0},{1}=[{2}]'\n",
                port, is_v4() ? "IpRanges" : "Ipv6Ranges", ranges);
        }
        return text;
    }

    /// It keeps no state: replies are told by the edge's port, which is any ephemeral one.
    std::string network_acl() const {
        std::string text =
            "  # Rule numbers must be free, and below those that deny. A network ACL has room for "
            "20 rules\n  # of each direction, unless its quota is raised.\n";
        const auto entry = [&](const ip::Cidr& range, std::string_view ports) {
            text += fmt::format(
                "  aws ec2 create-network-acl-entry --network-acl-id {} --{} --rule-number {} "
                "--protocol tcp --port-range {} --{} {} --rule-action allow\n",
                words_behind(stage.name, 3), is_out() ? "egress" : "ingress", ++acl_entries, ports,
                is_v4() ? "cidr-block" : "ipv6-cidr-block", range.to_string());
        };
        for (const ip::Cidr& range : gap.ranges) {
            if (is_out()) {
                entry(range, "From=1024,To=65535");
                continue;
            }
            for (const uint16_t port : gap.ports) {
                entry(range, fmt::format("From={0},To={0}", port));
            }
        }
        return text;
    }

    std::string gcp() const {
        return fmt::format(
            "  # NETWORK: the instance's\n"
            "  gcloud compute firewall-rules create edge-ipv{} --network NETWORK --direction "
            "INGRESS --priority 0 --action ALLOW --rules tcp:{} --source-ranges {}\n",
            is_v4() ? 4 : 6, ports_text(gap.ports, ",tcp:"), joined(gap.ranges, ","));
    }

    std::string azure() const {
        return fmt::format(
            "  # The priority must be free, and below that of what denies.\n"
            "  az network nsg rule create --resource-group GROUP --nsg-name {} --name edge-ipv{} "
            "--priority {} --direction Inbound --access Allow --protocol Tcp "
            "--destination-port-ranges {} --source-address-prefixes {}\n",
            words_behind(stage.name, 2), is_v4() ? 4 : 6, is_v4() ? 100 : 101,
            ports_text(gap.ports, " "), joined(gap.ranges, " "));
    }

    std::string text() const {
        using Writer = std::string (FixWriter::*)() const;
        static const std::map<std::string_view, Writer> kWriters{
            {"nft", &FixWriter::nft},
            {"iptables", &FixWriter::iptables},
            {"ip6tables", &FixWriter::iptables},
            {"ufw", &FixWriter::ufw},
            {"firewalld", &FixWriter::firewalld},
            {"nginx", &FixWriter::nginx},
            {"apache", &FixWriter::apache},
            {"aws", &FixWriter::aws},
            {"gcp", &FixWriter::gcp},
            {"azure", &FixWriter::azure}};
        const std::string_view name = stage.name;
        const auto found = kWriters.find(name.substr(0, name.find(' ')));
        if (found != kWriters.end()) return (this->*found->second)();
        return fmt::format("  # Let in to TCP ports {}, where {} is set up:\n",
                           ports_text(gap.ports, ", "), printable(stage.name)) +
               lines("# ", "");
    }
};

/// What a command changes until the next start alone.
bool is_lost(std::string_view stage) {
    return stage.starts_with("nft ") || stage.starts_with("iptables ") ||
           stage.starts_with("ip6tables ") || stage == "firewalld";
}

}  // namespace

std::string ranges_fix(const RangesReport& report) {
    // A command for each would be no help, and to find them costs several checks.
    constexpr size_t kMaximumRanges = 1'000;
    if (report.published.ranges.size() > kMaximumRanges) {
        return "  # Too many ranges for a command each: edgecase ranges render, edgecase ranges "
               "sync\n";
    }
    const std::vector<Gap> gaps =
        allowlist::find_gaps(report.rules, report.published, report.options);
    std::map<std::pair<std::string, bool>, size_t> acl_entries;
    std::string text;
    bool loses = false;
    for (const Gap& gap : gaps) {
        const Stage& stage = report.rules.stages[gap.stage];
        size_t& entries = acl_entries[{stage.name, is_reply(stage.hook)}];
        text += FixWriter{report.rules, gap, stage, entries}.text();
        loses |= is_lost(stage.name);
    }
    if (loses) text += "  # Until the next start: the files that are loaded then need them too.\n";
    if (!text.empty()) {
        text +=
            "  # All ranges at once, and kept up to date: edgecase ranges render, edgecase ranges "
            "sync\n";
    }
    return text;
}

}  // namespace edgecase::cli
