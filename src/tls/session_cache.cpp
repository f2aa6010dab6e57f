#include "tls/session_cache.hpp"

namespace edgecase::tls {

SSL_SESSION* SessionCache::find(const std::string& key) {
    const auto found = sessions_.find(key);
    if (found == sessions_.end()) return nullptr;
    if (SSL_SESSION_is_resumable(found->second.get()) == 1) return found->second.get();
    sessions_.erase(found);
    return nullptr;
}

void SessionCache::keep(const std::string& key, Owned<SSL_SESSION> session) {
    // Any one may go: a session that is missed costs one full handshake.
    if (sessions_.size() >= kMaxSessions && !sessions_.contains(key)) {
        sessions_.erase(sessions_.begin());
    }
    sessions_.insert_or_assign(key, std::move(session));
}

}  // namespace edgecase::tls
