#include <algorithm>
#include <array>

#include "allowlist/readers.hpp"
#include "allowlist/rule_parts.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

constexpr size_t kSample = 64 * 1024;  // bytes that are looked at

std::string_view first_line(std::string_view text) {
    std::string_view first;
    for_each_line(text, [&](uint32_t, std::string_view line) {
        line = base::trim(line);
        if (first.empty() && !line.empty() && line.front() != '#') first = line;
    });
    return first;
}

bool is_json_with(std::string_view text, std::string_view key) {
    const std::string_view first = base::trim(first_line(text));
    if (!first.starts_with('{') && !first.starts_with('[')) return false;
    return text.contains("\"" + std::string(key) + "\"");
}

bool is_iptables(std::string_view text) {
    return first_line(text).starts_with('*') && text.contains("\n:");
}

bool is_v6(std::string_view name, std::string_view text) {
    // A file may have both, and the reader changes at each header.
    const size_t v6 = text.find("by ip6tables-");
    const size_t v4 = text.find("by iptables-");
    if (v4 != v6) return v6 < v4;
    const std::string lower = base::to_lower(name.substr(name.rfind('/') + 1));
    return lower.contains("ip6") || lower.contains("v6") || text.contains("icmp6") ||
           text.contains("ipv6-icmp") || text.contains(":ufw6-") || text.contains("::");
}

bool has_line_with(std::string_view text, std::initializer_list<std::string_view> beginnings) {
    bool found = false;
    for_each_line(text, [&](uint32_t, std::string_view line) {
        const std::string lower = base::to_lower(base::trim(line).substr(0, 40));
        for (const std::string_view beginning : beginnings) found |= lower.starts_with(beginning);
    });
    return found;
}

/// A directive of nginx ends in a semicolon, which Apache's do not.
bool is_nginx(std::string_view text) {
    bool found = false;
    for_each_line(text, [&](uint32_t, std::string_view line) {
        line = base::trim(line.substr(0, line.find('#')));
        for (const std::string_view word :
             {"allow ", "deny ", "server ", "http ", "listen ", "location "}) {
            found |= line.starts_with(word) && (line.ends_with(';') || line.contains('{'));
        }
        found |= line == "server{" || line == "http{";
    });
    return found;
}

bool is_apache(std::string_view text) {
    return has_line_with(
        text, {"require ", "order ", "allow from", "deny from", "<require", "<virtualhost",
               "<directory", "<ifmodule", "includeoptional ", "serverroot ", "loadmodule "});
}

/// Rules of ModSecurity may stand among those of their web server. Apache's reader hears of both.
ReadResult read_modsecurity_and_server(Reading& into, uint32_t file) {
    const std::string_view text = into.source(file).text;
    if (has_line_with(text, {"require ", "order ", "allow from", "deny from", "<virtualhost",
                             "include ", "includeoptional "})) {
        return read_apache(into, file);
    }
    if (auto error = read_modsecurity(into, file)) return error;
    if (!is_nginx(text)) return std::nullopt;
    Stage stage;
    stage.name = "nginx";
    stage.hook = Hook::application;
    stage.policy = Action::unclear;
    stage.policy_place = {file, 0, 0};
    stage.begins = file;
    stage.policy_text = "rules of ModSecurity among nginx's: not read together";
    stage.is_for_first = true;
    add_stage(into.rules, std::move(stage), {});
    return std::nullopt;
}

constexpr std::array kFormats{
    Format{"nft-json", "nft -j", read_nft_json,
           [](std::string_view, std::string_view text) { return is_json_with(text, "nftables"); }},
    Format{"nft", "nft", read_nft_text,
           [](std::string_view, std::string_view text) {
               const std::string_view line = first_line(text);
               return line.starts_with("table ") || line.starts_with("flush ruleset") ||
                      line.starts_with("define ") ||
                      (text.contains("table inet ") && text.contains(" hook "));
           }},
    Format{"ip6tables", "ip6tables-save", read_ip6tables,
           [](std::string_view name, std::string_view text) {
               return is_iptables(text) && is_v6(name, text);
           }},
    Format{"iptables", "iptables-save", read_iptables,
           [](std::string_view, std::string_view text) { return is_iptables(text); }},
    Format{"ipset", "ipset save", read_ipset,
           [](std::string_view, std::string_view text) {
               return first_line(text).starts_with("create ") ||
                      first_line(text).starts_with("add ");
           }},
    Format{"ufw", "ufw status", read_ufw,
           [](std::string_view, std::string_view text) {
               return first_line(text).starts_with("Status: ");
           }},
    Format{"fail2ban", "fail2ban-client status", read_fail2ban,
           [](std::string_view, std::string_view text) {
               return first_line(text).starts_with("Status for the jail");
           }},
    Format{"firewalld", "firewall-cmd --list-all", read_firewalld,
           [](std::string_view, std::string_view text) {
               return text.contains("\n  target: ") && text.contains("\n  services:");
           }},
    Format{"aws", "AWS", read_aws,
           [](std::string_view, std::string_view text) {
               return is_json_with(text, "SecurityGroups") || is_json_with(text, "NetworkAcls") ||
                      is_json_with(text, "SecurityGroupRules");
           }},
    Format{"azure", "Azure NSG", read_azure,
           [](std::string_view, std::string_view text) {
               return is_json_with(text, "securityRules") ||
                      (is_json_with(text, "access") && is_json_with(text, "sourceAddressPrefix"));
           }},
    Format{"gcp", "GCP firewall rules", read_gcp,
           [](std::string_view, std::string_view text) {
               return is_json_with(text, "sourceRanges") || is_json_with(text, "allowed") ||
                      is_json_with(text, "denied");
           }},
    Format{"modsecurity", "ModSecurity", read_modsecurity_and_server,
           [](std::string_view, std::string_view text) {
               return has_line_with(text, {"secrule ", "secruleengine "});
           }},
    Format{"nginx", "nginx", read_nginx,
           [](std::string_view, std::string_view text) { return is_nginx(text); }},
    Format{"apache", "Apache", read_apache,
           [](std::string_view, std::string_view text) { return is_apache(text); }},
    Format{"firewalld-xml", "firewalld's files", read_firewalld_file,
           [](std::string_view, std::string_view text) { return is_firewalld_file(text); }},
};

}  // namespace

std::span<const Format> formats() {
    return kFormats;
}

const Format* recognise(std::string_view name, std::string_view text) {
    const std::string_view sample = text.substr(0, kSample);
    const auto found = std::ranges::find_if(
        kFormats, [&](const Format& format) { return format.recognises(name, sample); });
    return found == kFormats.end() ? nullptr : &*found;
}

const Format* format_named(std::string_view name) {
    const auto found = std::ranges::find(kFormats, name, &Format::name);
    return found == kFormats.end() ? nullptr : &*found;
}

}  // namespace edgecase::allowlist
