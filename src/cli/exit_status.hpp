// Owns the exit statuses of every command.
#pragma once

namespace edgecase::cli {

constexpr int kFine = 0;
constexpr int kWrongOrMissing = 1;  // the thing asked about
constexpr int kUsage = 2;           // usage or configuration

}  // namespace edgecase::cli
