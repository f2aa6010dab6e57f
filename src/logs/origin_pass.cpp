#include <algorithm>
#include <cstring>

#include "base/hex.hpp"
#include "logs/log_time.hpp"
#include "logs/passes.hpp"
#include "logs/template_format.hpp"

namespace edgecase::logs {
namespace {

// Around the time of the one ray that is looked for, every line's time is read.
constexpr int64_t kNearUs = 600'000'000;

struct Part {
    std::vector<RayHit> hits;
    FileTimes times;
    Unread unread;
    uint64_t lines = 0;
    uint64_t lines_without_ray = 0;
    bool has_rays = false;
    std::string damage;
    std::string error;
};

class PortionReader {
  public:
    PortionReader(const AccessLog& log, size_t log_index, const RayTable& table, Part& part)
        : log_index_(log_index), table_(table), part_(part), reader_(log.format->reader()) {}

    /// What the head of the file says of its format.
    void begin(const LogFile& file, const Portion& portion) {
        if (portion.from == 0) return;
        for (const std::string_view line : file.sample_lines()) {
            EntryView entry;
            if (reader_->read(line, entry) != Parsed::nothing) return;
        }
    }

    void take(std::string_view line) {
        entry_.time = kNoTime;
        entry_.ray = 0;
        const Parsed parsed = reader_->read_time_and_ray(line, entry_);
        if (parsed == Parsed::failed) take_unread(line);
        if (parsed != Parsed::entry) return;
        ++part_.lines;
        part_.times.add(entry_.time);
        if (entry_.ray == 0) {
            ++part_.lines_without_ray;
            return;
        }
        part_.has_rays = true;
        const uint32_t index = table_.find(entry_.ray);
        if (index == RayTable::kAbsent) return;
        const LogTime time = entry_.time;
        entry_ = {};
        if (reader_->read(line, entry_) != Parsed::entry) {
            // It is the line all the same: its Ray ID and its time could be read.
            part_.unread.add(line);
            --part_.lines;
            entry_ = {};
            entry_.time = time;
        }
        part_.hits.push_back({index, OriginLine::of(entry_, line, log_index_)});
    }

    /// For one ray alone. `near`: about when.
    void take_block_for_one(std::string_view block, std::string_view needle, LogTime near) {
        const auto line_around = [&](size_t at) {
            const size_t begin = at == 0 ? 0 : block.rfind('\n', at - 1) + 1;
            return block.substr(begin, block.find('\n', at) - begin);
        };
        const LogTime first = time_of(line_around(0));
        const LogTime last = time_of(line_around(block.size() - 1));
        const bool is_near = first != kNoTime && last != kNoTime && near != kNoTime &&
                             first <= near + kNearUs && last >= near - kNearUs;
        if (is_near ||
            memmem(block.data(), block.size(), needle.data(), needle.size()) != nullptr) {
            for_each_line(block, [&](std::string_view line) { take(line); });
            return;
        }
        part_.lines += static_cast<uint64_t>(std::ranges::count(block, '\n'));
        part_.times.add(first);
        part_.times.bridge(last);
    }

  private:
    /// A wanted Ray ID in a line that cannot be read shows that the request did arrive.
    void take_unread(std::string_view line) {
        part_.unread.add(line);
        constexpr size_t kRayDigits = 16;
        const auto is_hex = [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        };
        for (size_t begin = 0; begin < line.size();) {
            size_t end = begin;
            while (end < line.size() && is_hex(line[end])) ++end;
            if (end - begin == kRayDigits) {
                const uint32_t index = table_.find(ray_of(line.substr(begin, kRayDigits)));
                if (index != RayTable::kAbsent) {
                    part_.hits.push_back({index, OriginLine::of({}, line, log_index_)});
                    return;
                }
            }
            begin = end + 1;
        }
    }

    LogTime time_of(std::string_view line) {
        entry_ = {};
        if (reader_->read_time_and_ray(line, entry_) != Parsed::entry) return kNoTime;
        part_.has_rays = part_.has_rays || entry_.ray != 0;
        return entry_.time;
    }

    size_t log_index_;
    const RayTable& table_;
    Part& part_;
    std::unique_ptr<AccessReader> reader_;
    EntryView entry_;
};

struct Job {
    const AccessLog& log;
    size_t log_index;
    const RayTable& table;
    const TraceOptions& options;
    LogTime near;  // of the one ray that is looked for
    Progress& progress;
};

void read_portion(const Job& job, const LogFile& file, const Portion& portion, Part& part) {
    auto source = open_portion(file, portion);
    if (!source) {
        part.error = source.error();
        return;
    }
    PortionReader reader(job.log, job.log_index, job.table, part);
    reader.begin(file, portion);
    const auto needle = base::hex16(job.options.ray.value_or(0));
    const bool for_one = job.options.ray && job.near != kNoTime;
    uint64_t taken = 0;
    for (;;) {
        const auto block = (*source)->next();
        if (!block) {
            part.error = block.error();
            return;
        }
        job.progress.add((*source)->bytes_taken() - taken);
        taken = (*source)->bytes_taken();
        if (block->empty()) break;
        if (for_one) {
            reader.take_block_for_one(*block, {needle.data(), needle.size()}, job.near);
        } else {
            for_each_line(*block, [&](std::string_view line) { reader.take(line); });
        }
    }
    part.damage = (*source)->damage();
}

std::expected<LogReport, std::string> read_log(const Job& job, OriginPass& pass) {
    std::vector<const LogFile*> files;
    for (const LogFile& file : job.log.files) files.push_back(&file);
    const std::vector<Portion> portions = portions_of(files);
    std::vector<Part> parts(portions.size());
    side_by_side(portions.size(), job.options.threads, [&](size_t i) {
        read_portion(job, *files[portions[i].file], portions[i], parts[i]);
    });
    LogReport report(LogReport::Role::origin, job.log.name, std::string(job.log.format->name()),
                     files.size());
    std::vector<FileTimes::Piece> pieces;
    for (size_t i = 0; i < parts.size(); ++i) {
        Part& part = parts[i];
        if (!part.error.empty()) return std::unexpected(part.error);
        if (!part.damage.empty()) {
            report.damage.push_back(files[portions[i].file]->name + ": " + part.damage);
        }
        report.lines += part.lines;
        report.unread.add(part.unread);
        report.has_rays = report.has_rays || part.has_rays;
        report.lines_without_ray += part.lines_without_ray;
        std::ranges::copy(part.times.pieces(), std::back_inserter(pieces));
        std::ranges::move(part.hits, std::back_inserter(pass.hits));
        part = {};
    }
    report.coverage = Coverage::of(std::move(pieces), report.lines);
    return report;
}

}  // namespace

std::expected<OriginPass, std::string> pass_over_origin(const TraceInput& input,
                                                        const TraceOptions& options,
                                                        const EdgePass& edge) {
    OriginPass pass;
    RayTable table(edge.rays.size() + edge.sample.size());
    uint32_t index = 0;
    for (const EdgeRay& ray : edge.rays) table.add(ray.ray, index++);
    for (const SampleRay& ray : edge.sample) table.add(ray.ray, index++);
    uint64_t bytes = 0;
    for (const AccessLog& log : input.origin) {
        for (const LogFile& file : log.files) bytes += file.bytes;
    }
    Progress progress(options, "reading the origin's log", bytes);
    const LogTime near = options.ray && !edge.rays.empty() ? edge.rays.front().start : kNoTime;
    for (size_t i = 0; i < input.origin.size(); ++i) {
        auto report = read_log({input.origin[i], i, table, options, near, progress}, pass);
        if (!report) return std::unexpected(report.error());
        pass.reports.push_back(std::move(*report));
    }
    for (const RayHit& hit : pass.hits) {
        if (hit.line.time == kNoTime) continue;
        const bool wanted = hit.index < edge.rays.size();
        const LogTime start =
            wanted ? edge.rays[hit.index].start : edge.sample[hit.index - edge.rays.size()].start;
        const LogTime end =
            wanted ? edge.rays[hit.index].end : edge.sample[hit.index - edge.rays.size()].end;
        const LogTime at = hit.line.moment == Moment::start || end == kNoTime ? start : end;
        pass.skew.add(at, hit.line.time + hit.line.resolution_us / 2);
    }
    std::erase_if(pass.hits, [&](const RayHit& hit) { return hit.index >= edge.rays.size(); });
    return pass;
}

}  // namespace edgecase::logs
