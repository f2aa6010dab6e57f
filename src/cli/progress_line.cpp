#include "cli/progress_line.hpp"

#include <algorithm>
#include <string>

#include "cli/console.hpp"

namespace edgecase::cli {

void ProgressLine::show(std::string_view what, uint64_t done, uint64_t total) {
    std::string line = "\r" + std::string(what);
    if (total > 0) {
        constexpr size_t kWidth = 30;
        const size_t part = std::min<size_t>(kWidth, done * kWidth / total);
        line += " [" + std::string(part, '#') + std::string(kWidth - part, '.') + "] " +
                std::to_string(std::min<uint64_t>(100, done * 100 / total)) + " %";
    }
    longest_ = std::max(longest_, line.size());
    line.resize(longest_, ' ');
    note(line);
}

ProgressLine::~ProgressLine() {
    if (longest_ > 0) note("\r" + std::string(longest_, ' ') + "\r");
}

}  // namespace edgecase::cli
