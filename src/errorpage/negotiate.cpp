#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>

#include "base/ascii.hpp"
#include "errorpage/error_page.hpp"

namespace edgecase::errorpage {
namespace {

using base::iequals;
using base::trim;

constexpr size_t kTypes = 4;
constexpr unsigned kFullWeight = 1000;  // q has three decimals at most

/// Cuts `text` at the first `separator` outside a quoted string; returns what stands before it.
std::string_view cut(std::string_view& text, char separator) {
    bool quoted = false;
    for (size_t i = 0; i < text.size(); ++i) {
        if (quoted && text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && text[i] == separator) {
            const std::string_view head = text.substr(0, i);
            text.remove_prefix(i + 1);
            return trim(head);
        }
    }
    const std::string_view head = text;
    text = {};
    return trim(head);
}

/// A qvalue in thousandths. Errors: nullopt. Source: RFC 9110 12.4.2.
std::optional<unsigned> parse_weight(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
    unsigned weight = text[0] == '1' ? kFullWeight : 0;
    if (text.size() > 1 && text[1] != '.') return std::nullopt;
    unsigned unit = 100;
    for (size_t i = 2; i < text.size(); ++i, unit /= 10) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        weight += static_cast<unsigned>(text[i] - '0') * unit;
    }
    if (weight > kFullWeight) return std::nullopt;
    return weight;
}

/// The weight among an element's parameters; 1 if it has none. Errors: nullopt.
std::optional<unsigned> weight_of(std::string_view parameters) {
    while (!parameters.empty()) {
        std::string_view value = cut(parameters, ';');
        const std::string_view name = cut(value, '=');
        if (iequals(name, "q")) return parse_weight(value);
    }
    return kFullWeight;
}

/// The types a media range stands for, the preferred one first.
std::initializer_list<MediaType> types_of(std::string_view range) {
    using enum MediaType;
    static constexpr std::initializer_list<MediaType> kHtml{html};
    static constexpr std::initializer_list<MediaType> kProblem{problem_json};
    static constexpr std::initializer_list<MediaType> kJson{json};
    static constexpr std::initializer_list<MediaType> kMarkdown{markdown};
    static constexpr std::initializer_list<MediaType> kAnyText{markdown, html};
    static constexpr std::initializer_list<MediaType> kAnyApplication{problem_json, json};
    static constexpr std::initializer_list<MediaType> kAny{html, problem_json, json, markdown};
    if (iequals(range, "text/html")) return kHtml;
    if (iequals(range, "application/problem+json")) return kProblem;
    if (iequals(range, "application/json")) return kJson;
    if (iequals(range, "text/markdown")) return kMarkdown;
    if (iequals(range, "text/*")) return kAnyText;
    if (iequals(range, "application/*")) return kAnyApplication;
    if (range == "*/*") return kAny;
    return {};
}

}  // namespace

MediaType negotiate(std::string_view accept) {
    std::array<bool, kTypes> refused{};
    const auto visit = [accept](auto use) {
        for (std::string_view rest = accept; !rest.empty();) {
            std::string_view element = cut(rest, ',');
            const auto types = types_of(cut(element, ';'));
            const auto weight = weight_of(element);
            if (types.size() != 0 && weight) use(types, *weight);
        }
    };
    visit([&](std::initializer_list<MediaType> types, unsigned weight) {
        if (types.size() == 1 && weight == 0) refused[static_cast<size_t>(*types.begin())] = true;
    });
    MediaType best = MediaType::html;
    unsigned best_weight = 0;
    visit([&](std::initializer_list<MediaType> types, unsigned weight) {
        if (weight <= best_weight) return;
        const auto type = std::ranges::find_if(
            types, [&](MediaType t) { return !refused[static_cast<size_t>(t)]; });
        if (type == types.end()) return;
        best = *type;
        best_weight = weight;
    });
    return best;
}

}  // namespace edgecase::errorpage
