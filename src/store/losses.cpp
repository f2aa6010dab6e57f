#include "store/losses.hpp"

#include <string_view>
#include <utility>

#include "store/block_queue.hpp"
#include "store/outage.hpp"

namespace edgecase::store {
namespace {

std::string counted(uint64_t count, std::string_view what) {
    return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

}  // namespace

uint64_t Losses::due(Kind& kind, uint64_t total, bool ending, Time now) {
    if (total == kind.said || (now < kind.next_line && !ending)) return 0;
    kind.next_line = now + kLogInterval;
    return total - std::exchange(kind.said, total);
}

std::vector<std::string> Losses::lines(const Totals& lost, const Situation& situation, Time now) {
    const bool ending = situation.ending;
    std::vector<std::string> lines;
    if (const auto count = due(queued_cases_, lost.queued_cases, ending, now)) {
        lines.push_back("LOST " + counted(count, "case") + ": the queue of cases is full (" +
                        std::to_string(situation.queue_cases) + " cases or " +
                        std::to_string(kMaximumCaseBytes >> 20) + " MiB at most); " +
                        (situation.failing ? situation.trouble : "the disk cannot keep up"));
    }
    if (const auto count = due(unreadable_, lost.unreadable, ending, now)) {
        lines.push_back("LOST " + counted(count, "case") +
                        ": what was recorded cannot be read back, which is a bug of Edgecase");
    }
    if (const auto count = due(unwritten_cases_, lost.unwritten_cases, ending, now)) {
        lines.push_back("LOST " + counted(count, "case") + " at the end: " + situation.trouble);
    }
    // While it fails, that line says that successes are not recorded, and the one after it how
    // many.
    if (situation.failing && !ending) return lines;
    if (const auto count = due(unwritten_successes_, lost.unwritten_successes, ending, now)) {
        lines.push_back("dropped " + counted(count, "success record") + ": " + situation.trouble);
    }
    if (const auto count = due(queued_successes_, lost.queued_successes, ending, now)) {
        lines.push_back(
            "dropped " + counted(count, "success record") +
            (situation.failing ? ": " + situation.trouble : " to keep up; cases are kept"));
    }
    return lines;
}

std::string Losses::outage_ended(const Totals& lost) {
    const uint64_t successes = lost.queued_successes - before_.queued_successes +
                               lost.unwritten_successes - before_.unwritten_successes;
    const uint64_t cases = lost.queued_cases - before_.queued_cases;
    queued_successes_.said = lost.queued_successes;
    unwritten_successes_.said = lost.unwritten_successes;
    queued_cases_.said = lost.queued_cases;
    return counted(successes, "success record") + " and " + counted(cases, "case") + " were lost";
}

}  // namespace edgecase::store
