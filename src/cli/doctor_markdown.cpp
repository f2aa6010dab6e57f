#include <fmt/format.h>

#include "cli/console.hpp"
#include "cli/doctor_report.hpp"

namespace edgecase::cli {
namespace {

/// No markup of an origin's making: its bytes could be anything.
std::string plain(std::string_view text) {
    std::string out;
    for (const char c : one_line(text)) {
        if (std::string_view("\\`*_[]<>#|").contains(c)) out += '\\';
        out += c;
    }
    return out;
}

/// A fix, in a block that keeps its lines.
std::string block(std::string_view text) {
    std::string out = "```\n";
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        std::string line = one_line(text.substr(0, end));
        for (size_t at = 0; (at = line.find("```", at)) != std::string::npos;) line[at] = '\'';
        out += line + "\n";
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out + "```\n";
}

std::string list(const std::vector<std::string>& lines) {
    std::string out;
    for (const std::string& line : lines) out += "- " + plain(line) + "\n";
    return out;
}

}  // namespace

std::string doctor_markdown(const DoctorReport& report) {
    std::string text = "## Origin " + plain(report.url) + "\n\n" + plain(conclusion(report)) +
                       "\n\nServer: " + plain(server_text(report.facts.server)) + "\n";
    for (const diagnose::Finding& one : report.verdict.findings) {
        text += fmt::format("\n### {} ({:.0f} %)\n\n{}\n", cause::row(one.cause).name,
                            one.likelihood * 100, plain(cause::row(one.cause).reason));
        if (!one.evidence_for.empty()) text += "\nFor:\n\n" + list(one.evidence_for);
        if (!one.evidence_against.empty()) text += "\nAgainst:\n\n" + list(one.evidence_against);
        text += "\nFix:\n\n" + block(one.fix);
        if (!one.rays.empty()) {
            text += "\nRay IDs, for the origin's log:";
            for (const std::string& ray : one.rays) text += " `" + ray + "`";
            text += "\n";
        }
    }
    if (!report.log_lines.empty()) text += "\n### Logs\n\n" + list(report.log_lines);
    if (!report.verdict.ruled_out.empty()) text += "\n### Ruled out\n\n";
    for (const diagnose::RuledOut& one : report.verdict.ruled_out) {
        text += fmt::format("- {}: {}\n", diagnose::to_string(one.guide), plain(one.why));
    }
    if (!report.verdict.advice.empty()) text += "\n### Advice\n\n";
    for (const diagnose::Advice& one : report.verdict.advice) {
        text += "- " + plain(one.what) + "\n";
        if (!one.fix.empty()) text += "\n" + block(one.fix) + "\n";
    }
    text += "\n### Probes\n\n| probe | state | finding |\n|---|---|---|\n";
    for (const probe::Report& one : report.facts.reports) {
        text += fmt::format("| {} | {} | {} |\n", plain(one.name), probe::to_string(one.state),
                            plain(one.summary));
    }
    if (!report.cut_short.empty()) text += "\nCut short: " + plain(report.cut_short) + ".\n";
    return text;
}

}  // namespace edgecase::cli
