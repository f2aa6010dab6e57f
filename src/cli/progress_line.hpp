// Owns the line of progress that is written over, while somebody watches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace edgecase::cli {

/// On standard error; cleared at the end.
class ProgressLine {
  public:
    /// A bar unless `total` is 0.
    void show(std::string_view what, uint64_t done, uint64_t total);
    ~ProgressLine();

  private:
    size_t longest_ = 0;
};

}  // namespace edgecase::cli
