#include "admin/guard.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/ascii.hpp"
#include "base/hex.hpp"
#include "ip/endpoint.hpp"

namespace edgecase::admin {
namespace {

constexpr std::string_view kCookie = "edgecase_admin=";

/// A name that a site's owner points at this machine must not let its pages in (DNS rebinding).
bool names_this_machine(std::string_view host) {
    std::string_view name = host;
    if (const size_t port = name.rfind(':');
        port != std::string_view::npos && name.find(']', port) == std::string_view::npos) {
        name = name.substr(0, port);
    }
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    return base::iequals(name, "localhost") || ip::Address::parse(name);
}

std::string_view session_of(std::string_view cookies) {
    while (!cookies.empty()) {
        std::string_view one = cookies.substr(0, cookies.find(';'));
        cookies.remove_prefix(std::min(cookies.size(), one.size() + 1));
        while (one.starts_with(' ')) one.remove_prefix(1);
        if (one.starts_with(kCookie)) return one.substr(kCookie.size());
    }
    return {};
}

/// Errors: empty, when the kernel has no random bytes.
std::string new_session() {
    std::array<uint64_t, 4> random{};
    if (getrandom(random.data(), sizeof(random), 0) != static_cast<ssize_t>(sizeof(random))) {
        return {};
    }
    std::string text;
    for (const uint64_t part : random) {
        const auto digits = base::hex16(part);
        text.append(digits.data(), digits.size());
    }
    return text;
}

Response with_cookie(const std::string& value) {
    Response response{.status = 204, .type = "", .body = ""};
    response.fields.emplace_back("Set-Cookie", value);
    return response;
}

}  // namespace

bool equal_in_constant_time(std::string_view given, std::string_view secret) {
    // The length of what was given may be told, that of the secret not: it is walked as a ring.
    unsigned difference = given.size() == secret.size() ? 0 : 1;
    for (size_t i = 0; i < given.size(); ++i) {
        const char expected = secret.empty() ? '\0' : secret[i % secret.size()];
        difference |= static_cast<unsigned>(static_cast<unsigned char>(given[i] ^ expected));
    }
    return difference == 0;
}

std::optional<Response> Guard::refuse_page(const Request& request) const {
    if (!demands_token() && !names_this_machine(request.host)) {
        return Response::error(403, "ask by address or as localhost, not by another name");
    }
    // It could not read the answer, but it could keep the listener busy. A link may be followed.
    if (!demands_token() && request.fetch_site == "cross-site" &&
        request.path.starts_with("/api/")) {
        return Response::error(403, "another site's page may ask nothing here");
    }
    const bool changes = request.method != "GET" && request.method != "HEAD";
    if (!changes) return std::nullopt;
    // A form of another site's page can send a POST of other types, and its cookie is ours.
    if (request.method == "POST" && request.content_type != "application/json") {
        return Response::error(415, "the Content-Type must be application/json");
    }
    const std::string_view page = request.origin;
    if (!page.empty() && page != "http://" + request.host && page != "https://" + request.host) {
        return Response::error(403, "another site's page may change nothing here");
    }
    return std::nullopt;
}

bool Guard::admits(const Request& request, Time now) {
    if (!demands_token()) return true;
    constexpr std::string_view kBearer = "bearer ";
    const std::string_view field = request.authorization;
    const std::lock_guard lock(mutex_);
    if (base::iequals(field.substr(0, kBearer.size()), kBearer)) {
        if (is_shut_out(request.peer, now)) return false;
        const bool right = equal_in_constant_time(field.substr(kBearer.size()), token_);
        if (!right) ++failures_of(request.peer, now).count;
        return right;
    }
    const std::string_view session = session_of(request.cookie);
    if (session.empty()) return false;
    // Sessions are 256 random bits: how long the search takes tells nothing that helps to guess
    // one.
    const auto found = sessions_.find(session);
    return found != sessions_.end() && now < found->second;
}

/// Those of the last minute. Who has very many addresses shares one count with all new peers.
Guard::Failures& Guard::failures_of(std::string_view peer, Time now) {
    const auto is_over = [&](const auto& one) { return now - one.second.since >= kPause; };
    std::erase_if(failures_, is_over);
    const bool crowded = failures_.size() >= kMaximumPeers && !failures_.contains(peer);
    const auto [one, fresh] = failures_.try_emplace(crowded ? "(other)" : std::string(peer));
    if (fresh) one->second.since = now;
    return one->second;
}

bool Guard::is_shut_out(std::string_view peer, Time now) const {
    const auto found = failures_.find(peer);
    return found != failures_.end() && found->second.count >= kFailuresAMinute &&
           now - found->second.since < kPause;
}

Response Guard::log_in(std::string_view token, std::string_view peer, Time now) {
    const std::lock_guard lock(mutex_);
    Failures& failures = failures_of(peer, now);
    if (failures.count >= kFailuresAMinute) {
        return Response::error(429, "too many wrong tokens; try again in a minute");
    }
    if (!equal_in_constant_time(token, token_)) {
        ++failures.count;
        return Response::error(401, "that is not the token");
    }
    std::erase_if(sessions_, [&](const auto& one) { return one.second <= now; });
    if (sessions_.size() >= kMaximumSessions) {
        sessions_.erase(
            std::ranges::min_element(sessions_, {}, [](const auto& one) { return one.second; }));
    }
    const std::string session = new_session();
    if (session.empty()) return Response::error(503, "the system gave no random numbers");
    sessions_[session] = now + kSession;
    return with_cookie(std::string(kCookie) + session +
                       "; HttpOnly; SameSite=Strict; Path=/; Max-Age=" +
                       std::to_string(std::chrono::seconds(kSession).count()));
}

Response Guard::log_out(const Request& request) {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(session_of(request.cookie));
    if (found != sessions_.end()) sessions_.erase(found);
    return with_cookie(std::string(kCookie) + "; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
}

}  // namespace edgecase::admin
