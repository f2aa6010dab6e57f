#include "edge/link_memory.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"

namespace edgecase::edge {
namespace {

/// The first part of a list or of parameters, up to a separator outside of <> and quotes.
std::string_view take_part(std::string_view& rest, char separator) {
    bool quoted = false;
    bool in_target = false;
    size_t end = 0;
    for (; end < rest.size(); ++end) {
        const char c = rest[end];
        if (quoted && c == '\\') {
            ++end;
        } else if (c == '"' && !in_target) {
            quoted = !quoted;
        } else if (!quoted && (c == '<' || c == '>')) {
            in_target = c == '<';
        } else if (!quoted && !in_target && c == separator) {
            break;
        }
    }
    end = std::min(end, rest.size());
    const std::string_view part = base::trim(rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + 1));
    return part;
}

bool is_early(std::string_view relations) {
    if (relations.starts_with('"')) relations.remove_prefix(1);
    if (relations.ends_with('"')) relations.remove_suffix(1);
    constexpr std::array<std::string_view, 3> kEarly{"preload", "modulepreload", "preconnect"};
    while (!relations.empty()) {
        const std::string_view one = take_part(relations, ' ');
        if (std::ranges::any_of(kEarly, [&](auto name) { return base::iequals(name, one); })) {
            return true;
        }
    }
    return false;
}

bool is_early_link(std::string_view link) {
    const std::string_view target = take_part(link, ';');
    if (!target.starts_with('<') || !target.ends_with('>')) return false;
    while (!link.empty()) {
        const std::string_view parameter = take_part(link, ';');
        const size_t equals = parameter.find('=');
        if (equals == std::string_view::npos) continue;
        // Only the first counts (RFC 8288 3.3).
        if (base::iequals(base::trim(parameter.substr(0, equals)), "rel")) {
            return is_early(base::trim(parameter.substr(equals + 1)));
        }
    }
    return false;
}

const http::FieldView* find_named(std::span<const http::FieldView> fields, std::string_view name) {
    const auto found = std::ranges::find_if(
        fields, [&](const auto& field) { return base::iequals(field.name, name); });
    return found == fields.end() ? nullptr : &*found;
}

bool is_for_one_visitor(const http::RequestHeadView& request,
                        const http::ResponseHeadView& response) {
    if (find_named(request.fields, "authorization") != nullptr) return true;
    bool restricted = false;
    for (const http::FieldView& field : response.fields) {
        if (!base::iequals(field.name, "cache-control")) continue;
        base::for_each_list_element(field.value, [&](std::string_view directive) {
            const std::string_view name = directive.substr(0, directive.find('='));
            restricted =
                restricted || base::iequals(name, "private") || base::iequals(name, "no-store");
        });
    }
    return restricted;
}

bool is_html(const http::ResponseHeadView& response) {
    const auto* const type = http::find(response.fields, http::FieldName::content_type);
    if (type == nullptr) return false;
    return base::iequals(base::trim(type->value.substr(0, type->value.find(';'))), "text/html");
}

std::string key_of(const http::RequestHeadView& request) {
    std::string key(request.host);
    key += request.path.substr(0, request.path.find('?'));
    return key;
}

}  // namespace

std::string hintable_links(std::string_view value) {
    std::string links;
    while (!value.empty()) {
        const std::string_view link = take_part(value, ',');
        if (!is_early_link(link)) continue;
        if (!links.empty()) links += ", ";
        links += link;
    }
    return links;
}

void LinkMemory::learn(const http::RequestHeadView& request,
                       const http::ResponseHeadView& response) {
    if (request.method != "GET" || response.status != 200 || !is_html(response)) return;
    std::string links;
    if (!is_for_one_visitor(request, response)) {
        for (const http::FieldView& field : response.fields) {
            if (!base::iequals(field.name, "link")) continue;
            const std::string more = hintable_links(field.value);
            if (more.empty()) continue;
            // A page with more than that gets none: which of them matter only it knows.
            links += (links.empty() ? "" : ", ") + more;
        }
    }
    if (links.size() > kMaximumBytes) links.clear();
    std::string key = key_of(request);
    if (const auto known = by_key_.find(key); known != by_key_.end()) {
        if (!links.empty()) {
            known->second->links = std::move(links);
            return;
        }
        const auto page = known->second;
        by_key_.erase(known);
        pages_.erase(page);
        return;
    }
    if (links.empty()) return;
    if (pages_.size() >= kMaximumPages) {
        by_key_.erase(pages_.back().key);
        pages_.pop_back();
    }
    pages_.push_front({std::move(key), std::move(links)});
    by_key_.emplace(pages_.front().key, pages_.begin());
}

std::string_view LinkMemory::find(const http::RequestHeadView& request) {
    if (request.method != "GET" || pages_.empty()) return {};
    // Browsers say what they want a resource for; hints are of use to a page alone.
    const auto* const mode = find_named(request.fields, "sec-fetch-mode");
    if (mode != nullptr && mode->value != "navigate") return {};
    const auto known = by_key_.find(key_of(request));
    if (known == by_key_.end()) return {};
    pages_.splice(pages_.begin(), pages_, known->second);
    return known->second->links;
}

}  // namespace edgecase::edge
