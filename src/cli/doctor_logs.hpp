// Owns the join of an examination with the logs of the origin, and of the edge.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "cli/doctor.hpp"
#include "diagnose/trace_summary.hpp"
#include "logs/trace.hpp"
#include "probe/session.hpp"

namespace edgecase::cli {

class DoctorLogs {
  public:
    /// Recognises the files' formats before anything is asked of the origin. Errors: one sentence.
    static std::expected<DoctorLogs, std::string> look_at(const DoctorFlags& flags);

    struct Said {
        std::vector<diagnose::CauseSum> causes;  // of all failures, the examination's and others
        std::vector<std::string> lines;          // of the examination's own failures
    };
    /// What they say, now that the origin has written it. Errors: one sentence.
    std::expected<Said, std::string> read(const probe::Session& session, bool show_secrets) const;

  private:
    const DoctorFlags* flags_ = nullptr;
};

}  // namespace edgecase::cli
