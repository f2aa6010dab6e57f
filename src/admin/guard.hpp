// Owns who may ask: which names and pages, and what a token opens.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "admin/message.hpp"

namespace edgecase::admin {

class Guard {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// `token`: empty where none is demanded.
    explicit Guard(std::string token) : token_(std::move(token)) {}

    bool demands_token() const { return !token_.empty(); }

    /// Why the request may not be answered, whatever it asks for: a page of another site. Where a
    /// token is demanded any name will do, for a foreign page does not have the token.
    std::optional<Response> refuse_page(const Request& request) const;
    /// Whether token or session come with it, or none is demanded.
    bool admits(const Request& request, Time now);

    /// Of a right token: the session's cookie. A wrong one: 401, and after some 429 for that peer.
    Response log_in(std::string_view token, std::string_view peer, Time now);
    Response log_out(const Request& request);

  private:
    static constexpr std::chrono::hours kSession{12};
    static constexpr size_t kMaximumSessions = 256;
    static constexpr std::chrono::minutes kPause{1};
    static constexpr unsigned kFailuresAMinute = 10;  // of one peer
    static constexpr size_t kMaximumPeers = 1024;

    struct Failures {
        Time since{};
        unsigned count = 0;
    };
    Failures& failures_of(std::string_view peer, Time now);
    /// By its own wrong tokens: programs that show the right one must not suffer from very many
    /// others.
    bool is_shut_out(std::string_view peer, Time now) const;

    const std::string token_;
    std::mutex mutex_;
    std::map<std::string, Time, std::less<>> sessions_;      // until when
    std::map<std::string, Failures, std::less<>> failures_;  // by peer
};

/// Takes as long for a wrong text as for the right one.
bool equal_in_constant_time(std::string_view given, std::string_view secret);

}  // namespace edgecase::admin
