// Owns what an operator switched while the edge runs; set by the admin listener, read by all
// workers.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace edgecase::origin {

/// Whether an origin is offered HTTP/2.
enum class Http2Switch : uint8_t { configured, on, off };

class SwitchBoard {
  public:
    /// Clients are told with each answer that their connection ends, and readiness says no.
    std::atomic<bool> draining{false};

    /// Of the origin with that URL, `configured` at first; stays where it is.
    std::atomic<Http2Switch>& http2(const std::string& url) {
        const std::lock_guard lock(mutex_);
        return http2_[url];
    }

  private:
    std::mutex mutex_;
    std::map<std::string, std::atomic<Http2Switch>> http2_;  // origins of all configurations
};

}  // namespace edgecase::origin
