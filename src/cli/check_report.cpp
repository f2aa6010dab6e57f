#include "cli/check_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/html_text.hpp"
#include "cli/terminal_text.hpp"
#include "record/json_text.hpp"

namespace edgecase::cli {
namespace {

/// GitHub ends a message at a line end, and reads `%XX`.
std::string annotation(std::string_view text, bool in_property) {
    std::string out;
    for (const char c : text) {
        if (c == '%') {
            out += "%25";
        } else if (c == '\n') {
            out += "%0A";
        } else if (c == '\r') {
            out += "%0D";
        } else if (in_property && c == ':') {
            out += "%3A";
        } else if (in_property && c == ',') {
            out += "%2C";
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace

size_t CheckReport::failed() const {
    return static_cast<size_t>(std::ranges::count_if(
        results, [](const CheckResult& one) { return !one.problem.empty(); }));
}

std::string check_text(const CheckReport& report, bool colour) {
    const Painter paint(colour);
    std::string text;
    for (const CheckResult& one : report.results) {
        const bool bad = !one.problem.empty();
        text +=
            fmt::format("  {}  {}", paint(bad ? Colour::red : Colour::green, bad ? "FAIL" : "ok  "),
                        printable(one.name));
        if (one.status != 0) text += fmt::format("  {}", one.status);
        if (one.header_bytes > 0) {
            text += fmt::format("  {} of {} header bytes", one.header_bytes, one.header_limit);
        }
        text += "\n";
        if (bad) text += "        " + wrapped(printable(one.problem), 8) + "\n";
        if (bad && !one.fix.empty()) text += "        " + wrapped(printable(one.fix), 8) + "\n";
        if (bad && !one.ray.empty()) text += "        ray " + one.ray + "\n";
        if (!one.note.empty()) text += "        " + wrapped(printable(one.note), 8) + "\n";
    }
    const size_t failed = report.failed();
    return text +
           paint(failed > 0 ? Colour::red : Colour::green,
                 fmt::format("{} checked, {} failed", report.results.size(), failed)) +
           "\n";
}

std::string check_json(const CheckReport& report) {
    using Json = nlohmann::ordered_json;
    Json results = Json::array();
    for (const CheckResult& one : report.results) {
        results.push_back({{"name", record::json_text(one.name)},
                           {"ok", one.problem.empty()},
                           {"problem", record::json_text(one.problem)},
                           {"cause", one.cause},
                           {"fix", record::json_text(one.fix)},
                           {"ray_id", one.ray},
                           {"status", one.status},
                           {"header_bytes", one.header_bytes},
                           {"header_limit_bytes", one.header_limit},
                           {"seconds", one.seconds},
                           {"note", record::json_text(one.note)}});
    }
    return Json{{"origin", record::json_text(report.origin)},
                {"checked", report.results.size()},
                {"failed", report.failed()},
                {"results", std::move(results)}}
               .dump(2) +
           "\n";
}

std::string check_junit(const CheckReport& report) {
    double seconds = 0;
    for (const CheckResult& one : report.results) seconds += one.seconds;
    std::string text = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"edgecase "
        "check "
        "{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\" time=\"{:.3f}\">\n",
        html(report.origin), report.results.size(), report.failed(), seconds);
    for (const CheckResult& one : report.results) {
        text += fmt::format("    <testcase classname=\"edgecase\" name=\"{}\" time=\"{:.3f}\"",
                            html(one.name), one.seconds);
        if (one.problem.empty()) {
            text += "/>\n";
            continue;
        }
        text += fmt::format(
            ">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n"
            "    </testcase>\n",
            html(one.cause), html(one.problem),
            html(one.fix + (one.ray.empty() ? "" : " Ray ID " + one.ray)));
    }
    return text + "  </testsuite>\n</testsuites>\n";
}

std::string check_github(const CheckReport& report) {
    std::string text;
    for (const CheckResult& one : report.results) {
        if (one.problem.empty()) continue;
        text += "::error title=" + annotation("edgecase " + one.cause + " " + one.name, true) +
                "::" + annotation(printable(one.problem) + " " + printable(one.fix), false) + "\n";
    }
    return text;
}

}  // namespace edgecase::cli
