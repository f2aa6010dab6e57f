// Owns the passes of a trace over the logs, in the order they are made.
#pragma once

#include <atomic>
#include <expected>
#include <mutex>
#include <string>
#include <vector>

#include "logs/edge_ray.hpp"
#include "logs/ray_table.hpp"
#include "logs/trace.hpp"

namespace edgecase::logs {

/// Shows how far a pass has come; for several threads.
class Progress {
  public:
    Progress(const TraceOptions& options, std::string_view what, uint64_t total)
        : options_(options), what_(what), total_(total) {}
    void add(uint64_t bytes);

  private:
    const TraceOptions& options_;
    std::string_view what_;
    uint64_t total_;
    std::atomic<uint64_t> done_ = 0;
    std::atomic<uint64_t> shown_ = 0;
    std::mutex showing_;  // whoever shows it need not be for several threads
};

/// The times of a request that went well, to compare clocks by.
struct SampleRay {
    uint64_t ray;
    LogTime start;
    LogTime end;
};

struct EdgePass {
    std::vector<TextPool> texts;  // of the rays
    std::vector<EdgeRay> rays;    // the wanted ones, in order of time
    std::vector<SampleRay> sample;
    uint64_t requests = 0;
    uint64_t failed = 0;
    uint64_t duplicates = 0;  // among requests no more
    uint64_t passed_over = 0;
    std::vector<LogReport> reports;
};
std::expected<EdgePass, std::string> pass_over_edge(const TraceInput& input,
                                                    const TraceOptions& options);

/// A line that has the Ray ID of one of the wanted (index below rays.size()) or of the sample.
struct RayHit {
    uint32_t index;
    OriginLine line;
};
struct OriginPass {
    std::vector<RayHit> hits;
    SkewSample skew;
    std::vector<LogReport> reports;  // one for each log, in their order
};
std::expected<OriginPass, std::string> pass_over_origin(const TraceInput& input,
                                                        const TraceOptions& options,
                                                        const EdgePass& edge);

/// Finds the lines of logs without Ray IDs by what they say; fills `rays` and, if it was not known
/// before, `skew`. Gives the times of the edge's clock at which a line may be missing though it is
/// there.
std::expected<std::vector<FileTimes::Piece>, std::string> join_by_likeness(
    const TraceInput& input, const TraceOptions& options, const std::vector<size_t>& logs,
    std::vector<TracedRay>& rays, Skew& skew);

/// The events near the rays, which are in order of time.
std::expected<std::vector<Event>, std::string> pass_over_events(
    const TraceInput& input, const TraceOptions& options, const std::vector<TracedRay>& rays,
    const Skew& skew, int64_t zone_us, std::vector<LogReport>& reports, uint64_t& passed_over);

/// Gives each ray the events that say the most about it.
void assign_events(std::vector<TracedRay>& rays, std::vector<Event> events, const Skew& skew);

}  // namespace edgecase::logs
