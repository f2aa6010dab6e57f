#include "cli/filter_flags.hpp"

#include "base/duration.hpp"
#include "cause/table.hpp"
#include "cli/console.hpp"
#include "logs/log_time.hpp"

namespace edgecase::cli {

std::expected<std::chrono::milliseconds, std::string> span_of(const std::string& flag,
                                                              const std::string& text) {
    if (const auto span = base::parse_duration(text); span && span->count() > 0) return *span;
    return std::unexpected(flag + " wants a duration like 15m, 2h or 7d, not \"" + one_line(text) +
                           "\"");
}

std::expected<base::WallTime, std::string> moment_of(const std::string& flag,
                                                     const std::string& text, base::WallTime now) {
    if (const auto span = base::parse_duration(text)) return now - *span;
    if (const auto time = logs::iso_time(text)) {
        return base::WallTime(std::chrono::microseconds(*time));
    }
    return std::unexpected(flag +
                           " wants a duration back from now like 15m, 2h or 7d, or a time like "
                           "2026-11-28T20:00:00Z, not \"" +
                           one_line(text) + "\"");
}

std::expected<void, std::string> check_cause(const std::string& name) {
    if (name.empty() || cause::is_family(name)) return {};
    return std::unexpected("there is no cause \"" + one_line(name) +
                           "\"; `edgecase explain --list` has them all");
}

}  // namespace edgecase::cli
