#include <fmt/format.h>

#include <algorithm>

#include "cli/doctor_report.hpp"
#include "cli/terminal_text.hpp"

namespace edgecase::cli {
namespace {

using probe::Report;

Colour colour_of(Report::State state) {
    switch (state) {
        case Report::State::good:
            return Colour::green;
        case Report::State::advice:
            return Colour::yellow;
        case Report::State::bad:
            return Colour::red;
        case Report::State::skipped:
            break;
    }
    return Colour::dim;
}

std::string_view mark_of(Report::State state) {
    switch (state) {
        case Report::State::good:
            return "ok  ";
        case Report::State::advice:
            return "note";
        case Report::State::bad:
            return "BAD ";
        case Report::State::skipped:
            break;
    }
    return "-   ";
}

/// Lines of a fix keep their breaks: they may be a configuration.
std::string indented(std::string_view text, size_t indent) {
    std::string out;
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        out += std::string(indent, ' ');
        out += line.starts_with(' ') ? printable(line) : wrapped(printable(line), indent);
        out += '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string finding_text(const diagnose::Finding& finding, size_t number, const Painter& paint) {
    const cause::Row& row = cause::row(finding.cause);
    std::string text = fmt::format("\n{}. {}  {:.0f} %\n", number, paint(Colour::bold, row.name),
                                   finding.likelihood * 100);
    std::string about(row.reason);
    if (row.status != 0) about += fmt::format(" Visitors see {}.", row.status);
    if (finding.guide != diagnose::Guide::other) {
        about += fmt::format(" In the guide's words: {}.", diagnose::to_string(finding.guide));
    }
    text += "   " + wrapped(about, 3) + "\n";
    for (const std::string& one : finding.evidence_for) {
        text += "   " + paint(Colour::red, "+") + " " + wrapped(printable(one), 5) + "\n";
    }
    for (const std::string& one : finding.evidence_against) {
        text += "   " + paint(Colour::green, "-") + " " + wrapped(printable(one), 5) + "\n";
    }
    return text + "   " + paint(Colour::bold, "Fix") + "\n" + indented(finding.fix, 5);
}

}  // namespace

std::string server_text(const probe::Server& server) {
    if (server.name.empty() && server.behind.empty()) return "not recognised";
    std::string text = server.name;
    if (!server.version.empty()) text += " " + server.version;
    if (!server.behind.empty() && server.behind != server.name) {
        text += (text.empty() ? "" : ", ") + server.behind + (text.empty() ? "" : " behind it");
    }
    return text;
}

/// When every answer sends away, what is behind it was not examined.
std::string only_the_door(const DoctorReport& report) {
    const uint16_t status = report.trials.front().answer.status;
    const bool all = std::ranges::all_of(report.trials, [&](const probe::Trial& one) {
        return one.kind != probe::Kind::plain || one.answer.status == status;
    });
    if (!all || status < 300) return {};
    std::string text = fmt::format(" But every answer was {}", status);
    if (status < 400) {
        text += ", to " + std::string(report.trials.front().answer.value_of("location")) +
                ": examine that too.";
    } else if (status == 401 || status == 403) {
        text += ": only the door was examined (--header \"Authorization: ...\").";
    } else {
        text += ": examine a path that exists too.";
    }
    return text;
}

std::string conclusion(const DoctorReport& report) {
    const auto& findings = report.verdict.findings;
    if (!findings.empty()) {
        const cause::Row& row = cause::row(findings.front().cause);
        return fmt::format("Most likely {} ({:.0f} %): {}", row.name,
                           findings.front().likelihood * 100, row.reason);
    }
    if (report.trials.empty()) return "Nothing was answered, so nothing is known.";
    if (!report.cut_short.empty()) {
        return fmt::format(
            "Nothing wrong was seen in {} requests, but the examination is not whole: {}.",
            report.trials.size(), report.cut_short);
    }
    return fmt::format("Nothing is wrong: {} requests, none ended as a 52x.{}",
                       report.trials.size(), only_the_door(report));
}

std::string doctor_text(const DoctorReport& report, bool colour) {
    const Painter paint(colour);
    std::string text = paint(Colour::bold, printable(report.url)) + "  " +
                       printable(server_text(report.facts.server)) + "\n\n";
    for (const Report& one : report.facts.reports) {
        text += fmt::format("  {}  {:<16} {}\n", paint(colour_of(one.state), mark_of(one.state)),
                            one.name, wrapped(printable(one.summary), 25));
    }
    const bool wrong = !report.verdict.findings.empty();
    text += "\n" +
            paint(wrong ? Colour::red : Colour::green, wrapped(printable(conclusion(report)), 0)) +
            "\n";
    for (size_t i = 0; i < report.verdict.findings.size(); ++i) {
        text += finding_text(report.verdict.findings[i], i + 1, paint);
    }
    if (!report.log_lines.empty()) text += "\n" + paint(Colour::bold, "Logs") + "\n";
    for (const std::string& line : report.log_lines) {
        text += "   " + wrapped(printable(line), 3) + "\n";
    }
    if (!report.verdict.ruled_out.empty()) {
        text += "\n" + paint(Colour::bold, "Ruled out, of the guide's six causes") + "\n";
    }
    for (const diagnose::RuledOut& one : report.verdict.ruled_out) {
        text += fmt::format("   {}: {}\n", diagnose::to_string(one.guide), wrapped(one.why, 3));
    }
    if (!report.verdict.advice.empty()) text += "\n" + paint(Colour::bold, "Advice") + "\n";
    for (const diagnose::Advice& one : report.verdict.advice) {
        text += "   * " + wrapped(printable(one.what), 5) + "\n" + indented(one.fix, 5);
    }
    text += fmt::format("\n{} of at most {} requests in {:.1f} s.", report.trials.size(),
                        report.budget, static_cast<double>(report.elapsed.count()) / 1000);
    if (!report.cut_short.empty()) text += " Cut short: " + report.cut_short + ".";
    return text + "\n";
}

}  // namespace edgecase::cli
