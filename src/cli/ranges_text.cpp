#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/ranges_report.hpp"
#include "cli/terminal_text.hpp"

namespace edgecase::cli {
namespace {

using allowlist::DecidedBy;
using allowlist::Outcome;
using allowlist::Row;

constexpr size_t kRuleColumns = 90;
constexpr size_t kRulesShown = 12;   // of deciding rules; --json has all
constexpr size_t kRangesShown = 30;  // of one rule

std::string place_text(const DecidedBy& decided) {
    std::string text = printable(decided.file);
    if (decided.line > 0) text += fmt::format(":{}", decided.line);
    if (decided.handle > 0) text += fmt::format(" (handle {})", decided.handle);
    return text;
}

std::string_view verdict_of(const Row& row) {
    if (row.is_admitted()) return "admitted";
    const int kinds =
        static_cast<int>(!row.admitted.empty()) + static_cast<int>(!row.dropped.empty()) +
        static_cast<int>(!row.rejected.empty()) + static_cast<int>(!row.rate_limited.empty()) +
        static_cast<int>(!row.unknown.empty());
    if (kinds > 1) return "in part";
    if (!row.dropped.empty()) return "dropped";
    if (!row.rejected.empty()) return "rejected";
    return row.rate_limited.empty() ? "unknown" : "rate limited";
}

Colour colour_of(std::string_view verdict) {
    if (verdict == "admitted") return Colour::green;
    return verdict == "dropped" || verdict == "rejected" ? Colour::red : Colour::yellow;
}

/// One rule that keeps ranges out, and all that it does.
struct Blocker {
    DecidedBy rule;
    std::map<uint16_t, std::vector<ip::Cidr>> parts;  // by port
};

std::vector<Blocker> blockers_of(const allowlist::Report& report) {
    std::vector<Blocker> blockers;
    for (const Row& row : report.rows) {
        for (const DecidedBy& decided : row.decided_by) {
            if (decided.outcome == Outcome::admitted) continue;
            auto found = std::ranges::find_if(blockers, [&](const Blocker& one) {
                return one.rule.file == decided.file && one.rule.line == decided.line &&
                       one.rule.handle == decided.handle && one.rule.text == decided.text &&
                       one.rule.outcome == decided.outcome && one.rule.chain == decided.chain;
            });
            if (found == blockers.end()) {
                if (blockers.size() > 4 * kRulesShown) continue;
                blockers.push_back({decided, {}});
                found = std::prev(blockers.end());
            }
            auto& part = found->parts[row.port];
            std::ranges::copy(decided.part.cidrs(), std::back_inserter(part));
        }
    }
    return blockers;
}

std::string ranges_of(const std::vector<ip::Cidr>& cidrs) {
    std::string text;
    for (size_t i = 0; i < std::min(cidrs.size(), kRangesShown); ++i) {
        text += (i > 0 ? " " : "") + cidrs[i].to_string();
    }
    if (cidrs.size() > kRangesShown)
        text += fmt::format(" and {} more", cidrs.size() - kRangesShown);
    return text;
}

std::string blocker_text(const Blocker& blocker, const Painter& paint) {
    const DecidedBy& rule = blocker.rule;
    const std::string outcome(allowlist::to_string(rule.outcome));
    std::string text = "\n" + paint(colour_of(outcome), outcome);
    if (!rule.file.empty()) text += " by " + paint(Colour::bold, place_text(rule));
    text += "\n";
    const auto row = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) text += fmt::format("  {:<10} {}\n", name, wrapped(value, 13));
    };
    row("rule", fitted(rule.text, kRuleColumns));
    row("in", printable(rule.chain));
    row("why", printable(rule.why));
    if (rule.sees != cause::Cause::none) row("edge sees", seen_text(rule.sees, rule.http_status));
    std::string before;
    for (const auto& [port, cidrs] : blocker.parts) {
        const std::string ranges = ranges_of(cidrs);
        row(fmt::format("port {}", port), ranges == before ? "the same ranges" : ranges);
        before = ranges;
    }
    return text;
}

std::string summary_text(const RangesReport& report, const Painter& paint) {
    std::map<uint16_t, std::pair<size_t, size_t>> ports;  // admitted, all
    for (const Row& row : report.report.rows) {
        auto& [admitted, all] = ports[row.port];
        ++all;
        if (row.is_admitted()) ++admitted;
    }
    std::string text;
    for (const auto& [port, counts] : ports) {
        const auto& [admitted, all] = counts;
        text +=
            admitted == all
                ? paint(Colour::green, fmt::format("port {}: all {} ranges get in", port, all))
                : paint(Colour::red, fmt::format("port {}: {} of {} ranges do not wholly get in",
                                                 port, all - admitted, all));
        text += "\n";
    }
    return text;
}

std::string table_text(const RangesReport& report, const Painter& paint) {
    Table table({"range", "port", "verdict", "decided by"});
    size_t rows = 0;
    for (const Row& row : report.report.rows) {
        if (row.is_admitted()) continue;
        const std::string verdict(verdict_of(row));
        std::string by;
        for (const DecidedBy& decided : row.decided_by) {
            if (decided.outcome == Outcome::admitted || decided.file.empty()) continue;
            by = place_text(decided);
            break;
        }
        table.add(
            {row.range.to_string(), std::to_string(row.port), {verdict, colour_of(verdict)}, by});
        ++rows;
    }
    return rows == 0 ? "" : "\n" + table.text(paint, 0);
}

std::string stale_text(const allowlist::StaleList& list, const Painter& paint) {
    std::string text = "\n" + paint(Colour::yellow, "stale list") + ": " + printable(list.name) +
                       " (" + printable(list.file) +
                       (list.line > 0 ? fmt::format(":{}", list.line) : "") + ")\n";
    if (!list.missing.empty()) {
        text += "  missing    " + wrapped(ranges_of(list.missing), 13) + "\n";
    }
    if (!list.retired.empty()) {
        text += "  retired    " + wrapped(ranges_of(list.retired), 13) +
                "\n             no longer the edge's: whoever has them now gets in\n";
    }
    return text;
}

}  // namespace

std::string seen_text(cause::Cause cause, uint16_t http_status) {
    const cause::Row& row = cause::row(cause);
    if (row.status == 0) return fmt::format("{}, passed through as the origin's", http_status);
    return fmt::format("{} ({})", row.status, row.name);
}

std::string ranges_text(const RangesReport& report, bool colour) {
    const Painter paint(colour);
    std::string text;
    constexpr size_t kFilesShown = 40;
    const size_t files = report.rules.sources.size();
    for (size_t i = 0; i < std::min(files, kFilesShown); ++i) {
        text += fmt::format("{:<8} {} ({})\n", i == 0 ? "rules" : "",
                            printable(report.rules.sources[i].name), report.rules.formats[i]);
    }
    if (files > kFilesShown) text += fmt::format("{:<8} and {} more\n", "", files - kFilesShown);
    text += fmt::format("{:<8} {}, {}{}\n\n", "ranges", report.published.ranges.size(),
                        printable(report.published.source),
                        report.published.date.empty() ? "" : ", as of " + report.published.date);
    text += summary_text(report, paint);
    const std::vector<Blocker> blockers = blockers_of(report.report);
    for (size_t i = 0; i < std::min(blockers.size(), kRulesShown); ++i) {
        text += blocker_text(blockers[i], paint);
    }
    if (blockers.size() > kRulesShown) {
        text += fmt::format("\n... and {} more rules; --json has them all\n",
                            blockers.size() - kRulesShown);
    }
    for (const auto& list : report.report.stale) text += stale_text(list, paint);
    text += table_text(report, paint);
    const std::string fix = ranges_fix(report);
    if (!fix.empty()) text += "\n" + paint(Colour::bold, "fix") + "\n" + fix;
    for (const std::string& note : report.rules.notes) text += "\nnote: " + printable(note) + "\n";
    return text;
}

}  // namespace edgecase::cli
