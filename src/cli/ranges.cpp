#include "cli/ranges.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "allowlist/readers.hpp"
#include "cli/console.hpp"
#include "cli/exit_status.hpp"
#include "cli/large_heap.hpp"
#include "cli/ranges_includes.hpp"
#include "cli/ranges_input.hpp"
#include "cli/ranges_report.hpp"

namespace edgecase::cli {
namespace {

using allowlist::Published;
using allowlist::Source;

constexpr size_t kHeapPerByte = 16;  // of rules: a line of 70 bytes takes about a kilobyte

int fail(const std::string& what) {
    complain(one_line(what));
    return kUsage;
}

std::expected<allowlist::CheckOptions, std::string> options_of(const RangesCheckFlags& flags) {
    allowlist::CheckOptions options;
    options.ports.clear();
    for (const int port : flags.ports) {
        const auto number = static_cast<uint16_t>(port);
        if (std::ranges::find(options.ports, number) == options.ports.end()) {
            options.ports.push_back(number);
        }
    }
    options.interface_in = flags.interface_in;
    for (const std::string& text : flags.destinations) {
        const auto address = ip::Address::parse(text);
        if (!address) return std::unexpected("--destination " + text + ": no address");
        options.destinations.push_back(*address);
    }
    return options;
}

std::expected<std::vector<Source>, std::string> sources_of(const RangesCheckFlags& flags) {
    std::vector<Source> sources;
    for (const std::string& path : flags.rules) {
        auto source = read_source(path, allowlist::kMaxSourceBytes);
        if (!source) return std::unexpected(source.error());
        std::error_code error;
        if (path != "-") {
            source->path = std::filesystem::absolute(path, error).lexically_normal().string();
        }
        sources.push_back(std::move(*source));
    }
    if (flags.live) {
        auto live = live_sources();
        if (!live) return std::unexpected(live.error());
        std::ranges::move(*live, std::back_inserter(sources));
    }
    if (sources.empty()) return std::unexpected("--rules FILE or --live says what is checked");
    return sources;
}

}  // namespace

int run_ranges_list(const RangesListFlags& flags) {
    const auto published = published_of(flags.ranges, flags.url, flags.ca);
    if (!published) return fail(published.error());
    if (flags.json) {
        nlohmann::ordered_json v4 = nlohmann::ordered_json::array();
        nlohmann::ordered_json v6 = v4;
        for (const ip::Cidr& range : published->ranges) {
            (range.family == ip::Family::v4 ? v4 : v6).push_back(range.to_string());
        }
        const nlohmann::ordered_json date = published->date.empty()
                                                ? nlohmann::ordered_json()
                                                : nlohmann::ordered_json(published->date);
        const nlohmann::ordered_json document{
            {"source", published->source}, {"date", date}, {"ipv4_cidrs", v4}, {"ipv6_cidrs", v6}};
        print(document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
              "\n");
        return kFine;
    }
    std::string text = "# " + one_line(published->source);
    if (!published->date.empty()) text += ", as of " + published->date;
    text += ", " + std::to_string(published->ranges.size()) + " ranges\n";
    for (const ip::Cidr& range : published->ranges) text += range.to_string() + "\n";
    print(text);
    return kFine;
}

int run_ranges_check(const RangesCheckFlags& flags) {
    const auto options = options_of(flags);
    if (!options) return fail(options.error());
    if (!flags.format.empty() && allowlist::format_named(flags.format) == nullptr) {
        std::string known;
        for (const allowlist::Format& format : allowlist::formats()) {
            known += (known.empty() ? "" : ", ") + std::string(format.name);
        }
        return fail("--format " + flags.format + ": not one of " + known);
    }
    const auto published = published_of(flags.ranges);
    if (!published) return fail(published.error());
    auto sources = sources_of(flags);
    if (!sources) return fail(sources.error());
    size_t size = 0;
    for (const Source& source : *sources) size += source.text.size();
    expect_large_heap(kHeapPerByte * size);
    const auto rules = allowlist::read_rules(
        std::move(*sources), flags.format,
        flags.no_includes ? allowlist::FindFiles() : allowlist::FindFiles(find_included));
    if (!rules) return fail(rules.error().to_string());
    const allowlist::Report report = allowlist::check(*rules, *published, *options);
    const RangesReport shown{*rules, *published, *options, report};
    print(flags.json ? ranges_json(shown) : ranges_text(shown, wants_colour()));
    return report.is_clear() ? kFine : kWrongOrMissing;
}

}  // namespace edgecase::cli
