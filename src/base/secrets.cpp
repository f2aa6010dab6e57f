#include "base/secrets.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.hpp"

namespace edgecase::base {
namespace {

constexpr size_t kMaximumDecodings = 3;   // a URI in a URI in a URI
constexpr size_t kMaximumNameBytes = 64;  // of a name that is kept
constexpr std::string_view kUserinfo = "userinfo";

// Hidden wherever they stand in a name of which only letters and digits count: `api_key` too.
constexpr auto kParts = std::to_array<std::string_view>(
    {"cookie",    "authoriz",   "authenticat", "token",     "secret",    "password",
     "passwd",    "passphrase", "passcode",    "pwd",       "session",   "sessid",
     "apikey",    "privatekey", "accesskey",   "authkey",   "sharedkey", "signingkey",
     "masterkey", "credential", "signature",   "jwt",       "saml",      "csrf",
     "xsrf",      "bearer",     "oauth",       "assertion", kUserinfo});
constexpr auto kFieldParts =
    std::to_array<std::string_view>({"cookie", "authoriz", "authenticat", "token", "secret",
                                     "password", "session", "apikey", "jwtassertion"});
// Hidden as a whole word of a name only: `X-Auth-Key` and `authKey` yes, `monkey` no.
constexpr auto kWords =
    std::to_array<std::string_view>({"key", "sig", "code", "auth", "pass", "pw", "sid", "otp",
                                     "totp", "pin", "hmac", "nonce", "ticket", "cred", "creds"});

constexpr bool is_one_of(char c, std::string_view set) {
    return set.find(c) != std::string_view::npos;
}

constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_word_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// A text and where each of its bytes came from; one place more than bytes.
struct Decoded {
    std::string text;
    std::vector<size_t> origin;
};

/// One layer of percent-encoding less; nothing if there is none.
std::optional<Decoded> decoded(const Decoded& from) {
    Decoded result;
    const std::string_view text = from.text;
    for (size_t i = 0; i < text.size(); ++i) {
        result.origin.push_back(from.origin[i]);
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low >= 0) i += 2;
        result.text += low >= 0 ? static_cast<char>(high * 16 + low) : text[i];
    }
    result.origin.push_back(from.origin.back());
    if (result.text.size() == text.size()) return std::nullopt;
    return result;
}

/// Calls `visit` with the text and with what lies below its layers of percent-encoding.
template <typename Visit>
void for_each_layer(std::string_view text, Visit visit) {
    Decoded layer{std::string(text), std::vector<size_t>(text.size() + 1)};
    for (size_t i = 0; i <= text.size(); ++i) layer.origin[i] = i;
    visit(layer);
    for (size_t i = 0; i < kMaximumDecodings; ++i) {
        std::optional<Decoded> next = decoded(layer);
        if (!next) return;
        layer = std::move(*next);
        visit(layer);
    }
}

/// Words of `name` are split at every byte that is no letter or digit and where camelCase steps up.
bool has_sensitive_word(std::string_view name) {
    std::string word;
    const auto ends_sensitive = [&] {
        while (!word.empty() && is_digit(word.back())) word.pop_back();  // key2
        const bool found = std::ranges::find(kWords, word) != kWords.end();
        word.clear();
        return found;
    };
    for (size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        const bool steps_up = c >= 'A' && c <= 'Z' && i > 0 && name[i - 1] >= 'a';
        if ((steps_up || !is_word_character(c)) && ends_sensitive()) return true;
        if (is_word_character(c)) word += lower(c);
    }
    return ends_sensitive();
}

bool is_sensitive_plain_name(std::string_view name) {
    std::string letters;
    std::string visible;  // a stray control byte may stand inside a word: `ke\x01y`
    for (const char c : name) {
        if (is_word_character(c)) letters += lower(c);
        if (c > ' ' && c <= '~') visible += c;
    }
    return std::ranges::any_of(kParts,
                               [&](std::string_view part) { return letters.contains(part); }) ||
           has_sensitive_word(name) || has_sensitive_word(visible);
}

/// `METHOD target`: what stands there may have blanks in it by mistake.
bool is_request_line(std::string_view line) {
    const size_t end = line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return end != 0 && end != std::string_view::npos && line[end] == ' ' && end + 1 < line.size() &&
           is_one_of(line[end + 1], "/h*");
}

/// Finds the secrets of one layer.
class Scanner {
  public:
    explicit Scanner(std::string_view text)
        : text_(text), is_request_line_(is_request_line(text)) {}

    std::vector<SecretSpan> scan() {
        scan_values();
        scan_userinfo();
        return std::move(spans_);
    }

  private:
    bool at_name_end(size_t at) const {
        if (text_[at] == '=') return true;
        return text_[at] == ':' && at > 0 && is_one_of(text_[at - 1], "\"'");
    }

    void scan_values() {
        size_t name_begin = 0;
        for (size_t at = 0; at < text_.size(); ++at) {
            const char c = text_[at];
            const std::string_view name = text_.substr(name_begin, at - name_begin);
            if (at_name_end(at) && is_sensitive_plain_name(name)) {
                const bool may_have_blank = c == ':' || name.ends_with(' ');
                const size_t begin =
                    may_have_blank ? std::min(text_.find_first_not_of(" \t", at + 1), text_.size())
                                   : at + 1;
                const size_t end = value_end(name_begin, begin);
                if (begin < end) spans_.push_back({name_begin, begin, end});
                name_begin = end;
                at = end - 1;
            } else if (is_one_of(c, "=?&;#/,:<>{}") || (is_blank(c) && !before_equals(at))) {
                name_begin = at + 1;
            }
        }
    }

    /// `password = x`: the blank belongs to the name.
    bool before_equals(size_t at) const {
        return text_[at] == ' ' && at + 1 < text_.size() && text_[at + 1] == '=';
    }

    /// Where the value that begins at `at` ends. Errs on the long side: bytes that may not stand in
    /// a value are there when it is looked at.
    size_t value_end(size_t name_begin, size_t at) const {
        const size_t quote = at < text_.size() && text_[at] == '\\' ? at + 1 : at;  // escaped
        if (quote < text_.size() && is_one_of(text_[quote], "\"'")) return quoted_end(quote);
        const bool in_path = name_begin > 0 && text_[name_begin - 1] == ';' &&
                             !text_.substr(0, name_begin).contains('?');
        for (; at < text_.size(); ++at) {
            const char c = text_[at];
            if (is_one_of(c, "&#\r\n") || (in_path && is_one_of(c, "/?"))) return at;
            if (c == ';' && opens_parameter(at + 1)) return at;
            if (is_blank(c) && (!is_request_line_ || text_.substr(at + 1).starts_with("HTTP/"))) {
                return at;
            }
        }
        return at;
    }

    size_t quoted_end(size_t quote) const {
        for (size_t at = quote + 1; at < text_.size(); ++at) {
            if (text_[at] == text_[quote] && text_[at - 1] != '\\') return at + 1;
            if (text_[at] == '\n') return at;
        }
        return text_.size();
    }

    /// `;` ends a value only if another parameter follows: it may be part of a password.
    bool opens_parameter(size_t at) const {
        const size_t end = text_.find_first_of("=;&#?/ \r\n", at);
        return end != std::string_view::npos && end > at && text_[end] == '=';
    }

    void scan_userinfo() {
        for (size_t at = text_.find("//"); at != std::string_view::npos;
             at = text_.find("//", at)) {
            at += 2;
            add_userinfo(at, true);
        }
        // A Host header, the target of CONNECT, or a text that is nothing but an authority.
        size_t authority = 0;
        if (iequals(text_.substr(0, 5), "host:")) {
            authority = 5;
        } else if (iequals(text_.substr(0, 8), "connect ")) {
            authority = 8;
        }
        while (authority < text_.size() && is_blank(text_[authority])) ++authority;
        const bool alone = authority > 0 || text_.find_first_of(" \t\r\n") == text_.npos;
        if (alone && authority < text_.size() && !is_scheme(authority)) {
            add_userinfo(authority, true);
        }
        for (size_t at = 0; at < text_.size(); ++at) {
            if (at == 0 || is_one_of(text_[at - 1], " \t\r\n\"'<(")) add_userinfo(at, false);
        }
    }

    bool is_scheme(size_t at) const {
        const size_t colon = text_.find_first_of(":/?#", at);
        return colon != std::string_view::npos && text_.substr(colon).starts_with("://");
    }

    /// Where an authority is certain, a colon that opens no port opens a password whose `@` was cut
    /// off; elsewhere it takes both, or every mail address would be hidden.
    void add_userinfo(size_t begin, bool certain) {
        const size_t end = std::min(text_.find_first_of("/?# \t\r\n\"<>", begin), text_.size());
        const std::string_view authority = text_.substr(begin, end - begin);
        const size_t at_sign = authority.rfind('@');
        const size_t colon = authority.find(':');
        size_t hidden = at_sign;
        if (at_sign == std::string_view::npos) {
            if (!certain || is_host_and_port(authority)) return;
            hidden = last_at_sign(begin);  // behind a `/` in the password
            if (hidden == std::string_view::npos) hidden = authority.size();
        } else if (!certain && colon > at_sign) {
            return;
        }
        if (hidden > 0) spans_.push_back({begin, begin, begin + hidden});
    }

    /// The last `@` of the word around `begin`, counted from there. Each word is searched once.
    size_t last_at_sign(size_t begin) {
        if (begin >= word_end_) {
            word_end_ = std::min(text_.find_first_of(" \t\r\n", begin), text_.size());
            word_at_sign_ = text_.substr(0, word_end_).find_last_of("@ \t\r\n");
        }
        const bool found = word_at_sign_ != std::string_view::npos && word_at_sign_ >= begin &&
                           text_[word_at_sign_] == '@';
        return found ? word_at_sign_ - begin : std::string_view::npos;
    }

    static bool is_host_and_port(std::string_view authority) {
        const size_t colon = authority.find(':');
        if (colon == std::string_view::npos || authority.starts_with('[')) return true;
        const std::string_view port = authority.substr(colon + 1);
        const size_t digits = std::min(port.find_first_not_of("0123456789"), port.size());
        if (digits <= 5 && (digits == port.size() || port[digits] < ' ')) return true;
        // An IPv6 address without brackets.
        return port.contains(':') &&
               authority.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
    }

    std::string_view text_;
    bool is_request_line_;
    size_t word_end_ = 0;
    size_t word_at_sign_ = 0;
    std::vector<SecretSpan> spans_;
};

}  // namespace

bool is_sensitive_name(std::string_view name) {
    bool found = false;
    for_each_layer(
        name, [&](const Decoded& layer) { found = found || is_sensitive_plain_name(layer.text); });
    return found;
}

bool is_sensitive_field(std::string_view name) {
    std::string letters;
    for (const char c : name) {
        if (is_word_character(c)) letters += lower(c);
    }
    return std::ranges::any_of(kFieldParts,
                               [&](std::string_view part) { return letters.contains(part); });
}

std::vector<SecretSpan> secret_spans(std::string_view line) {
    std::vector<SecretSpan> found;
    for_each_layer(line, [&](const Decoded& layer) {
        for (const SecretSpan& span : Scanner(layer.text).scan()) {
            found.push_back(
                {layer.origin[span.name_begin], layer.origin[span.begin], layer.origin[span.end]});
        }
    });
    std::ranges::sort(found, {}, &SecretSpan::begin);
    std::vector<SecretSpan> apart;
    for (const SecretSpan& span : found) {
        if (!apart.empty() && span.begin <= apart.back().end) {
            apart.back().end = std::max(apart.back().end, span.end);
            apart.back().name_begin = std::min(apart.back().name_begin, span.name_begin);
        } else {
            apart.push_back(span);
        }
    }
    return apart;
}

std::string without_secrets(std::string_view line) {
    std::string result;
    size_t at = 0;
    for (const SecretSpan& span : secret_spans(line)) {
        result.append(line.substr(at, span.begin - at)).append("[redacted]");
        at = span.end;
    }
    return result.append(line.substr(at));
}

std::string open_secret(std::string_view line, size_t at) {
    for (const SecretSpan& span : secret_spans(line)) {
        if (span.name_begin >= at || span.end < at) continue;
        const size_t name_end = span.begin > span.name_begin ? span.begin - 1 : span.begin;
        const std::string_view name = line.substr(span.name_begin, name_end - span.name_begin);
        if (name.empty()) return std::string(kUserinfo);
        const bool fits = name.size() <= kMaximumNameBytes && is_sensitive_name(name) &&
                          name.find_first_of("=&?") == std::string_view::npos;
        return fits ? std::string(name) : "secret";
    }
    return {};
}

}  // namespace edgecase::base
