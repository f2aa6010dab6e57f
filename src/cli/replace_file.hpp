// Owns replacing a file's content: at once or not at all, whatever happens meanwhile.
#pragma once

#include <expected>
#include <string>

namespace edgecase::cli {

/// Writes beside `path`, as a file whose name begins with a dot, flushes to disk and renames. One
/// caller at a time for each path. An existing file's mode and owner stay.
/// `like`: the file whose mode and owner it takes instead. Errors: a sentence; then `path` is as it
/// was.
std::expected<void, std::string> replace_file(const std::string& path, const std::string& content,
                                              const std::string& like = {});

}  // namespace edgecase::cli
