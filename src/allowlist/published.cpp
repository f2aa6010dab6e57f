#include "allowlist/published.hpp"
#include "allowlist/contains.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

using ip::Cidr;

constexpr std::array<std::string_view, 22> kBuiltIn{
    "173.245.48.0/20",  "103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22",    "141.101.64.0/18",
    "108.162.192.0/18", "190.93.240.0/20", "188.114.96.0/20", "197.234.240.0/22", "198.41.128.0/17",
    "162.158.0.0/15",   "104.16.0.0/13",   "104.24.0.0/14",   "172.64.0.0/13",    "131.0.72.0/22",
    "2400:cb00::/32",   "2606:4700::/32",  "2803:f800::/32",  "2405:b500::/32",   "2405:8100::/32",
    "2a06:98c0::/29",   "2c0f:f248::/32"};

constexpr std::array<std::string_view, 2> kRetired{"104.16.0.0/12", "199.27.128.0/21"};

/// Source: IANA's special-purpose address registries.
constexpr std::array<std::string_view, 17> kReserved{
    "0.0.0.0/8",       "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12",   "192.0.0.0/24",   "192.0.2.0/24",  "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",   "2001:db8::/32",  "fc00::/7",
    "fe80::/10",       "ff00::/8"};

constexpr unsigned kBroadestV4 = 8;  // the broadest range published is a /13, and a /29 of IPv6
constexpr unsigned kBroadestV6 = 19;

std::expected<Cidr, std::string> exact_range(std::string_view text) {
    const auto cidr = Cidr::parse(text);
    if (!cidr) return std::unexpected("`" + std::string(text.substr(0, 60)) + "` is no range");
    // A line that was cut off would pass for one address.
    if (!text.contains('/')) {
        return std::unexpected("`" + std::string(text) + "` has no prefix length");
    }
    const auto address = ip::Address::parse(text.substr(0, text.find('/')));
    if (ip::number_of(*address) != cidr->first) {
        return std::unexpected("`" + std::string(text) + "` has bits behind its prefix; " +
                               cidr->to_string() + " may be meant");
    }
    return *cidr;
}

void add_once(Published& list, const Cidr& range) {
    if (!contains(list.ranges, range)) list.ranges.push_back(range);
}

std::expected<void, ReadError> read_lines(const Source& source, Published& list) {
    ReadError error;
    for_each_line(source.text, [&](uint32_t number, std::string_view line) {
        const size_t column = line.find_first_not_of(" \t") + 1;
        line = base::trim(line.substr(0, line.find('#')));
        if (line.empty() || !error.what.empty()) return;
        if (const auto range = exact_range(line); !range) {
            error = {source.name, number, column, range.error()};
        } else if (list.ranges.size() >= kMaxPublished) {
            error = {source.name, number, column, "more ranges than a list may have"};
        } else {
            add_once(list, *range);
        }
    });
    if (!error.what.empty()) return std::unexpected(error);
    return {};
}

/// `: MESSAGE` of its first error.
std::string failure_in(const nlohmann::json& answer) {
    constexpr size_t kLongestMessage = 200;
    const auto errors = answer.find("errors");
    if (errors == answer.end() || !errors->is_array() || errors->empty()) return {};
    const auto& first = errors->front();
    if (!first.is_object() || !first.contains("message") || !first["message"].is_string())
        return {};
    return ": " + first["message"].get<std::string>().substr(0, kLongestMessage);
}

std::expected<void, ReadError> read_json(const Source& source, Published& list) {
    nlohmann::json document;
    try {
        document = nlohmann::json::parse(source.text);
    } catch (const nlohmann::json::parse_error& error) {
        return std::unexpected(
            error_at(source, error.byte > 0 ? error.byte - 1 : 0, "this is no JSON"));
    }
    const auto wrong = [&](std::string what) {
        return std::unexpected(ReadError{source.name, 0, 0, std::move(what)});
    };
    if (document.is_object() && document.contains("success") && document["success"] != true) {
        return wrong("the API's answer says that it failed" + failure_in(document));
    }
    if (!document.is_object() || !document.contains("result") || !document["result"].is_object()) {
        return wrong("the JSON has no `result` as the API's answer has");
    }
    for (const char* const key : {"ipv4_cidrs", "ipv6_cidrs"}) {
        const auto& result = document["result"];
        if (!result.contains(key) || !result[key].is_array()) {
            return wrong(std::string("the JSON has no `") + key + "`");
        }
        for (const auto& one : result[key]) {
            const auto range = one.is_string()
                                   ? exact_range(one.get<std::string>())
                                   : std::unexpected(std::string("a range is a string"));
            if (!range) return wrong(std::string("`") + key + "`: " + range.error());
            if (list.ranges.size() >= kMaxPublished)
                return wrong("more ranges than a list may have");
            add_once(list, *range);
        }
    }
    return {};
}

}  // namespace

ip::AddressSet Published::of(ip::Family family) const {
    std::vector<ip::Interval> intervals;
    for (const Cidr& range : ranges) {
        if (range.family == family) intervals.push_back({range.first, range.last()});
    }
    return {family, std::move(intervals)};
}

Published built_in() {
    Published list{"built in", "2026-11", {}};
    for (const std::string_view text : kBuiltIn) list.ranges.push_back(*Cidr::parse(text));
    return list;
}

std::vector<Cidr> retired() {
    std::vector<Cidr> ranges;
    for (const std::string_view text : kRetired) ranges.push_back(*Cidr::parse(text));
    return ranges;
}

std::expected<Published, ReadError> parse_published(const Source& source) {
    Published list;
    list.source = source.name;
    const size_t first = source.text.find_first_not_of(" \t\r\n");
    const char begin = first == std::string::npos ? '\0' : source.text[first];
    if (begin == '<') {
        // A sign-in page or an error page, with status 200.
        return std::unexpected(error_at(source, first, "this is a page of HTML or XML, no list"));
    }
    const bool is_json = begin == '{';
    const auto read = is_json ? read_json(source, list) : read_lines(source, list);
    if (!read) return std::unexpected(read.error());
    if (list.ranges.empty()) {
        return std::unexpected(ReadError{source.name, 0, 0, "there is no range in it"});
    }
    return list;
}

std::string objection_to(const Cidr& range) {
    const bool is_v4 = range.family == ip::Family::v4;
    if (range.length < (is_v4 ? kBroadestV4 : kBroadestV6)) {
        return range.to_string() + " is broader than any edge's range";
    }
    for (const std::string_view text : kReserved) {
        const auto reserved = Cidr::parse(text);
        if (reserved->family != range.family) continue;
        if (!ip::AddressSet(*reserved).intersect(ip::AddressSet(range)).empty()) {
            return range.to_string() + " is private or reserved (" + std::string(text) + ")";
        }
    }
    if (!is_v4 && !ip::AddressSet(*Cidr::parse("2000::/3")).covers(ip::AddressSet(range))) {
        return range.to_string() + " is no global IPv6 range";
    }
    return {};
}

std::string objection_to(const Published& list) {
    for (const Cidr& range : list.ranges) {
        if (std::string objection = objection_to(range); !objection.empty()) return objection;
    }
    // A dozen times what edges have.
    constexpr int kMostV4 = 24;  // bits: as many addresses as a /8 has
    constexpr int kMostV6 = 109;
    for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
        const bool is_v4 = family == ip::Family::v4;
        double addresses = 0;
        for (const Cidr& range : list.ranges) {
            if (range.family != family) continue;
            addresses += std::ldexp(1.0, static_cast<int>(bits_of(family) - range.length));
        }
        if (addresses > std::ldexp(1.0, is_v4 ? kMostV4 : kMostV6)) {
            return std::string("its ranges of ") + (is_v4 ? "IPv4" : "IPv6") +
                   " are more than any edge has";
        }
    }
    return {};
}

}  // namespace edgecase::allowlist
