#include <fmt/format.h>

#include "cli/doctor_report.hpp"
#include "cli/html_text.hpp"

namespace edgecase::cli {
namespace {

std::string lines_of(std::string_view text) {
    std::string out = "<pre>";
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        out += html(text.substr(0, end)) + "\n";
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out + "</pre>";
}

std::string list(std::string_view title, const std::vector<std::string>& lines) {
    if (lines.empty()) return {};
    std::string out = fmt::format("<p>{}</p><ul>", title);
    for (const std::string& line : lines) out += "<li>" + html(line) + "</li>";
    return out + "</ul>";
}

std::string finding_html(const diagnose::Finding& finding) {
    const cause::Row& row = cause::row(finding.cause);
    std::string out = fmt::format(
        "<h2><code>{}</code> {:.0f} %</h2><div class=\"share\" style=\"width:{:.0f}%\"></div>"
        "<p>{}</p>",
        row.name, finding.likelihood * 100, finding.likelihood * 100, html(row.reason));
    out += list("For", finding.evidence_for) + list("Against", finding.evidence_against);
    out += "<p>Fix</p>" + lines_of(finding.fix);
    if (!finding.rays.empty()) {
        out += "<p>Ray IDs, for the origin's log:";
        for (const std::string& ray : finding.rays) out += " <code>" + ray + "</code>";
        out += "</p>";
    }
    return out;
}

}  // namespace

std::string doctor_html(const DoctorReport& report) {
    std::string out = fmt::format(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>Origin {0}</title><style>{1}</style></head><body>"
        "<h1>Origin <code>{0}</code></h1><p><strong>{2}</strong></p><p>Server: {3}. {4} of at most "
        "{5} requests in {6:.1f} s.</p>",
        html(report.url), kStyle, html(conclusion(report)), html(server_text(report.facts.server)),
        report.trials.size(), report.budget, static_cast<double>(report.elapsed.count()) / 1000);
    if (!report.cut_short.empty()) out += "<p>Cut short: " + html(report.cut_short) + ".</p>";
    for (const diagnose::Finding& one : report.verdict.findings) out += finding_html(one);
    if (!report.log_lines.empty()) out += "<h2>Logs</h2>" + list("", report.log_lines);
    if (!report.verdict.ruled_out.empty()) {
        out += "<h2>Ruled out, of the guide's six causes</h2><ul>";
        for (const diagnose::RuledOut& one : report.verdict.ruled_out) {
            out += fmt::format("<li>{}: {}</li>", diagnose::to_string(one.guide), html(one.why));
        }
        out += "</ul>";
    }
    if (!report.verdict.advice.empty()) out += "<h2>Advice</h2>";
    for (const diagnose::Advice& one : report.verdict.advice) {
        out += "<p>" + html(one.what) + "</p>" + lines_of(one.fix);
    }
    out += "<h2>Probes</h2><div class=\"scroll\"><table><tr><th>probe<th>state<th>finding</tr>";
    for (const probe::Report& one : report.facts.reports) {
        out += fmt::format("<tr><td>{}<td>{}<td>{}</tr>", one.name, probe::to_string(one.state),
                           html(one.summary));
    }
    return out + "</table></div></body></html>\n";
}

}  // namespace edgecase::cli
