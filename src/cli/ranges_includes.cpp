#include "cli/ranges_includes.hpp"

#include <glob.h>

#include <algorithm>
#include <filesystem>

#include "cli/ranges_input.hpp"

namespace edgecase::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFound = 10'000;                // files of one pattern
constexpr size_t kMaxFileBytes = size_t{64} << 20;  // a list of millions of addresses
constexpr int kMaxFolderDepth = 8;

/// Regular files alone: a pipe has no end, and nobody includes one.
void add_path(const fs::path& path, int depth, std::vector<fs::path>& into, std::string& why_not) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (fs::is_regular_file(status)) {
        if (into.size() >= kMaxFound) why_not = "it has more files than can be read";
        if (into.size() < kMaxFound) into.push_back(path);
        return;
    }
    if (!fs::is_directory(status) || depth > kMaxFolderDepth) {
        why_not = path.string() + " is no file" + (error ? ": " + error.message() : "");
        return;
    }
    std::vector<fs::path> inner;
    for (const auto& entry : fs::directory_iterator(path, error)) {
        inner.push_back(entry.path());
        if (inner.size() > kMaxFound) break;
    }
    if (error) why_not = path.string() + " cannot be read: " + error.message();
    std::ranges::sort(inner);
    for (const fs::path& one : inner) add_path(one, depth + 1, into, why_not);
}

/// The longest part of a pattern that is a plain name of a folder.
fs::path folder_of(const std::string& pattern) {
    const size_t wild = std::min(pattern.find_first_of("*?["), pattern.size());
    const size_t slash = pattern.rfind('/', wild);
    return slash == std::string::npos ? fs::path(".") : fs::path(pattern.substr(0, slash + 1));
}

}  // namespace

allowlist::FoundFiles find_included(const std::string& pattern) {
    allowlist::FoundFiles found;
    std::vector<fs::path> paths;
    glob_t matches{};
    const int status = glob(pattern.c_str(), 0, nullptr, &matches);
    for (size_t i = 0; i < matches.gl_pathc; ++i) {
        add_path(matches.gl_pathv[i], 0, paths, found.why_not);
    }
    globfree(&matches);
    const bool is_pattern = pattern.find_first_of("*?[") != std::string::npos;
    std::error_code error;
    if (status == GLOB_NOMATCH && !is_pattern) {
        found.why_not = "there is no such file here";
    } else if (status == GLOB_NOMATCH && !fs::is_directory(folder_of(pattern), error)) {
        found.why_not = "there is no such folder here";
    } else if (status == GLOB_NOMATCH) {
        // Nothing, or a folder that may not be looked into.
        fs::directory_iterator(folder_of(pattern), error);
        if (error) found.why_not = "its folder cannot be read: " + error.message();
    } else if (status != 0) {
        found.why_not = "its folder cannot be read";
    }
    for (const fs::path& path : paths) {
        const std::string name = path.string();
        auto source = read_source(name, kMaxFileBytes);
        if (!source) {
            // A folder opens and gives nothing; so does an empty file, which is none to worry
            // about.
            if (fs::is_empty(path, error) && !error) continue;
            found.why_not = source.error();
            continue;
        }
        source->path = path.lexically_normal().string();
        found.files.push_back(std::move(*source));
    }
    return found;
}

}  // namespace edgecase::cli
