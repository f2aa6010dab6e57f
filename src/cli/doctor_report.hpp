// Owns the forms in which an examination is shown: terminal, JSON, Markdown, one HTML file.
#pragma once

#include <deque>
#include <string>

#include "diagnose/verdict.hpp"
#include "probe/facts.hpp"
#include "probe/trial.hpp"
#include "record/case_json.hpp"

namespace edgecase::cli {

struct DoctorReport {
    std::string url;
    const probe::Facts& facts;
    const std::deque<probe::Trial>& trials;
    diagnose::Verdict verdict;
    std::chrono::milliseconds elapsed{0};
    unsigned budget = 0;
    std::string cut_short;  // why it ended early; empty: it did not
    std::vector<std::string> log_lines;
    record::Secrets secrets = record::Secrets::redacted;
};

/// `{verdict[], probes[], server{}}` and more; docs/doctor.md has the shapes.
std::string doctor_json(const DoctorReport& report);
std::string doctor_text(const DoctorReport& report, bool colour);
/// To be pasted into a ticket.
std::string doctor_markdown(const DoctorReport& report);
/// One file that needs no other.
std::string doctor_html(const DoctorReport& report);

/// `nginx 1.22.1, php behind it`; `not recognised`.
std::string server_text(const probe::Server& server);
/// One sentence: what is most likely wrong, or that nothing is.
std::string conclusion(const DoctorReport& report);

}  // namespace edgecase::cli
