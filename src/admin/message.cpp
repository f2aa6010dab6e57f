#include "admin/message.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/duration.hpp"
#include "logs/log_time.hpp"
#include "record/json_text.hpp"

namespace edgecase::admin {
namespace {

constexpr size_t kMaximumParameters = 32;

std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out += ' ';
        } else if (text[i] == '%') {
            unsigned value = 0;
            const std::string_view digits = text.substr(i + 1, 2);
            const char* const end = digits.data() + digits.size();
            const auto [rest, error] = std::from_chars(digits.data(), end, value, 16);
            if (digits.size() != 2 || error != std::errc() || rest != end) return std::nullopt;
            out += static_cast<char>(value);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

}  // namespace

std::string_view Request::parameter(std::string_view name) const {
    const auto found =
        std::ranges::find(parameters, name, &std::pair<std::string, std::string>::first);
    return found == parameters.end() ? std::string_view() : found->second;
}

bool parse_target(std::string_view target, Request& into) {
    if (!target.starts_with('/')) return false;
    const size_t mark = target.find('?');
    const auto path = decoded(target.substr(0, mark), false);
    if (!path || path->find('\0') != std::string::npos) return false;
    into.path = *path;
    std::string_view query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
    while (!query.empty() && into.parameters.size() < kMaximumParameters) {
        const std::string_view one = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), one.size() + 1));
        if (one.empty()) continue;
        const size_t equals = std::min(one.find('='), one.size());
        const auto name = decoded(one.substr(0, equals), true);
        const auto value = decoded(one.substr(std::min(one.size(), equals + 1)), true);
        if (!name || !value) return false;
        into.parameters.emplace_back(*name, *value);
    }
    return true;
}

Response Response::error(uint16_t status, std::string_view sentence) {
    const nlohmann::ordered_json json{{"error", record::json_text(sentence)}};
    return {.status = status, .body = json.dump() + "\n"};
}

std::optional<base::WallTime> parse_time(std::string_view text, base::WallTime now) {
    if (const auto back = base::parse_duration(text)) return now - *back;
    const auto time = logs::iso_time(text);
    if (!time) return std::nullopt;
    return base::WallTime(std::chrono::microseconds(*time));
}

std::expected<Span, std::string> parse_span(const Request& request, base::WallTime now,
                                            std::chrono::seconds usual) {
    Span span{.since = now - usual, .until = now};
    for (const auto& [name, target] : {std::pair{"since", &span.since}, {"until", &span.until}}) {
        const std::string_view text = request.parameter(name);
        if (text.empty()) continue;
        const auto time = parse_time(text, now);
        if (!time) {
            return std::unexpected(std::string(name) +
                                   " must be a time such as 2026-11-24T13:38:07Z or a duration "
                                   "back from now such as 15m or 7d");
        }
        *target = *time;
    }
    if (span.since >= span.until) return std::unexpected("since must be before until");
    return span;
}

}  // namespace edgecase::admin
