// Owns the store's place in the file system: its directory and file, their kinds and permissions.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <string>

#include "store/database.hpp"

namespace edgecase::store {

constexpr std::string_view kFileName = "records.sqlite";

using Log = std::function<void(const std::string&)>;

/// Makes directory (0700) and file (0600) where they lack, and tightens what is laxer if it is
/// ours. Errors: one sentence that names the path; `full` when there is no room.
std::expected<void, DatabaseError> prepare_files(const std::filesystem::path& data_dir,
                                                 const Log& log);

/// Whether a reader finds a store here: a regular file, never a pipe or a link to somewhere else.
/// Errors: one sentence that names the path.
std::expected<void, std::string> check_readable(const std::filesystem::path& data_dir);

}  // namespace edgecase::store
