#include "base/sample.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"
#include "base/escape.hpp"

namespace edgecase::base {
namespace {

constexpr std::array<std::string_view, 12> kSensitiveFields{"cookie",
                                                            "set-cookie",
                                                            "set-cookie2",
                                                            "authorization",
                                                            "proxy-authorization",
                                                            "authentication-info",
                                                            "www-authenticate",
                                                            "x-api-key",
                                                            "x-auth-token",
                                                            "x-csrf-token",
                                                            "x-amz-security-token",
                                                            "cf-access-jwt-assertion"};

constexpr std::array<std::string_view, 5> kSensitiveParts{"token", "secret", "password", "session",
                                                          "api-key"};

std::string redacted(size_t size) {
    return "<" + std::to_string(size) + " bytes redacted>";
}

}  // namespace

bool is_sensitive_field(std::string_view name) {
    const std::string lowered = to_lower(name);
    if (std::ranges::find(kSensitiveFields, lowered) != kSensitiveFields.end()) return true;
    return std::ranges::any_of(kSensitiveParts, [&](std::string_view part) {
        return lowered.find(part) != std::string::npos;
    });
}

Sample cut_sample(std::string_view message, size_t error_offset, size_t line_start,
                  std::string_view field) {
    error_offset = std::min(error_offset, message.size());
    line_start = std::min(line_start, error_offset);
    const size_t wanted = error_offset > Sample::kBefore ? error_offset - Sample::kBefore : 0;
    const size_t first = std::max(wanted, line_start);
    const size_t last = std::min(message.size(), error_offset + Sample::kAfter);
    Sample sample;
    sample.bytes = message.substr(first, last - first);
    sample.first_offset = first;
    sample.error_offset = error_offset;
    if (first != line_start) sample.field = field;
    return sample;
}

std::string caret_lines(const Sample& sample) {
    const uint64_t in_sample =
        sample.error_offset > sample.first_offset ? sample.error_offset - sample.first_offset : 0;
    const size_t before = std::min<size_t>(in_sample, sample.bytes.size());
    const std::string_view bytes = sample.bytes;
    const std::string head = escape(bytes.substr(0, before));
    return head + escape(bytes.substr(before)) + "\n" + std::string(head.size(), ' ') + "^";
}

Sample redact(const Sample& sample) {
    Sample result = sample;
    result.bytes.clear();
    const uint64_t error_index =
        sample.error_offset > sample.first_offset ? sample.error_offset - sample.first_offset : 0;
    uint64_t new_error = error_index;
    bool moved = false;
    size_t at = 0;
    bool first_line = true;
    while (at < sample.bytes.size()) {
        size_t end = sample.bytes.find('\n', at);
        end = end == std::string::npos ? sample.bytes.size() : end + 1;
        const std::string_view line = std::string_view(sample.bytes).substr(at, end - at);
        const size_t colon = line.find(':');
        size_t hidden_from = line.size();
        if (first_line && !sample.field.empty()) {
            if (is_sensitive_field(sample.field)) hidden_from = 0;
        } else if (colon != std::string_view::npos &&
                   is_sensitive_field(trim(line.substr(0, colon)))) {
            hidden_from = colon + 1;
        }
        size_t value_end = line.size();
        while (value_end > hidden_from &&
               (line[value_end - 1] == '\n' || line[value_end - 1] == '\r')) {
            --value_end;
        }
        const size_t new_line_start = result.bytes.size();
        if (hidden_from < value_end) {
            result.bytes += line.substr(0, hidden_from);
            result.bytes += redacted(value_end - hidden_from);
            result.bytes += line.substr(value_end);
        } else {
            result.bytes += line;
        }
        if (!moved && error_index >= at && error_index < end) {
            const size_t in_line = static_cast<size_t>(error_index) - at;
            const bool hidden = hidden_from < value_end && in_line >= hidden_from;
            new_error = new_line_start + (hidden ? hidden_from : in_line);
            moved = true;
        }
        at = end;
        first_line = false;
    }
    if (!moved) new_error = result.bytes.size();
    result.error_offset = sample.first_offset + new_error;
    return result;
}

}  // namespace edgecase::base
