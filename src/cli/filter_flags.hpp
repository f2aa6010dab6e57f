// Owns what flags that narrow a question mean: spans of time, causes, statuses.
#pragma once

#include <chrono>
#include <expected>
#include <string>

#include "base/clock.hpp"

namespace edgecase::cli {

// Errors: a sentence that names the flag, for an exit with kUsage.

/// `15m`, `2h`, `7d`.
std::expected<std::chrono::milliseconds, std::string> span_of(const std::string& flag,
                                                              const std::string& text);

/// A span back from now, or a time such as `2026-11-28T20:00:00Z`.
std::expected<base::WallTime, std::string> moment_of(const std::string& flag,
                                                     const std::string& text, base::WallTime now);

/// A cause, or the beginning of some: `resp`, `resp.not_http`; empty is any.
std::expected<void, std::string> check_cause(const std::string& name);

}  // namespace edgecase::cli
