// Owns the forms in which a check is shown: terminal, JSON, JUnit, GitHub's annotations.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edgecase::cli {

/// One thing that was checked.
struct CheckResult {
    std::string name;     // the path, or `keep-alive`
    std::string problem;  // one sentence; empty: it passed
    std::string cause;    // none, or why
    std::string fix;
    std::string ray;
    uint16_t status = 0;
    uint32_t header_bytes = 0;
    uint64_t header_limit = 0;
    double seconds = 0;
    std::string note;  // worth knowing, no failure
};

struct CheckReport {
    std::string origin;
    std::vector<CheckResult> results;
    size_t failed() const;
};

std::string check_text(const CheckReport& report, bool colour);
std::string check_json(const CheckReport& report);
/// The format that continuous integration reads: a testsuite with a testcase for each result.
std::string check_junit(const CheckReport& report);
/// `::error title=...::...` lines for GitHub Actions.
std::string check_github(const CheckReport& report);

}  // namespace edgecase::cli
