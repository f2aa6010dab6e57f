#include <algorithm>
#include <array>

#include "allowlist/readers.hpp"
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
    if (text.contains("by ip6tables-save")) return true;
    if (text.contains("by iptables-save")) return false;
    const std::string lower = base::to_lower(name.substr(name.rfind('/') + 1));
    return lower.contains("ip6") || lower.contains("v6") || text.contains("icmp6") ||
           text.contains("ipv6-icmp") || text.contains("::");
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
