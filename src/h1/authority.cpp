#include "h1/authority.hpp"

#include <cstddef>
#include <string_view>

#include "h1/byte_class.hpp"

namespace edgecase::h1 {
namespace {

constexpr ByteClass make_name_bytes() {
    ByteClass table{};
    for (size_t c = '0'; c <= '9'; ++c) table[c] = true;
    for (size_t c = 'a'; c <= 'z'; ++c) table[c] = true;
    for (size_t c = 'A'; c <= 'Z'; ++c) table[c] = true;
    for (const char c : std::string_view("-._~")) table[static_cast<size_t>(c)] = true;
    return table;
}

constexpr ByteClass make_ipv6_bytes() {
    ByteClass table{};
    for (const char c : std::string_view("0123456789abcdefABCDEF:.")) {
        table[static_cast<size_t>(c)] = true;
    }
    return table;
}

constexpr ByteClass kNameBytes = make_name_bytes();
constexpr ByteClass kIpv6Bytes = make_ipv6_bytes();

constexpr size_t kMinIpv6Bytes = 2;   // ::
constexpr size_t kMaxIpv6Bytes = 45;  // six groups and a full IPv4 address

AuthorityCheck bad(size_t offset) {
    return {.ok = false, .bad_offset = offset};
}

AuthorityCheck check_port(std::string_view text, size_t colon) {
    unsigned port = 0;
    size_t at = colon + 1;
    for (; at < text.size(); ++at) {
        if (text[at] < '0' || text[at] > '9') return bad(at);
        port = port * 10 + static_cast<unsigned>(text[at] - '0');
        if (port > 65535) return bad(at);
    }
    return at == colon + 1 ? bad(at) : AuthorityCheck{};
}

}  // namespace

AuthorityCheck check_authority(std::string_view text, PortNeed port) {
    size_t host_end = 0;
    if (text.starts_with('[')) {
        const size_t close = skip_class(kIpv6Bytes, text, 1, text.size());
        const size_t size = close - 1;
        if (close == text.size() || text[close] != ']') return bad(close);
        if (size < kMinIpv6Bytes || size > kMaxIpv6Bytes ||
            text.substr(1, size).find(':') == std::string_view::npos) {
            return bad(1);
        }
        host_end = close + 1;
    } else {
        host_end = skip_class(kNameBytes, text, 0, text.size());
        if (host_end == 0) return bad(0);
    }
    if (host_end == text.size()) {
        return port == PortNeed::required ? bad(host_end) : AuthorityCheck{};
    }
    return text[host_end] == ':' ? check_port(text, host_end) : bad(host_end);
}

}  // namespace edgecase::h1
