#include "record/redact_uri.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"

namespace edgecase::record {
namespace {

// Hidden wherever they stand in a name.
constexpr std::array<std::string_view, 12> kParts{
    "token",  "password",   "passwd",    "passphrase",    "secret", "session",
    "apikey", "credential", "signature", "authorization", "jwt",    "saml"};
// Hidden as a whole word of a name only: `api_key` yes, `monkey` no.
constexpr std::array<std::string_view, 12> kWords{
    "key", "sig", "code", "auth", "pwd", "pass", "sid", "otp", "pin", "hmac", "nonce", "assertion"};

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = base::lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
    std::string result;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high >= 0 && low >= 0) {
                result += static_cast<char>(high * 16 + low);
                i += 2;
                continue;
            }
        }
        result += text[i];
    }
    return result;
}

bool is_word_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Lower-case words of `name`, split at every other character and where camelCase steps up.
template <typename Visit>
bool any_word(std::string_view name, Visit visit) {
    std::string word;
    for (size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        const bool steps_up = c >= 'A' && c <= 'Z' && i > 0 && name[i - 1] >= 'a';
        if ((!is_word_character(c) || steps_up) && !word.empty()) {
            if (visit(word)) return true;
            word.clear();
        }
        if (is_word_character(c)) word += base::lower(c);
    }
    return !word.empty() && visit(word);
}

/// Copies `uri`, handing each value to hide to `hide`, which appends what stands for it.
template <typename Hide>
std::string rewrite(std::string_view uri, Hide hide) {
    std::string result;
    const size_t query = uri.find_first_of("?#");
    if (query == std::string_view::npos) return std::string(uri);
    result += uri.substr(0, query);
    for (size_t at = query; at < uri.size();) {
        result += uri[at++];  // the separator that opened this parameter
        const size_t end = std::min(uri.find_first_of("&;#? \r\n", at), uri.size());
        const std::string_view parameter = uri.substr(at, end - at);
        const size_t equals = parameter.find('=');
        if (equals != std::string_view::npos && equals + 1 < parameter.size() &&
            is_sensitive_parameter(parameter.substr(0, equals))) {
            result += parameter.substr(0, equals + 1);
            hide(result, parameter.substr(equals + 1));
        } else {
            result += parameter;
        }
        at = end;
    }
    return result;
}

}  // namespace

bool is_sensitive_parameter(std::string_view name) {
    const std::string decoded = percent_decoded(name);
    const std::string lowered = base::to_lower(decoded);
    if (std::ranges::any_of(kParts, [&](std::string_view part) {
            return lowered.find(part) != std::string::npos;
        })) {
        return true;
    }
    return any_word(decoded, [](std::string_view word) {
        return std::ranges::find(kWords, word) != kWords.end();
    });
}

std::string redact_uri(std::string_view uri) {
    return rewrite(uri, [](std::string& result, std::string_view) { result += "[redacted]"; });
}

std::string mask_uri(std::string_view uri) {
    return rewrite(
        uri, [](std::string& result, std::string_view value) { result.append(value.size(), '*'); });
}

}  // namespace edgecase::record
