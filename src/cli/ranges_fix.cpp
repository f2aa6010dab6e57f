#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/ranges_report.hpp"
#include "cli/terminal_text.hpp"

namespace edgecase::cli {
namespace {

using allowlist::DecidedBy;
using allowlist::Outcome;

/// What keeps ranges out, by the first word of the chains' names: `nft`, `iptables`, `nginx`...
struct Need {
    std::set<std::string> kinds;
    std::set<uint16_t> ports;
    std::vector<ip::Cidr> v4, v6;
    std::string nft_chain;  // `inet filter input`
};

Need need_of(const RangesReport& report) {
    Need need;
    for (const allowlist::Row& row : report.report.rows) {
        for (const DecidedBy& decided : row.decided_by) {
            if (decided.outcome != Outcome::dropped && decided.outcome != Outcome::rejected)
                continue;
            const std::string kind = decided.stage.substr(0, decided.stage.find(' '));
            need.kinds.insert(kind);
            if (kind == "nft" && need.nft_chain.empty()) need.nft_chain = decided.stage.substr(4);
            need.ports.insert(row.port);
            auto& list = row.range.family == ip::Family::v4 ? need.v4 : need.v6;
            if (std::ranges::find(list, row.range) == list.end()) list.push_back(row.range);
        }
    }
    return need;
}

std::string joined(const std::vector<ip::Cidr>& ranges, std::string_view separator) {
    std::string text;
    for (const ip::Cidr& range : ranges) {
        if (!text.empty()) text += separator;
        text += range.to_string();
    }
    return text;
}

std::string ports_text(const std::set<uint16_t>& ports, std::string_view separator) {
    std::string text;
    for (const uint16_t port : ports) {
        if (!text.empty()) text += separator;
        text += std::to_string(port);
    }
    return text;
}

std::string nft_fix(const Need& need) {
    std::string text;
    for (const auto* const list : {&need.v4, &need.v6}) {
        if (list->empty()) continue;
        text +=
            fmt::format("  nft insert rule {} {} saddr '{{ {} }}' tcp dport '{{ {} }}' accept\n",
                        printable(need.nft_chain), list == &need.v4 ? "ip" : "ip6",
                        joined(*list, ", "), ports_text(need.ports, ", "));
    }
    return text;
}

std::string iptables_fix(const Need& need) {
    std::string text;
    for (const auto* const list : {&need.v4, &need.v6}) {
        if (list->empty()) continue;
        text += fmt::format("  {} -I INPUT -p tcp -m multiport --dports {} -s {} -j ACCEPT\n",
                            list == &need.v4 ? "iptables" : "ip6tables",
                            ports_text(need.ports, ","), joined(*list, ","));
    }
    return text;
}

std::string lines_fix(const Need& need, std::string_view before, std::string_view after) {
    std::string text;
    for (const auto* const list : {&need.v4, &need.v6}) {
        for (const ip::Cidr& range : *list) {
            text += fmt::format("  {}{}{}\n", before, range.to_string(), after);
        }
    }
    return text;
}

}  // namespace

std::string ranges_fix(const RangesReport& report) {
    const Need need = need_of(report);
    std::string text;
    if (need.kinds.contains("nft")) text += nft_fix(need);
    if (need.kinds.contains("iptables") || need.kinds.contains("ip6tables")) {
        text += iptables_fix(need);
    }
    if (need.kinds.contains("ufw")) {
        text += lines_fix(need, "ufw insert 1 allow proto tcp from ",
                          " to any port " + ports_text(need.ports, ","));
    }
    if (need.kinds.contains("nginx")) {
        text += "  # before the first `deny` of that block:\n" + lines_fix(need, "allow ", ";");
    }
    if (need.kinds.contains("apache")) text += lines_fix(need, "Require ip ", "");
    if (text.empty() && !need.kinds.empty()) {
        text = "  Allow TCP to " + ports_text(need.ports, ", ") +
               " from each of these ranges where the rules above are kept:\n" +
               lines_fix(need, "", "");
    }
    if (!text.empty())
        text +=
            "  All ranges at once, and kept up to date: edgecase ranges render, edgecase ranges "
            "sync\n";
    return text;
}

}  // namespace edgecase::cli
