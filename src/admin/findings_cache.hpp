// Owns the findings that the admin listener shows: computed beside it, not while somebody waits.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "admin/message.hpp"
#include "record/source.hpp"

namespace edgecase::admin {

using OpenSource = std::function<std::expected<std::unique_ptr<record::Source>, std::string>()>;

class FindingsCache {
  public:
    /// So far back they look, and at so many records of each kind at most.
    static constexpr std::chrono::hours kSpan{1};
    static constexpr size_t kMaximumRecords = 200'000;
    /// What is older is computed anew when it is asked for.
    static constexpr std::chrono::seconds kFresh{30};
    /// Whoever asks first waits so long.
    static constexpr std::chrono::seconds kPatience{5};

    explicit FindingsCache(OpenSource open);
    FindingsCache(const FindingsCache&) = delete;
    FindingsCache& operator=(const FindingsCache&) = delete;
    ~FindingsCache();

    /// The last result, at once; a stale one is renewed behind its back.
    Response answer();

  private:
    void run(const std::stop_token& stop);

    OpenSource open_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    bool wanted_ = false;
    Response last_;
    std::chrono::steady_clock::time_point computed_{};
    bool has_result_ = false;  // a good one
    uint64_t rounds_ = 0;      // computed, well or not
    std::jthread thread_;      // last: it uses the others
};

}  // namespace edgecase::admin
