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

/// True: what one visitor got of it is what all get.
bool is_for_everybody(const http::RequestHeadView& request,
                      const http::ResponseHeadView& response) {
    bool is_public = false;
    bool restricted = find_named(request.fields, "authorization") != nullptr ||
                      find_named(response.fields, "set-cookie") != nullptr;
    for (const http::FieldView& field : response.fields) {
        const bool varies = base::iequals(field.name, "vary");
        if (!varies && !base::iequals(field.name, "cache-control")) continue;
        base::for_each_list_element(field.value, [&](std::string_view element) {
            const std::string_view name = element.substr(0, element.find('='));
            if (varies) {
                restricted = restricted || !base::iequals(name, "accept-encoding");
            } else {
                is_public = is_public || base::iequals(name, "public");
                restricted =
                    restricted || base::iequals(name, "private") || base::iequals(name, "no-store");
            }
        });
    }
    const bool known_visitor = find_named(request.fields, "cookie") != nullptr;
    return !restricted && (is_public || !known_visitor);
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

void LinkMemory::learn(const http::RequestHeadView& request, const http::ResponseHeadView& response,
                       base::SteadyTime now) {
    constexpr uint16_t kNotModified = 304;
    if (request.method != "GET" || response.status == kNotModified) return;
    // What a page answers to a query may be about the query.
    if (request.path.find('?') != std::string_view::npos) return;
    std::string links;
    if (response.status == 200 && is_html(response) && is_for_everybody(request, response)) {
        for (const http::FieldView& field : response.fields) {
            if (!base::iequals(field.name, "link")) continue;
            const std::string more = hintable_links(field.value);
            if (more.empty()) continue;
            links += (links.empty() ? "" : ", ") + more;
        }
    }
    std::string key = key_of(request);
    // A page with more than that gets none: which of them matter only it knows.
    if (links.empty() || links.size() > kMaximumBytes) return forget(key);
    if (const auto known = by_key_.find(key); known != by_key_.end()) {
        known->second->links = std::move(links);
        known->second->learned = now;
        return;
    }
    if (pages_.size() >= kMaximumPages) {
        by_key_.erase(pages_.back().key);
        pages_.pop_back();
    }
    pages_.push_front({std::move(key), std::move(links), now});
    by_key_.emplace(pages_.front().key, pages_.begin());
}

void LinkMemory::forget(std::string_view key) {
    const auto known = by_key_.find(key);
    if (known == by_key_.end()) return;
    const auto page = known->second;
    by_key_.erase(known);
    pages_.erase(page);
}

std::string_view LinkMemory::find(const http::RequestHeadView& request, base::SteadyTime now) {
    if (request.method != "GET" || pages_.empty()) return {};
    // Browsers say what they want a resource for; hints are of use to a page alone.
    const auto* const mode = find_named(request.fields, "sec-fetch-mode");
    if (mode != nullptr && mode->value != "navigate") return {};
    const auto known = by_key_.find(key_of(request));
    if (known == by_key_.end() || now - known->second->learned > kMaximumAge) return {};
    pages_.splice(pages_.begin(), pages_, known->second);
    return known->second->links;
}

}  // namespace edgecase::edge
