#include "logs/log_files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/ascii.hpp"

namespace edgecase::logs {
namespace {

constexpr uint64_t kPortionBytes = 32u << 20;

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789-") == std::string_view::npos;
}

/// `x` of `x.gz`, once.
bool strip(std::string_view& name, std::string_view ending) {
    if (!name.ends_with(ending) || name.size() == ending.size()) return false;
    name.remove_suffix(ending.size());
    return true;
}

/// `access.log` of `access.log.2`, `access.log-20261101`, `access.log.2026-11-01`.
bool strip_number(std::string_view& name) {
    for (size_t i = name.size(); i-- > 1;) {
        const char c = name[i];
        const bool digit = c >= '0' && c <= '9';
        if (digit) continue;
        if (c != '.' && c != '-' && c != '_') return false;
        if (i + 1 == name.size()) return false;
        if (c == '-' && i > 0 && is_digits(name.substr(i + 1)) && name[i - 1] >= '0' &&
            name[i - 1] <= '9') {
            continue;  // within a date
        }
        name = name.substr(0, i);
        return true;
    }
    return false;
}

/// A stray zero does not make a log binary.
bool is_text(std::string_view bytes) {
    return static_cast<size_t>(std::ranges::count(bytes, '\0')) <= bytes.size() / 100;
}

/// The command that unpacks what is not read as it is; null: none is needed.
const char* packed_by(std::string_view bytes) {
    if (bytes.starts_with("BZh")) return "bzip2";
    if (bytes.starts_with("\xfd"
                          "7zXZ")) {
        return "xz";
    }
    return nullptr;
}

}  // namespace

std::string set_name(std::string_view path) {
    const size_t slash = path.rfind('/');
    const std::string_view folder = path.substr(0, slash == std::string_view::npos ? 0 : slash + 1);
    std::string_view name = path.substr(folder.size());
    for (const std::string_view packed : {".gz", ".zst", ".zstd"}) {
        if (strip(name, packed)) break;
    }
    strip_number(name);
    return std::string(folder) + std::string(name);
}

std::vector<std::string_view> LogFile::sample_lines() const {
    std::vector<std::string_view> lines;
    for (const std::string& one : sample) {
        lines.emplace_back(one.data(), one.size() - kLinePadding);
    }
    return lines;
}

std::expected<LogFile, std::string> LogFile::look_at(const std::string& path) {
    LogFile file;
    file.path = file.name = path;
    if (is_read_once(path)) {
        auto kept = spool_file(path);
        if (!kept) return std::unexpected(kept.error());
        file.path = *kept;
        if (path == "-") file.name = "standard input";
    }
    auto source = LineSource::open(file.path);
    if (!source) return std::unexpected(source.error());
    file.packing = (*source)->packing();
    struct stat facts{};
    if (::stat(file.path.c_str(), &facts) == 0) file.bytes = static_cast<uint64_t>(facts.st_size);
    const auto block = (*source)->next();
    if (!block) return std::unexpected(block.error());
    const std::string& damage = (*source)->damage();
    if (block->empty()) {
        return std::unexpected(file.name + ": " + (damage.empty() ? "is empty" : damage));
    }
    if (const char* const packer = packed_by(*block)) {
        return std::unexpected(file.name + ": is packed with " + packer + ": unpack it first");
    }
    for_each_line(*block, [&](std::string_view line) {
        if (file.sample.size() >= kSampleLines || base::trim(line).empty()) return;
        file.sample.emplace_back(line).append(kLinePadding, '\0');
    });
    if (!is_text(block->substr(0, 64 * 1024))) {
        return std::unexpected(
            file.name + ": " +
            (damage.empty() ? "is not text (it holds NUL bytes), so no log" : damage));
    }
    return file;
}

void Unread::add(std::string_view line) {
    ++lines;
    if (examples.size() >= kExamples) return;
    examples.emplace_back(line.substr(0, kExampleBytes));
    if (line.size() > kExampleBytes) examples.back() += "...";
}

void Unread::add(const Unread& other) {
    lines += other.lines;
    for (const std::string& one : other.examples) {
        if (examples.size() < kExamples) examples.push_back(one);
    }
}

std::vector<Portion> portions_of(const std::vector<const LogFile*>& files) {
    std::vector<Portion> portions;
    for (size_t i = 0; i < files.size(); ++i) {
        if (files[i]->packing != Packing::plain || files[i]->bytes < 2 * kPortionBytes) {
            portions.push_back({i, 0, UINT64_MAX});
            continue;
        }
        for (uint64_t from = 0; from < files[i]->bytes; from += kPortionBytes) {
            const bool last = from + kPortionBytes >= files[i]->bytes;
            portions.push_back({i, from, last ? UINT64_MAX : from + kPortionBytes});
        }
    }
    return portions;
}

std::expected<std::unique_ptr<LineSource>, std::string> open_portion(const LogFile& file,
                                                                     const Portion& portion) {
    if (portion.from == 0 && portion.to == UINT64_MAX) return LineSource::open(file.path);
    return LineSource::open(file.path, portion.from, portion.to);
}

void side_by_side(size_t count, unsigned threads, const std::function<void(size_t)>& work) {
    std::atomic<size_t> next = 0;
    const auto run = [&] {
        for (size_t i = next++; i < count; i = next++) work(i);
    };
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < threads && i < count; ++i) others.emplace_back(run);
    run();
}

}  // namespace edgecase::logs
