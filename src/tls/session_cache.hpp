// Owns the sessions that a client may resume, the newest of each origin.
#pragma once

#include <string>
#include <unordered_map>

#include "tls/openssl.hpp"

namespace edgecase::tls {

class SessionCache {
  public:
    static constexpr size_t kMaxSessions = 1024;  // some 3 KB each, with the origin's certificates

    /// Null when there is none, or only one that has run out.
    SSL_SESSION* find(const std::string& key);
    void keep(const std::string& key, Owned<SSL_SESSION> session);
    void drop(const std::string& key) { sessions_.erase(key); }
    size_t size() const { return sessions_.size(); }

  private:
    std::unordered_map<std::string, Owned<SSL_SESSION>> sessions_;
};

}  // namespace edgecase::tls
