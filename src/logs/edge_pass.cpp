#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <tuple>

#include "base/hex.hpp"
#include "logs/entry_stream.hpp"
#include "logs/passes.hpp"

namespace edgecase::logs {
namespace {

constexpr uint64_t kSampleRays = 50'000;
constexpr uint64_t kTypicalEdgeLineBytes = 600;

// Files need not be in order of time: more are kept than will be traced, before they are sorted.
constexpr uint64_t kMaximumKept = 2 * TraceResult::kMaximumRays;
using Kept = std::atomic<uint64_t>;  // of all parts

bool is_sampled(uint64_t ray, uint64_t every) {
    return ray != 0 && (ray * 0x9e3779b97f4a7c15u >> 32) % every == 0;
}

/// Which entries were there, to count those that came twice. Of more than kMaximum it gives up.
class EntrySet {
  public:
    void add(const EdgeEntryView& entry) {
        if (hashes_.size() >= kMaximum) give_up();
        if (overflown_ || entry.ray == 0) return;
        // Two sources of one entry may tell its time with more and with fewer digits.
        const auto second = static_cast<uint64_t>(entry.start / 1'000'000);
        hashes_.push_back((entry.ray * 0x9e3779b97f4a7c15u) ^ (second << 10) ^ entry.edge_status);
    }
    void add(const EntrySet& other) {
        if (other.overflown_ || hashes_.size() + other.hashes_.size() > kMaximum) give_up();
        if (!overflown_) hashes_.insert(hashes_.end(), other.hashes_.begin(), other.hashes_.end());
    }
    /// nullopt: there were too many to know.
    std::optional<uint64_t> repeated() {
        if (overflown_) return std::nullopt;
        const size_t all = hashes_.size();
        std::ranges::sort(hashes_);
        const auto rest = std::ranges::unique(hashes_);
        return all - static_cast<size_t>(rest.begin() - hashes_.begin());
    }

    bool has_given_up() const { return overflown_; }
    void give_up() {
        overflown_ = true;
        hashes_ = {};
    }
    static constexpr size_t kMaximum = 1u << 20;  // 8 MB

  private:
    std::vector<uint64_t> hashes_;
    bool overflown_ = false;
};

/// What one portion of a file gave.
struct Part {
    std::vector<EdgeRay> rays;
    TextPool texts;
    uint64_t passed_over = 0;
    std::vector<SampleRay> sample;
    uint64_t requests = 0;
    uint64_t failed = 0;
    FileTimes times;
    EntrySet entries;
    Unread unread;
    uint64_t lines_cut = 0;
    std::string damage;
    std::string error;
};

class PartTaker {
  public:
    PartTaker(Part& part, const TraceOptions& options, uint64_t sample_every, Kept& kept)
        : part_(part), options_(options), sample_every_(sample_every), kept_(kept) {}

    void take(const EdgeEntryView& entry) {
        ++part_.requests;
        if (!part_.entries.has_given_up()) part_.entries.add(entry);
        part_.times.add(entry.end != kNoTime ? entry.end : entry.start);
        const bool failure = is_failure(entry);
        if (failure) ++part_.failed;
        const bool wanted = options_.ray ? entry.ray == *options_.ray : failure || options_.all;
        if (wanted) {
            if (kept_.fetch_add(1, std::memory_order_relaxed) < kMaximumKept) {
                part_.rays.push_back(EdgeRay::of(entry, part_.texts));
            } else {
                ++part_.passed_over;
            }
        } else if (is_sampled(entry.ray, sample_every_)) {
            part_.sample.push_back({entry.ray, entry.start, entry.end});
        }
    }

  private:
    Part& part_;
    const TraceOptions& options_;
    uint64_t sample_every_;
    Kept& kept_;
};

template <typename Request>
bool failed(const Request& request) {
    constexpr int kEdgeWorkerCacheApi = 6;
    constexpr int kEarlyHintsCache = 11;
    if (request.request_source == kEdgeWorkerCacheApi ||
        request.request_source == kEarlyHintsCache) {
        return false;
    }
    const bool named = !request.cause.empty() && request.cause != "none";
    return named || request.edge_status >= 500 || request.edge_status == 499;
}

/// For one ray alone: where its text stands, that line is read, and of the others only the first
/// and the last of each block, for the time.
void take_block_for_one(std::string_view block, std::string_view needle, EdgeReader& reader,
                        PartTaker& taker, Part& part) {
    const auto line_around = [&](size_t at) {
        const size_t begin = at == 0 ? 0 : block.rfind('\n', at - 1) + 1;
        return block.substr(begin, block.find('\n', at) - begin);
    };
    EdgeEntryView entry;
    const auto time_at = [&](size_t at) {
        entry = {};
        if (reader.read(line_around(at), entry) != Parsed::entry) return kNoTime;
        return entry.end != kNoTime ? entry.end : entry.start;
    };
    part.times.add(time_at(0));
    part.times.bridge(time_at(block.size() - 1));
    for (const char* from = block.data(); from < block.data() + block.size();) {
        const auto* const found = static_cast<const char*>(
            memmem(from, static_cast<size_t>(block.data() + block.size() - from), needle.data(),
                   needle.size()));
        if (found == nullptr) break;
        const std::string_view line = line_around(static_cast<size_t>(found - block.data()));
        entry = {};
        if (reader.read(line, entry) == Parsed::entry) taker.take(entry);
        from = line.data() + line.size() + 1;
    }
}

void read_portion(const LogFile& file, const Portion& portion, EdgeFormat format, Part& part,
                  const TraceOptions& options, uint64_t sample_every, Kept& kept,
                  Progress& progress) {
    auto source = open_portion(file, portion);
    if (!source) {
        part.error = source.error();
        return;
    }
    const std::unique_ptr<EdgeReader> reader = edge_reader(format);
    EdgeEntryView entry;
    // CSV has its heading in the first line only.
    for (const std::string_view line : file.sample_lines()) {
        if (portion.from == 0) break;
        entry = {};
        if (reader->read(line, entry) == Parsed::nothing) break;
    }
    const auto needle = options.ray ? base::hex16(*options.ray) : std::array<char, 16>{};
    PartTaker taker(part, options, sample_every, kept);
    uint64_t taken = 0;
    for (;;) {
        const auto block = (*source)->next();
        if (!block) {
            part.error = block.error();
            return;
        }
        progress.add((*source)->bytes_taken() - taken);
        taken = (*source)->bytes_taken();
        if (block->empty()) break;
        if (options.ray && format == EdgeFormat::logpush_ndjson) {
            take_block_for_one(*block, {needle.data(), needle.size()}, *reader, taker, part);
            continue;
        }
        for_each_line(*block, [&](std::string_view line) {
            const Parsed parsed = reader->read(line, entry);
            if (parsed == Parsed::entry) taker.take(entry);
            if (parsed == Parsed::failed) part.unread.add(line);
        });
    }
    part.texts.close();
    part.lines_cut = (*source)->lines_cut();
    part.damage = (*source)->damage();
}

void merge(EdgePass& pass, LogReport& report, Part& part, std::vector<FileTimes::Piece>& pieces,
           EntrySet& entries) {
    pass.requests += part.requests;
    pass.failed += part.failed;
    pass.passed_over += part.passed_over;
    if (!part.rays.empty()) pass.texts.push_back(std::move(part.texts));
    std::ranges::move(part.rays, std::back_inserter(pass.rays));
    entries.add(part.entries);
    std::ranges::move(part.sample, std::back_inserter(pass.sample));
    std::ranges::copy(part.times.pieces(), std::back_inserter(pieces));
    report.lines += part.requests;
    report.unread.add(part.unread);
    part = {};
}

std::expected<void, std::string> read_log(const EdgeLog& log, const TraceOptions& options,
                                          EdgePass& pass, uint64_t sample_every, Kept& kept,
                                          EntrySet& entries, Progress& progress) {
    std::vector<const LogFile*> files;
    for (const LogFile& file : log.files) files.push_back(&file);
    const std::vector<Portion> portions = portions_of(files);
    std::vector<Part> parts(portions.size());
    if (entries.has_given_up()) {
        for (Part& part : parts) part.entries.give_up();
    }
    side_by_side(portions.size(), options.threads, [&](size_t i) {
        read_portion(*files[portions[i].file], portions[i], log.format, parts[i], options,
                     sample_every, kept, progress);
    });
    size_t rays = pass.rays.size();
    for (const Part& part : parts) rays += part.rays.size();
    pass.rays.reserve(rays);
    LogReport report(LogReport::Role::edge, log.name,
                     std::string(edge_reader(log.format)->format()), files.size());
    std::vector<FileTimes::Piece> pieces;
    for (size_t i = 0; i < parts.size(); ++i) {
        if (!parts[i].error.empty()) return std::unexpected(parts[i].error);
        if (!parts[i].damage.empty()) {
            report.damage.push_back(files[portions[i].file]->name + ": " + parts[i].damage);
        }
        merge(pass, report, parts[i], pieces, entries);
    }
    report.coverage = Coverage::of(std::move(pieces), report.lines);
    pass.reports.push_back(std::move(report));
    return {};
}

std::expected<void, std::string> read_store(const TraceInput& input, const TraceOptions& options,
                                            EdgePass& pass, Kept& kept, EntrySet& entries) {
    Part part;
    PartTaker taker(part, options, 1, kept);
    const auto visited = input.edge_store([&](const EdgeEntryView& entry) { taker.take(entry); });
    if (!visited) return visited;
    if (part.sample.size() > kSampleRays) {
        // Every n-th of all, not the first ones: clocks drift.
        const uint64_t every = part.sample.size() / kSampleRays + 1;
        std::erase_if(part.sample,
                      [&](const SampleRay& one) { return !is_sampled(one.ray, every); });
    }
    LogReport report(LogReport::Role::edge, input.edge_store_name, "Edgecase records", 1);
    std::vector<FileTimes::Piece> pieces;
    merge(pass, report, part, pieces, entries);
    report.coverage = Coverage::of(std::move(pieces), report.lines);
    pass.reports.push_back(std::move(report));
    return {};
}

/// Logpush delivers at least once, and files of two jobs, or a file and the store, may overlap.
void drop_duplicates(EdgePass& pass, EntrySet& entries) {
    const auto failures = [&] {
        return static_cast<uint64_t>(std::ranges::count_if(pass.rays, failed<EdgeRay>));
    };
    const uint64_t all = pass.rays.size();
    const uint64_t all_failed = failures();
    std::ranges::sort(pass.rays, {}, [](const EdgeRay& ray) {
        return std::tuple(identity_of(ray), ray.edge_status, ray.start, ray.end);
    });
    const auto rest = std::ranges::unique(pass.rays, [](const EdgeRay& a, const EdgeRay& b) {
        const int64_t apart = std::max(a.resolution_us, b.resolution_us);
        const auto near = [&](LogTime x, LogTime y) {
            return x == y || (x != kNoTime && y != kNoTime && std::abs(x - y) <= apart);
        };
        return identity_of(a) == identity_of(b) && a.edge_status == b.edge_status &&
               near(a.start, b.start) && near(a.end, b.end);
    });
    pass.rays.erase(rest.begin(), rest.end());
    const uint64_t dropped = all - pass.rays.size();
    pass.failed -= std::min(pass.failed, all_failed - failures());
    pass.duplicates = std::max(dropped, entries.repeated().value_or(0));
    pass.requests -= std::min(pass.requests, pass.duplicates);
}

}  // namespace

bool is_failure(const EdgeEntryView& entry) {
    return failed(entry);
}

void Progress::add(uint64_t bytes) {
    if (!options_.progress) return;
    constexpr uint64_t kStep = 4u << 20;
    const uint64_t done = done_ += bytes;
    uint64_t shown = shown_;
    if (done - shown < kStep && done < total_) return;
    if (!shown_.compare_exchange_strong(shown, done)) return;
    const std::lock_guard lock(showing_);
    options_.progress(what_, done, total_);
}

std::expected<EdgePass, std::string> pass_over_edge(const TraceInput& input,
                                                    const TraceOptions& options) {
    EdgePass pass;
    uint64_t bytes = 0;
    uint64_t unpacked = 0;
    for (const EdgeLog& log : input.edge) {
        for (const LogFile& file : log.files) {
            bytes += file.bytes;
            unpacked += file.bytes * (file.packing == Packing::plain ? 1 : 15);
        }
    }
    const uint64_t about = unpacked / kTypicalEdgeLineBytes;
    const uint64_t every = about / kSampleRays + 1;
    Progress progress(options, "reading the edge's log", bytes);
    Kept kept = 0;
    EntrySet entries;
    if (about > EntrySet::kMaximum) entries.give_up();
    for (const EdgeLog& log : input.edge) {
        if (auto done = read_log(log, options, pass, every, kept, entries, progress); !done) {
            return std::unexpected(done.error());
        }
    }
    if (input.edge_store) {
        if (auto done = read_store(input, options, pass, kept, entries); !done) {
            return std::unexpected(done.error());
        }
    }
    drop_duplicates(pass, entries);
    std::ranges::sort(pass.rays, {}, &EdgeRay::start);
    if (pass.rays.size() > TraceResult::kMaximumRays) {
        pass.passed_over += pass.rays.size() - TraceResult::kMaximumRays;
        pass.rays.resize(TraceResult::kMaximumRays);
        pass.rays.shrink_to_fit();
    }
    return pass;
}

}  // namespace edgecase::logs
