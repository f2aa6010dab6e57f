#include "base/sample.hpp"

#include <algorithm>
#include <optional>

#include "base/escape.hpp"
#include "base/secrets.hpp"

namespace edgecase::base {
namespace {

constexpr std::string_view kBlanks = " \t";

std::string redacted(size_t size) {
    return "<" + std::to_string(size) + " bytes redacted>";
}

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/// Where a line without its CR and LF ends.
size_t content_end(std::string_view line) {
    const size_t last = line.find_last_not_of("\r\n");
    return last == std::string_view::npos ? 0 : last + 1;
}

/// Where the value of a sensitive field begins in `line`, if it is one. Without a colon the first
/// word is taken for a name.
std::optional<size_t> field_value(std::string_view line) {
    const size_t name_begin = std::min(line.find_first_not_of(kBlanks), line.size());
    const size_t name_end = std::min(line.find_first_of(": \t", name_begin), line.size());
    const std::string_view first_word = line.substr(name_begin, name_end - name_begin);
    const size_t next = std::min(line.find_first_not_of(kBlanks, name_end), line.size());
    if (next < line.size() && line[next] == ':') {
        return is_sensitive_name(first_word) ? std::optional(next + 1) : std::nullopt;
    }
    // Not so a part of a URI.
    const bool is_request_line = line.contains(" HTTP/");
    const bool is_name = first_word.find_first_of("=&?") == std::string_view::npos &&
                         !(first_word.contains('/') && is_request_line);
    if (is_name && next < line.size() && is_sensitive_name(first_word)) return name_end;
    const size_t colon = line.find(':', name_end);
    if (colon == std::string_view::npos || is_request_line) return std::nullopt;
    const std::string_view words = line.substr(0, colon);
    const bool is_uri = words.find_first_of("=&?/") != std::string_view::npos;
    return !is_uri && is_sensitive_name(words) ? std::optional(colon + 1) : std::nullopt;
}

/// The secret whose value or name has begun before `first` in its line, which may be a folded one.
std::string secret_at(std::string_view message, size_t first, size_t line_start, size_t last) {
    const auto start_before = [&](size_t at) {
        const size_t lf = at == 0 ? std::string_view::npos : message.rfind('\n', at - 1);
        return lf == std::string_view::npos ? 0 : lf + 1;
    };
    size_t start = std::max(line_start, start_before(first));
    size_t before = first;  // without the line break, if the sample begins with a folded line
    while (start > 0 && start < message.size() && is_blank(message[start])) {
        if (before == start) before = content_end(message.substr(0, start));
        start = start_before(start - 1);
    }
    if (before <= start) return {};
    const std::string_view line = message.substr(start, last - start);
    if (!field_value(line.substr(0, line.find_first_of("\r\n")))) {
        return open_secret(line, before - start);
    }
    const std::string_view name = line.substr(0, std::min(line.find_first_of(": \t"), size_t{64}));
    return is_sensitive_name(name) ? std::string(name) : "secret";
}

}  // namespace

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
    const bool is_folded = first < message.size() && is_blank(message[first]);
    if (first == line_start && !is_folded) return sample;
    sample.field = field;
    if (!is_sensitive_name(field)) {
        const std::string secret = secret_at(message, first, line_start, last);
        if (!secret.empty()) sample.field = secret;
    }
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
    const std::string_view bytes = sample.bytes;
    Sample result = sample;
    result.bytes.clear();
    const uint64_t error =
        sample.error_offset > sample.first_offset ? sample.error_offset - sample.first_offset : 0;
    std::optional<uint64_t> new_error;
    bool open = is_sensitive_name(sample.field);  // a secret goes on from the line before
    bool continues = !sample.field.empty();       // and this line continues that one
    for (size_t at = 0; at < bytes.size();) {
        // A bare CR is a line break for some and none for others: beyond it both are possible.
        const size_t line_break = std::min(bytes.find_first_of("\r\n", at), bytes.size());
        const size_t next =
            std::min(bytes.substr(line_break).starts_with("\r\n") ? line_break + 2 : line_break + 1,
                     bytes.size());
        const std::string_view line = bytes.substr(at, line_break - at);
        continues = continues || (!line.empty() && is_blank(line.front()));
        // What the sample begins inside of is a value, not a field.
        const bool inside = at == 0 && !sample.field.empty() && !is_blank(bytes.front());
        std::optional<size_t> value = inside ? std::nullopt : field_value(line);
        if (open && continues) value = 0;
        open = value.has_value();
        std::string shown(line);
        for (const SecretSpan& span : secret_spans(line)) {
            shown.replace(span.begin, span.end - span.begin, span.end - span.begin, '*');
            open = open || span.end == line.size();
        }
        const size_t hidden_from = value.value_or(line.size());
        if (error >= at && error < line_break) {
            new_error = result.bytes.size() + std::min<uint64_t>(error - at, hidden_from);
        }
        result.bytes.append(shown, 0, hidden_from);
        if (hidden_from < line.size()) result.bytes += redacted(line.size() - hidden_from);
        if (error >= line_break && error < next) {
            new_error = result.bytes.size() + (error - line_break);
        }
        result.bytes += bytes.substr(line_break, next - line_break);
        continues = bytes.substr(line_break, next - line_break) == "\r";
        at = next;
    }
    result.error_offset = sample.first_offset + new_error.value_or(result.bytes.size());
    return result;
}

}  // namespace edgecase::base
