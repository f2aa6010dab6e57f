// Owns the URL of an origin: scheme, host and port, nothing else.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace edgecase::http {

struct OriginUrl {
    enum class Scheme : uint8_t { http, https };
    Scheme scheme = Scheme::http;
    std::string host;  // a name or an address, IPv6 without brackets
    uint16_t port = 80;

    /// `http://HOST[:PORT][/]`. Errors: a sentence that says what is wrong.
    static std::expected<OriginUrl, std::string> parse(std::string_view text);
    std::string to_string() const;
    /// HOST[:PORT] as a Host field would carry it.
    std::string authority() const;
    bool operator==(const OriginUrl&) const = default;
};

}  // namespace edgecase::http
