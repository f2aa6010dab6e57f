#include "h1/rule.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "h1/byte_class.hpp"

namespace edgecase::h1 {
namespace {

using std::string_view_literals::operator""sv;

enum class Match : uint8_t { no, maybe, yes };  // maybe: right so far, too short

struct Signature {
    std::string_view bytes;
    Fingerprint fingerprint;
};

constexpr std::array kSignatures{
    Signature{"SSH-"sv, Fingerprint::ssh},
    Signature{"220 "sv, Fingerprint::smtp},
    Signature{"220-"sv, Fingerprint::smtp},
    Signature{"421 "sv, Fingerprint::smtp},
    Signature{"554 "sv, Fingerprint::smtp},
    Signature{"554-"sv, Fingerprint::smtp},
    Signature{"PRI * HTTP/2"sv, Fingerprint::h2},
    Signature{"PROXY TCP"sv, Fingerprint::proxy_protocol},
    Signature{"PROXY UNKNOWN"sv, Fingerprint::proxy_protocol},
    Signature{"\r\n\r\n\0\r\nQUIT\n"sv, Fingerprint::proxy_protocol},
};

uint8_t byte_at(std::string_view bytes, size_t at) {
    return static_cast<uint8_t>(bytes[at]);
}

Match match_prefix(std::string_view bytes, std::string_view wanted) {
    const size_t size = std::min(bytes.size(), wanted.size());
    if (bytes.substr(0, size) != wanted.substr(0, size)) return Match::no;
    return size == wanted.size() ? Match::yes : Match::maybe;
}

Match match_tls(std::string_view bytes) {
    // ContentType 20 to 24, legacy_record_version 3.0 to 3.4.
    if (!bytes.empty() && (byte_at(bytes, 0) < 20 || byte_at(bytes, 0) > 24)) return Match::no;
    if (bytes.size() > 1 && byte_at(bytes, 1) != 3) return Match::no;
    if (bytes.size() < 3) return Match::maybe;
    return byte_at(bytes, 2) <= 4 ? Match::yes : Match::no;
}

Match match_h2_frame(std::string_view bytes) {
    // What an HTTP/2 server says first: SETTINGS (4), or GOAWAY (7), on stream 0.
    for (size_t at = 0; at < std::min<size_t>(bytes.size(), 9); ++at) {
        const uint8_t byte = byte_at(bytes, at);
        const bool fits = at == 2   ? true
                          : at == 3 ? byte == 4 || byte == 7
                          : at == 4 ? byte <= 1
                                    : byte == 0;
        if (!fits) return Match::no;
    }
    return bytes.size() >= 9 ? Match::yes : Match::maybe;
}

Match match_html(std::string_view bytes) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    switch (match_prefix(bytes, kByteOrderMark)) {
        case Match::yes:
            bytes.remove_prefix(kByteOrderMark.size());
            break;
        case Match::maybe:
            return Match::maybe;
        case Match::no:
            break;
    }
    const size_t start = bytes.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) return Match::maybe;
    if (bytes[start] != '<') return Match::no;
    if (start + 1 == bytes.size()) return Match::maybe;
    const char next = bytes[start + 1];
    const bool letter = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
    return letter || next == '!' || next == '?' || next == '/' ? Match::yes : Match::no;
}

struct Matcher {
    Match (*match_by)(std::string_view bytes);
    Fingerprint fingerprint;
};

constexpr std::array kMatchers{Matcher{match_tls, Fingerprint::tls},
                               Matcher{match_h2_frame, Fingerprint::h2},
                               Matcher{match_html, Fingerprint::html}};

bool has_binary_byte(std::string_view bytes) {
    return std::ranges::any_of(bytes, [](char c) {
        return is_control(c) && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\x1b';
    });
}

/// Well-formed UTF-8 but for a sequence cut at the end; overlong forms do not matter here.
bool is_utf8(std::string_view bytes) {
    size_t continuation = 0;
    for (const char c : bytes) {
        const auto byte = static_cast<uint8_t>(c);
        if (continuation > 0) {
            if ((byte & 0xc0) != 0x80) return false;
            --continuation;
        } else if (byte >= 0x80) {
            if (byte < 0xc2 || byte > 0xf4) return false;
            continuation = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
        }
    }
    return true;
}

struct Guess {
    Fingerprint fingerprint = Fingerprint::none;
    bool may_change = false;
};

Guess known_protocol(std::string_view bytes) {
    bool maybe = false;
    for (const Signature& signature : kSignatures) {
        const Match match = match_prefix(bytes, signature.bytes);
        if (match == Match::yes) return {signature.fingerprint, false};
        maybe = maybe || match == Match::maybe;
    }
    for (const auto& [match_by, found] : kMatchers) {
        const Match match = match_by(bytes);
        if (match == Match::yes) return {found, false};
        maybe = maybe || match == Match::maybe;
    }
    return {Fingerprint::none, maybe};
}

}  // namespace

std::string_view to_string(Fingerprint fingerprint) {
    switch (fingerprint) {
        case Fingerprint::none:
            return "none";
        case Fingerprint::tls:
            return "tls";
        case Fingerprint::ssh:
            return "ssh";
        case Fingerprint::smtp:
            return "smtp";
        case Fingerprint::html:
            return "html";
        case Fingerprint::h2:
            return "h2";
        case Fingerprint::proxy_protocol:
            return "proxy_protocol";
        case Fingerprint::text:
            return "text";
        case Fingerprint::binary:
            return "binary";
    }
    return "none";
}

Fingerprint fingerprint(std::string_view bytes) {
    bytes = bytes.substr(0, kFingerprintBytes);
    const bool all = bytes.size() == kFingerprintBytes;
    const Guess guess = known_protocol(bytes);
    if (guess.fingerprint != Fingerprint::none) return guess.fingerprint;
    if (guess.may_change && !all) return Fingerprint::none;
    if (has_binary_byte(bytes)) return Fingerprint::binary;
    if (!all) return Fingerprint::none;
    return is_utf8(bytes) ? Fingerprint::text : Fingerprint::binary;
}

Fingerprint final_fingerprint(std::string_view bytes) {
    if (bytes.empty()) return Fingerprint::none;
    bytes = bytes.substr(0, kFingerprintBytes);
    const Guess guess = known_protocol(bytes);
    if (guess.fingerprint != Fingerprint::none) return guess.fingerprint;
    return has_binary_byte(bytes) || !is_utf8(bytes) ? Fingerprint::binary : Fingerprint::text;
}

}  // namespace edgecase::h1
