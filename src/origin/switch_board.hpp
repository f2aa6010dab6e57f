// Owns what the admin listener and the workers share: what an operator switched while the edge
// runs, and what each worker shows of its origins.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "origin/figures.hpp"

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

    /// For one worker's connections to the origin with that URL; gone with the worker.
    std::shared_ptr<Figures> make_figures(const std::string& url) {
        auto figures = std::make_shared<Figures>();
        const std::lock_guard lock(mutex_);
        std::erase_if(figures_, [](const auto& one) { return one.second.expired(); });
        figures_.emplace(url, figures);
        return figures;
    }
    /// Of every worker that there is now.
    std::vector<std::shared_ptr<const Figures>> figures(const std::string& url) {
        std::vector<std::shared_ptr<const Figures>> found;
        const std::lock_guard lock(mutex_);
        const auto [begin, end] = figures_.equal_range(url);
        for (auto one = begin; one != end; ++one) {
            if (auto figures = one->second.lock()) found.push_back(std::move(figures));
        }
        return found;
    }

  private:
    std::mutex mutex_;
    std::multimap<std::string, std::weak_ptr<Figures>> figures_;
    std::map<std::string, std::atomic<Http2Switch>> http2_;  // origins of all configurations
};

}  // namespace edgecase::origin
