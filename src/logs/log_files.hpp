// Owns the log files of one server as a set: which files, in which format, and what could not be
// read of them.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "logs/line_source.hpp"
#include "logs/reader.hpp"

namespace edgecase::logs {

struct LogFile {
    std::string path;  // to open
    std::string name;  // to show
    uint64_t bytes = 0;
    Packing packing = Packing::plain;
    std::string damage{};  // met in the sample
    /// The first lines, at most kSampleLines, each with kLinePadding bytes behind it.
    std::vector<std::string> sample{};
    std::vector<std::string_view> sample_lines() const;

    static constexpr size_t kSampleLines = 100;
    /// Reads the sample. Errors: one sentence (absent, empty, not text).
    static std::expected<LogFile, std::string> look_at(const std::string& path);
};

/// `access.log`, `access.log.1`, `access.log-20261101.gz`: the name they share, with its folder.
std::string set_name(std::string_view path);

/// The lines that could not be read, the first few as examples, as they are.
struct Unread {
    uint64_t lines = 0;
    std::vector<std::string> examples{};
    static constexpr size_t kExamples = 3;
    static constexpr size_t kExampleBytes = 200;
    void add(std::string_view line);
    void add(const Unread& other);
};

/// A piece of a file that can be read by itself.
struct Portion {
    size_t file;  // its index
    uint64_t from;
    uint64_t to;  // UINT64_MAX: the whole file
};

/// Plain files in portions, others whole; in order.
std::vector<Portion> portions_of(const std::vector<const LogFile*>& files);

/// Opens the portion. Errors: one sentence.
std::expected<std::unique_ptr<LineSource>, std::string> open_portion(const LogFile& file,
                                                                     const Portion& portion);

/// Runs `work` for 0..count-1 on `threads` threads, in any order.
void side_by_side(size_t count, unsigned threads, const std::function<void(size_t)>& work);

}  // namespace edgecase::logs
