// Owns the bytes of one log file as blocks of whole lines, whatever it is packed in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "logs/reader.hpp"

namespace edgecase::logs {

enum class Packing : uint8_t { plain, gzip, zstd };

/// Longer lines are cut: their first so many bytes count, the rest is passed over.
constexpr size_t kMaximumLineBytes = 1u << 20;

class LineSource {
  public:
    /// gzip and zstd are known by their first bytes. Errors: one sentence
    /// that names the file (absent, unreadable, a directory).
    static std::expected<std::unique_ptr<LineSource>, std::string> open(const std::string& path);
    /// Of a plain file the lines that begin in [from, to).
    static std::expected<std::unique_ptr<LineSource>, std::string> open(const std::string& path,
                                                                        uint64_t from, uint64_t to);
    virtual ~LineSource() = default;

    /// Whole lines, each ended by \n, followed by kLinePadding readable bytes; valid until the next
    /// call. Empty: the end. Errors: one sentence.
    virtual std::expected<std::string_view, std::string> next() = 0;
    /// From the beginning once more. Errors: one sentence.
    virtual std::expected<void, std::string> rewind() = 0;

    virtual Packing packing() const = 0;
    virtual uint64_t bytes_taken() const = 0;  // of the file as it stands, for progress
    virtual uint64_t lines_cut() const = 0;
    /// How the file is broken (a gzip file that ends early); empty: it is not. What came before
    /// the damage was delivered.
    virtual const std::string& damage() const = 0;
};

/// Copies what can be read only once (`-` is standard input) to its end into a file without a name.
/// The path by which this process may open that. Errors: one sentence.
std::expected<std::string, std::string> spool_file(const std::string& path);

/// `-`, a named pipe, `<(command)`.
bool is_read_once(const std::string& path);

/// Calls `visit` with each line of a block, without its end (\n or \r\n).
template <typename Visit>
void for_each_line(std::string_view block, Visit visit) {
    while (!block.empty()) {
        size_t end = block.find('\n');
        if (end == std::string_view::npos) end = block.size();
        std::string_view line = block.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        visit(line);
        block.remove_prefix(std::min(block.size(), end + 1));
    }
}

}  // namespace edgecase::logs
