// Owns texts that are kept as long as a trace, one copy of each.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace edgecase::logs {

/// The views it gives live as long as it does, wherever it is moved to.
class TextPool {
  public:
    /// A view of the same text that stays. Requests of one site repeat most of their texts.
    std::string_view keep(std::string_view text) {
        if (text.empty()) return {};
        if (const auto known = known_.find(text); known != known_.end()) return *known;
        const std::string_view kept = copy(text);
        known_.insert(kept);
        return kept;
    }

    /// No more texts will come: what finds equal ones is given up.
    void close() { known_ = {}; }

  private:
    static constexpr size_t kFirstChunkBytes = 1024;
    static constexpr size_t kChunkBytes = 64 * 1024;

    std::string_view copy(std::string_view text) {
        if (free_ < text.size()) {
            next_chunk_ = std::min(2 * next_chunk_, kChunkBytes);
            free_ = std::max(next_chunk_, text.size());
            chunks_.push_back(std::make_unique_for_overwrite<char[]>(free_));
            at_ = chunks_.back().get();
        }
        std::memcpy(at_, text.data(), text.size());
        const std::string_view kept(at_, text.size());
        at_ += text.size();
        free_ -= text.size();
        return kept;
    }

    std::unordered_set<std::string_view> known_;
    std::vector<std::unique_ptr<char[]>> chunks_;
    char* at_ = nullptr;
    size_t free_ = 0;
    size_t next_chunk_ = kFirstChunkBytes / 2;
};

}  // namespace edgecase::logs
