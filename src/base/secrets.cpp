#include "base/secrets.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

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
    std::to_array<std::string_view>({"key", "sig", "auth", "pass", "pw", "sid", "otp", "totp",
                                     "pin", "hmac", "nonce", "ticket", "cred", "creds"});

// Joined to their values without a blank too.
constexpr auto kKnownFields = std::to_array<std::string_view>(
    {"Cookie", "Set-Cookie", "Authorization", "Proxy-Authorization", "X-Api-Key"});

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

bool holds_any(std::string_view letters, std::span<const std::string_view> parts) {
    return std::ranges::any_of(parts,
                               [&](std::string_view part) { return letters.contains(part); });
}

std::string letters_of(std::string_view name) {
    std::string letters;
    for (const char c : name) {
        if (is_word_character(c)) letters += lower(c);
    }
    return letters;
}

bool is_sensitive_plain_name(std::string_view name) {
    std::string visible;  // a stray control byte may stand inside a word: `ke\x01y`
    for (const char c : name) {
        if (c > ' ' && c <= '~') visible += c;
    }
    return holds_any(letters_of(name), kParts) || has_sensitive_word(name) ||
           has_sensitive_word(visible);
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
        : text_(text), is_request_line_(is_request_line(text)), question_(text.find('?')) {}

    std::vector<SecretSpan> scan() {
        scan_values();
        scan_userinfo();
        return std::move(spans_);
    }

  private:
    /// How a name is joined to its value.
    enum class Join : uint8_t {
        none,
        equals,  // `token=S`, `token = S`
        json,    // `"token": "S"`
        field,   // `Cookie: S`, `'token' => S`
    };

    Join join_at(size_t at, std::string_view name) const {
        if (text_[at] == '=') {
            const bool is_arrow = at + 1 < text_.size() && text_[at + 1] == '>';
            return is_arrow ? Join::field : Join::equals;
        }
        if (text_[at] != ':' || at == 0) return Join::none;
        if (is_one_of(text_[at - 1], "\"'")) return Join::json;
        const bool before_blank =
            at + 1 < text_.size() && is_one_of(text_[at + 1], " \t") && !name.empty();
        const bool is_known = std::ranges::any_of(
            kKnownFields, [&](std::string_view field) { return iequals(name, field); });
        return before_blank || is_known ? Join::field : Join::none;
    }

    /// Whether what is joined so to a name of that kind is hidden.
    bool is_secret(Join join, std::string_view name, size_t name_begin) const {
        if (join == Join::none) return false;
        if (join == Join::field && text_[name_begin + name.size()] == ':') {
            // Of people's words only some: `key: value`, `auth: failed` are none.
            return holds_any(letters_of(name), kParts) ||
                   (name.find_first_of("-_") != std::string_view::npos && has_sensitive_word(name));
        }
        if (is_sensitive_plain_name(name)) return true;
        // OAuth's code comes in a query; anywhere else a code says what happened.
        if (join != Join::equals || !iequals(name, "code")) return false;
        if (name_begin == 0) return text_.find(' ') == std::string_view::npos;
        return is_one_of(text_[name_begin - 1], "?&#");
    }

    void scan_values() {
        size_t name_begin = 0;
        for (size_t at = 0; at < text_.size(); ++at) {
            const char c = text_[at];
            const std::string_view name = text_.substr(name_begin, at - name_begin);
            const Join join = c == '=' || c == ':' ? join_at(at, name) : Join::none;
            if (is_secret(join, name, name_begin)) {
                const size_t after = join == Join::field && c == '=' ? at + 2 : at + 1;
                const bool may_have_blank = join != Join::equals || name.ends_with(' ');
                const size_t begin =
                    may_have_blank ? std::min(text_.find_first_not_of(" \t", after), text_.size())
                                   : after;
                const size_t end = value_end(join, name_begin, name, begin);
                if (begin < end && !is_yes_or_no(begin)) spans_.push_back({name_begin, begin, end});
                name_begin = end;
                at = std::max(end, at + 1) - 1;
            } else if (is_one_of(c, "=?&;#/,:<>{}") || (is_blank(c) && !before_equals(at))) {
                name_begin = at + 1;
            }
        }
    }

    /// `(using password: YES)`: how a database refuses.
    bool is_yes_or_no(size_t at) const {
        const std::string_view rest = text_.substr(at);
        return rest.starts_with("YES)") || rest.starts_with("NO)");
    }

    /// `password = x`: the blank belongs to the name.
    bool before_equals(size_t at) const {
        return text_[at] == ' ' && at + 1 < text_.size() && text_[at + 1] == '=';
    }

    /// Where the value that begins at `at` ends. Errs on the long side: bytes that may not stand in
    /// a value are there when it is looked at.
    size_t value_end(Join join, size_t name_begin, std::string_view name, size_t at) const {
        size_t quote = at;  // may be escaped, once or more
        while (quote < text_.size() && text_[quote] == '\\') ++quote;
        if (quote < text_.size() && is_one_of(text_[quote], "\"'")) return quoted_end(at, quote);
        if (join == Join::json) return json_end(at);
        const std::string letters = letters_of(name);
        const bool has_scheme = letters.contains("authoriz") || letters.contains("authenticat");
        if (join == Join::field || has_scheme) {
            return field_end(has_scheme, letters.contains("cookie"), at);
        }
        return parameter_end(name_begin, at);
    }

    size_t parameter_end(size_t name_begin, size_t at) const {
        const bool in_path =
            name_begin > 0 && text_[name_begin - 1] == ';' && name_begin < question_;
        for (; at < text_.size(); ++at) {
            const char c = text_[at];
            if (is_one_of(c, "&#\r\n") || (in_path && is_one_of(c, "/?"))) return at;
            if (c == ';' && opens_parameter(at + 1)) return at;
            if (c == ',' && opens_parameter(at + 1) && !is_padding(at + 1)) return at;
            // The URI stands in a text that goes on: a log line, JSON.
            if (!is_request_line_ && (c == '"' || (c == '\'' && closes_string(at + 1)))) return at;
            if (!is_request_line_ && c == ',' && (at + 1 == text_.size() || text_[at + 1] == ' ')) {
                return at;
            }
            if (!is_request_line_ && c == '}' && closes_string(at + 1)) return at;
            if (!is_request_line_ && c == '\\' && at + 1 < text_.size() && text_[at + 1] == '"') {
                return at;
            }
            if (is_blank(c) && (!is_request_line_ || text_.substr(at + 1).starts_with("HTTP/"))) {
                return at;
            }
        }
        return at;
    }

    /// Whether the quote or brace before `at` can be the last of what it closes.
    bool closes_string(size_t at) const {
        return at >= text_.size() || is_one_of(text_[at], " ,}])\t\r\n\"\\");
    }

    /// A number, `true`, a list or an object.
    size_t json_end(size_t at) const {
        if (at < text_.size() && is_one_of(text_[at], "[{")) return matching_end(at);
        return std::min(text_.find_first_of(",}] \t\r\n", at), text_.size());
    }

    /// Behind the bracket that closes the one at `at`; strings in between may hold any.
    size_t matching_end(size_t at) const {
        size_t depth = 0;
        while (at < text_.size()) {
            size_t quote = at;
            while (quote < text_.size() && text_[quote] == '\\') ++quote;
            if (quote < text_.size() && text_[quote] == '"') {
                at = quoted_end(at, quote);
                continue;
            }
            const char c = text_[at];
            if (c == '\n') return at;
            if (is_one_of(c, "[{")) ++depth;
            if (is_one_of(c, "]}") && --depth == 0) return at + 1;
            at = std::max(quote, at + 1);
        }
        return at;
    }

    /// `Bearer S`, `a=b; c=d`: a word, with the scheme before it, and what is tied to it. Some
    /// schemes have parameters: they take the rest of the line.
    size_t field_end(bool has_scheme, bool is_cookie, size_t begin) const {
        size_t at = begin;
        constexpr std::string_view kWithOneWord[] = {"Basic",     "Bearer", "Token",
                                                     "Negotiate", "NTLM",   "ApiKey"};
        constexpr std::string_view kWithParameters[] = {"Digest", "OAuth", "Hawk", "Signature",
                                                        "AWS4-HMAC-SHA256"};
        const auto is = [](std::string_view word, std::span<const std::string_view> schemes) {
            return std::ranges::any_of(
                schemes, [&](std::string_view scheme) { return iequals(scheme, word); });
        };
        for (bool is_first = true;; is_first = false) {
            const size_t end = std::min(text_.find_first_of(" \t\r\n\"", at), text_.size());
            if (begin == text_.size()) return begin;
            if (end == text_.size() || !is_one_of(text_[end], " \t"))
                return before_closing(begin, end);
            const std::string_view word = text_.substr(at, end - at);
            if (is_first && has_scheme && is(word, kWithParameters)) {
                return std::min(text_.find_first_of("\r\n", end), text_.size());
            }
            const bool goes_on = (is_first && has_scheme && is(word, kWithOneWord)) ||
                                 (is_cookie && word.ends_with(';'));
            if (!goes_on) return before_closing(begin, end);
            at = text_.find_first_not_of(" \t", end);
            if (at == std::string_view::npos) return end;
        }
    }

    /// `end`, or before what ends the text around the value rather than the value.
    size_t before_closing(size_t begin, size_t end) const {
        // What is hidden already has a bracket of its own.
        const std::string_view closers = text_[begin] == '[' ? ",)}\\" : ",)}]\\";
        while (end > begin && is_one_of(text_[end - 1], closers)) --end;
        return end;
    }

    /// Behind the closing quote, which has as many backslashes before it as the opening one.
    size_t quoted_end(size_t begin, size_t quote) const {
        const size_t escapes = quote - begin;
        size_t backslashes = 0;
        for (size_t at = quote + 1; at < text_.size(); ++at) {
            if (text_[at] == '\n') return at;
            if (text_[at] == '\\') {
                ++backslashes;
                continue;
            }
            if (text_[at] == text_[quote] && backslashes <= escapes) return at + 1;
            backslashes = 0;
        }
        return text_.size();
    }

    /// `;` ends a value only if another parameter follows: it may be part of a password.
    bool opens_parameter(size_t at) const {
        const size_t end = text_.find_first_of("=;,&#?/ \r\n", at);
        return end != std::string_view::npos && end > at && text_[end] == '=';
    }

    /// `=` behind base64 rather than between a name and its value.
    bool is_padding(size_t at) const {
        const size_t equals = text_.find('=', at);
        return equals + 1 >= text_.size() || is_one_of(text_[equals + 1], "= \t\r\n\"&");
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
    size_t question_;  // the first one; npos: none
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
    return holds_any(letters_of(name), kFieldParts);
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
