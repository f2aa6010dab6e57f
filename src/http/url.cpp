#include "http/url.hpp"

#include <algorithm>
#include <charconv>

#include "base/ascii.hpp"

namespace edgecase::http {
namespace {

bool is_host_byte(char c) {
    const char l = base::lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

std::unexpected<std::string> wrong(std::string_view text, std::string_view why) {
    return std::unexpected("\"" + std::string(text) +
                           "\" is not an origin URL: " + std::string(why));
}

}  // namespace

std::expected<OriginUrl, std::string> OriginUrl::parse(std::string_view text) {
    OriginUrl url;
    std::string_view rest = text;
    if (rest.starts_with("http://")) {
        rest.remove_prefix(7);
    } else if (rest.starts_with("https://")) {
        rest.remove_prefix(8);
        url.scheme = Scheme::https;
        url.port = 443;
    } else {
        return wrong(text, "it must begin with http:// or https://");
    }
    if (rest.ends_with('/')) rest.remove_suffix(1);
    if (rest.contains('/') || rest.contains('?') || rest.contains('#')) {
        return wrong(text, "a path is not allowed here; requests keep their own");
    }
    if (rest.contains('@')) return wrong(text, "user names and passwords are not supported");
    std::string_view port;
    if (rest.starts_with('[')) {
        const size_t close = rest.find(']');
        if (close == std::string_view::npos) return wrong(text, "']' is missing");
        url.host = rest.substr(1, close - 1);
        rest.remove_prefix(close + 1);
        if (!rest.empty() && !rest.starts_with(':')) return wrong(text, "':' expected after ']'");
        if (!rest.empty()) port = rest.substr(1);
        if (rest == ":") return wrong(text, "the port is empty");
    } else {
        const size_t colon = rest.find(':');
        url.host = rest.substr(0, colon);
        if (!std::ranges::all_of(url.host, is_host_byte)) {
            return wrong(text, "the host name has a character that is not allowed");
        }
        if (colon != std::string_view::npos) {
            port = rest.substr(colon + 1);
            if (port.empty()) return wrong(text, "the port is empty");
        }
    }
    if (url.host.empty()) return wrong(text, "the host is empty");
    if (!port.empty()) {
        const char* const end = port.data() + port.size();
        const auto [at, error] = std::from_chars(port.data(), end, url.port);
        if (error != std::errc() || at != end || url.port == 0) {
            return wrong(text, "the port must be a number from 1 to 65535");
        }
    }
    return url;
}

std::string OriginUrl::authority() const {
    const std::string name = host.contains(':') ? "[" + host + "]" : host;
    const uint16_t usual = scheme == Scheme::https ? 443 : 80;
    return port == usual ? name : name + ":" + std::to_string(port);
}

std::string OriginUrl::to_string() const {
    return (scheme == Scheme::https ? "https://" : "http://") + authority();
}

}  // namespace edgecase::http
