#include "allowlist/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "allowlist/contains.hpp"

namespace edgecase::allowlist {
namespace {

using Ports = std::span<const uint16_t>;

/// What is in no other range, in the order of the list: a set of nft refuses what overlaps, and
/// nobody needs a block twice.
std::vector<ip::Cidr> outermost(const Published& list) {
    std::vector<ip::Cidr> sorted = list.ranges;
    std::ranges::sort(sorted);  // a wider block comes before those in it
    std::vector<ip::Cidr> kept;
    for (const ip::Cidr& range : sorted) {
        const bool is_inside = !kept.empty() && kept.back().family == range.family &&
                               range.last() <= kept.back().last();
        if (!is_inside) kept.push_back(range);
    }
    std::vector<ip::Cidr> ordered;
    std::vector<bool> is_taken(kept.size());
    for (const ip::Cidr& range : list.ranges) {
        const auto found = std::ranges::lower_bound(kept, range);
        if (found == kept.end() || *found != range) continue;
        const auto index = static_cast<size_t>(found - kept.begin());
        if (!is_taken[index]) ordered.push_back(range);
        is_taken[index] = true;
    }
    return ordered;
}

/// For those who do not take /0: its two halves.
std::vector<ip::Cidr> halved(std::vector<ip::Cidr> ranges) {
    std::vector<ip::Cidr> result;
    for (const ip::Cidr& range : ranges) {
        if (range.length > 0) {
            result.push_back(range);
            continue;
        }
        const ip::Number middle = ip::Number::ones(bits_of(range.family) - 1).next();
        result.push_back({range.family, {}, 1});
        result.push_back({range.family, middle, 1});
    }
    return result;
}

std::vector<std::string> texts_of(const std::vector<ip::Cidr>& ranges, ip::Family family) {
    std::vector<std::string> texts;
    for (const ip::Cidr& range : ranges) {
        if (range.family == family) texts.push_back(range.to_string());
    }
    return texts;
}

std::vector<std::string> blocks(const Published& list, ip::Family family) {
    return texts_of(outermost(list), family);
}

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
    return fmt::format("{}", fmt::join(texts, separator));
}

/// Of no consequence for who is in it: a file that says the same is the same file.
std::string head(std::string_view mark, std::string_view what) {
    return fmt::format("{} The edge's ranges, written by `edgecase ranges`; {}\n", mark, what);
}

std::string each(const std::vector<ip::Cidr>& ranges, std::string_view before,
                 std::string_view after) {
    std::string text;
    for (const ip::Cidr& range : ranges) {
        text += fmt::format("{}{}{}\n", before, range.to_string(), after);
    }
    return text;
}

/// As many as one rule takes: iptables' multiport, and ufw's lists of ports.
std::vector<std::string> port_lists(Ports ports) {
    constexpr size_t kMostPorts = 15;
    std::vector<std::string> lists;
    for (size_t at = 0; at < ports.size(); at += kMostPorts) {
        const auto some = ports.subspan(at, std::min(kMostPorts, ports.size() - at));
        lists.push_back(fmt::format("{}", fmt::join(some, ",")));
    }
    return lists;
}

std::string nft(const Published& list, Ports ports) {
    std::string text = head("#", "load it with nft -f") +
                       "table inet edgecase\ndelete table inet edgecase\ntable inet edgecase {\n";
    for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
        const bool is_v4 = family == ip::Family::v4;
        const auto elements = blocks(list, family);
        text += fmt::format("\tset edge{} {{\n\t\ttype {}\n\t\tflags interval\n", is_v4 ? 4 : 6,
                            is_v4 ? "ipv4_addr" : "ipv6_addr");
        if (!elements.empty()) {
            text +=
                fmt::format("\t\telements = {{\n\t\t\t{}\n\t\t}}\n", joined(elements, ",\n\t\t\t"));
        }
        text += "\t}\n";
    }
    // Before the machine's own chains, which still have their say on what is admitted here.
    const std::string web = fmt::format("tcp dport {{ {} }}", fmt::join(ports, ", "));
    return text +
           fmt::format(
               "\tchain web {{\n\t\ttype filter hook input priority filter - 5; policy accept;\n"
               "\t\tiifname \"lo\" accept\n\t\t{0} ip saddr @edge4 accept\n"
               "\t\t{0} ip6 saddr @edge6 accept\n\t\t{0} drop\n\t}}\n}}\n",
               web);
}

std::string ipset(const Published& list, Ports) {
    std::string text = head("#", "load it with ipset restore; sets edge4 and edge6");
    for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
        const bool is_v4 = family == ip::Family::v4;
        const int number = is_v4 ? 4 : 6;
        const std::string_view type = is_v4 ? "hash:net family inet" : "hash:net family inet6";
        // Swapped when it is complete: no moment without the list.
        text += fmt::format(
            "create edge{0} {1} -exist\ncreate edge{0}-new {1} -exist\nflush edge{0}-new\n", number,
            type);
        for (const std::string& block : texts_of(halved(outermost(list)), family)) {
            text += fmt::format("add edge{}-new {}\n", number, block);
        }
        text += fmt::format("swap edge{0}-new edge{0}\ndestroy edge{0}-new\n", number);
    }
    return text;
}

std::string tables(const Published& list, Ports ports, ip::Family family) {
    const std::string_view tool = family == ip::Family::v4 ? "iptables" : "ip6tables";
    std::string text = head("#", fmt::format("load it with {}-restore --noflush, and once:", tool));
    for (const std::string& some : port_lists(ports)) {
        text +=
            fmt::format("# {} -I INPUT -p tcp -m multiport --dports {} -j EDGECASE\n", tool, some);
    }
    text += "*filter\n:EDGECASE - [0:0]\n-A EDGECASE -i lo -j RETURN\n";
    for (const std::string& block : blocks(list, family)) {
        text += fmt::format("-A EDGECASE -s {} -j RETURN\n", block);
    }
    return text + "-A EDGECASE -j DROP\nCOMMIT\n";
}

std::string iptables(const Published& list, Ports ports) {
    return tables(list, ports, ip::Family::v4);
}

std::string ip6tables(const Published& list, Ports ports) {
    return tables(list, ports, ip::Family::v6);
}

std::string ufw(const Published& list, Ports ports) {
    std::string text = head("#", "run it with sh; ufw skips rules that it has");
    for (const std::string& some : port_lists(ports)) {
        text += each(outermost(list), "ufw allow proto tcp from ",
                     fmt::format(" to any port {} comment edge", some));
    }
    return text;
}

std::string nginx(const Published& list, Ports) {
    return head("#", "include it in server or location") + each(outermost(list), "allow ", ";") +
           "deny all;\n";
}

std::string nginx_realip(const Published& list, Ports) {
    return head("#", "include it in http or server") +
           each(outermost(list), "set_real_ip_from ", ";") + "real_ip_header CF-Connecting-IP;\n";
}

std::string apache(const Published& list, Ports) {
    return head("#", "include it in <Directory> or <Location>") + "<RequireAny>\n" +
           each(halved(outermost(list)), "  Require ip ", "") + "</RequireAny>\n";
}

std::string caddy(const Published& list, Ports) {
    std::vector<std::string> all;
    for (const ip::Cidr& range : outermost(list)) all.push_back(range.to_string());
    return head("#", "import it, then `import edge_only` in a site") +
           fmt::format("(edge_only) {{\n\t@not_edge not remote_ip {}\n\tabort @not_edge\n}}\n",
                       joined(all, " "));
}

std::string aws_prefix_list(const Published& list, Ports) {
    nlohmann::ordered_json lists = nlohmann::ordered_json::array();
    for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
        const bool is_v4 = family == ip::Family::v4;
        nlohmann::ordered_json entries = nlohmann::ordered_json::array();
        for (const std::string& block : blocks(list, family)) {
            entries.push_back({{"Cidr", block}, {"Description", "edge"}});
        }
        if (entries.empty()) continue;
        // A prefix list never grows over this; some room saves a replacement.
        const size_t most = 2 * entries.size();
        lists.push_back({{"PrefixListName", is_v4 ? "edge-ipv4" : "edge-ipv6"},
                         {"AddressFamily", is_v4 ? "IPv4" : "IPv6"},
                         {"MaxEntries", most},
                         {"Entries", entries}});
    }
    return lists.dump(2) + "\n";
}

std::string terraform(const Published& list, Ports ports) {
    std::string text = head("#", "local values for any provider") + "locals {\n";
    for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
        text += fmt::format("  edge_ipv{}_cidrs = [\n", family == ip::Family::v4 ? 4 : 6);
        for (const std::string& block : blocks(list, family))
            text += fmt::format("    \"{}\",\n", block);
        text += "  ]\n";
    }
    return text + fmt::format("  edge_ports = [{}]\n}}\n", fmt::join(ports, ", "));
}

std::string plain(const Published& list, Ports) {
    return each(outermost(list), "", "");
}

constexpr std::array kFormats{
    RenderFormat{"nft", "a table with sets and a chain that keeps others from the ports", nft},
    RenderFormat{"ipset", "sets edge4 and edge6 for ipset restore", ipset},
    RenderFormat{"iptables", "a chain for iptables-restore --noflush", iptables},
    RenderFormat{"ip6tables", "the same for IPv6", ip6tables},
    RenderFormat{"ufw", "commands", ufw},
    RenderFormat{"nginx", "allow and deny", nginx},
    RenderFormat{"nginx-realip", "set_real_ip_from", nginx_realip},
    RenderFormat{"apache", "Require ip", apache},
    RenderFormat{"caddy", "a snippet that ends connections of others", caddy},
    RenderFormat{"aws-prefix-list", "input of create-managed-prefix-list, one for each family",
                 aws_prefix_list},
    RenderFormat{"terraform", "local values", terraform},
    RenderFormat{"text", "one range a line", plain}};

}  // namespace

std::span<const RenderFormat> render_formats() {
    return kFormats;
}

const RenderFormat* render_format(std::string_view name) {
    const auto found = std::ranges::find(kFormats, name, &RenderFormat::name);
    return found == kFormats.end() ? nullptr : &*found;
}

std::vector<ip::Cidr> ranges_in(std::string_view text) {
    constexpr std::string_view kOfRanges = "0123456789abcdefABCDEF:./";
    std::vector<ip::Cidr> ranges;
    size_t at = 0;
    while ((at = text.find_first_of(kOfRanges, at)) != std::string_view::npos) {
        const size_t end = std::min(text.find_first_not_of(kOfRanges, at), text.size());
        const std::string_view word = text.substr(at, end - at);
        at = end;
        if (!word.contains('/')) continue;
        const auto range = ip::Cidr::parse(word);
        if (range && !contains(ranges, *range)) ranges.push_back(*range);
        if (ranges.size() >= kMaxPublished) break;
    }
    return ranges;
}

}  // namespace edgecase::allowlist
