#include "allowlist/apache_sections.hpp"

#include <algorithm>
#include <cctype>

#include "base/ascii.hpp"

namespace edgecase::allowlist {

Let Let::of(std::span<const AddressRange> ranges) {
    std::array<std::vector<ip::Interval>, 2> intervals;
    for (const AddressRange& range : ranges) {
        intervals[static_cast<size_t>(range.family)].push_back(range.interval);
    }
    Let let;
    for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
        const auto f = static_cast<size_t>(family);
        let.sure[f] = let.maybe[f] = ip::AddressSet(family, std::move(intervals[f]));
    }
    return let;
}

Let Let::any_of(std::span<const Let> lets) {
    Let let;
    for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
        const auto f = static_cast<size_t>(family);
        std::vector<ip::Interval> sure;
        std::vector<ip::Interval> maybe;
        for (const Let& one : lets) {
            const auto more_sure = one.sure[f].intervals();
            const auto more = one.maybe[f].intervals();
            sure.insert(sure.end(), more_sure.begin(), more_sure.end());
            maybe.insert(maybe.end(), more.begin(), more.end());
        }
        let.sure[f] = ip::AddressSet(family, std::move(sure));
        let.maybe[f] = ip::AddressSet(family, std::move(maybe));
    }
    return let;
}

Let Let::one_of(std::span<const Let* const> lets) {
    Let let;
    for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
        const auto f = static_cast<size_t>(family);
        ip::AddressSet sure = ip::AddressSet::all(family);
        std::vector<ip::Interval> maybe;
        for (const Let* const one : lets) {
            sure = sure.intersect(one->sure[f]);
            const auto more = one->maybe[f].intervals();
            maybe.insert(maybe.end(), more.begin(), more.end());
        }
        let.sure[f] = std::move(sure);
        let.maybe[f] = ip::AddressSet(family, std::move(maybe));
    }
    return let;
}

Section section_of(std::string_view line) {
    line.remove_prefix(1);
    if (line.ends_with('>')) line.remove_suffix(1);
    const auto words = words_of(line);
    Section section;
    if (words.empty()) return section;
    section.kind = base::to_lower(words[0]);
    for (size_t i = 1; i < words.size(); ++i) section.name += (i > 1 ? " " : "") + words[i];
    return section;
}

bool is_part(const Section& section) {
    const bool is_fixed = section.kind.starts_with("location") || section.kind.starts_with("files");
    return is_fixed && covers(section, "") == Covers::no;
}

std::optional<AddressRange> apache_range(std::string_view text) {
    if (const auto range = AddressRange::parse(text)) return range;
    if (text.ends_with('.')) text.remove_suffix(1);
    const auto dots = std::ranges::count(text, '.');
    if (text.empty() || dots > 2 ||
        text.find_first_not_of("0123456789.") != std::string_view::npos) {
        return std::nullopt;
    }
    std::string whole(text);
    for (auto i = dots; i < 3; ++i) whole += ".0";
    return AddressRange::parse(whole + "/" + std::to_string(8 * (dots + 1)));
}

std::string without_slashes(std::string name) {
    while (name.size() > 1 && name.ends_with('/')) name.pop_back();
    return name;
}

namespace {

/// Whether a pattern of paths is for the whole site: not if it begins with a name.
Covers pattern_covers(std::string_view pattern) {
    if (pattern.starts_with('^')) pattern.remove_prefix(1);
    if (pattern.empty() || pattern == "/" || pattern == ".*" || pattern == "/.*") {
        return Covers::yes;
    }
    if (pattern.contains('|') && !pattern.contains('(')) return Covers::perhaps;
    if (pattern.starts_with('/')) pattern.remove_prefix(1);
    if (pattern.starts_with("\\.")) return Covers::no;
    const bool is_name = !pattern.empty() &&
                         (std::isalnum(static_cast<unsigned char>(pattern[0])) != 0 ||
                          pattern[0] == '_' || pattern[0] == '.') &&
                         !pattern.starts_with(".*") && !pattern.starts_with(".+");
    return is_name ? Covers::no : Covers::perhaps;
}

Covers directory_covers(const Section& section, const std::string& root) {
    const std::string name = without_slashes(section.name);
    if (section.kind == "directorymatch" || name.starts_with("~") ||
        name.find_first_of("*?[$") != std::string::npos) {
        return Covers::perhaps;
    }
    if (name == "/") return Covers::yes;
    if (root.empty() || root.find_first_of("$%") != std::string::npos) {
        // Debian's and Red Hat's, and what is usual.
        const bool is_usual =
            name == "/var/www" || name == "/var/www/html" || name == "/srv" || name == "/srv/www";
        return is_usual ? Covers::yes : Covers::perhaps;
    }
    return root == name || root.starts_with(name + "/") ? Covers::yes : Covers::no;
}

}  // namespace

Covers covers(const Section& section, const std::string& root) {
    const std::string& kind = section.kind;
    if (kind.empty() || kind == "virtualhost") return Covers::yes;
    if (kind.starts_with("directory")) return directory_covers(section, root);
    if (kind == "location") {
        if (section.name.starts_with("~")) {
            return pattern_covers(base::trim(std::string_view(section.name).substr(1)));
        }
        const std::string name = without_slashes(section.name);
        if (name == "/" || name.empty()) return Covers::yes;
        return name.starts_with("/*") || name.starts_with("/?") || name.starts_with("/[")
                   ? Covers::perhaps
                   : Covers::no;
    }
    if (kind == "locationmatch") return pattern_covers(section.name);
    if (kind == "files" || kind == "filesmatch") {
        const bool is_all = section.name == "*" || section.name == ".*" || section.name == "." ||
                            section.name == "^" || section.name == "^.*";
        return is_all ? Covers::perhaps : Covers::no;
    }
    return Covers::perhaps;  // <Proxy> and its like
}

void merge(Section& inner, Section& outer) {
    if (!has_access(inner)) return;
    if (!has_access(outer)) outer.place = inner.place;
    if (inner.is_unclear) make_unclear(outer, inner.doubt, inner.place);
    outer.has_require |= inner.has_require;
    outer.has_order |= inner.has_order;
    outer.is_order_allow_deny |= inner.is_order_allow_deny;
    std::ranges::move(inner.allowed, std::back_inserter(outer.allowed));
    std::ranges::move(inner.denied, std::back_inserter(outer.denied));
    std::ranges::move(inner.required, std::back_inserter(outer.required));
    std::ranges::move(inner.refused, std::back_inserter(outer.refused));
}

void make_unclear(Section& section, const std::string& doubt, const Place& place) {
    if (!has_access(section)) section.place = place;
    section.is_unclear = true;
    if (section.doubt.empty()) section.doubt = doubt;
}

Let joined(const Section& section) {
    Let let = Let::all();
    if (section.kind == "requireall") {
        for (const Let& one : section.required) let = let & one;
    } else if (!section.required.empty()) {
        let = Let::any_of(section.required);
        if (section.kind == "requirenone") let = ~let;
    }
    return section.refused.empty() ? let : let & ~Let::any_of(section.refused);
}

Let ordered(const Section& section) {
    const Let allowed = Let::any_of(section.allowed);
    const Let denied = Let::any_of(section.denied);
    return section.is_order_allow_deny ? allowed & ~denied : ~denied | allowed;
}

std::pair<int, size_t> weight(const Section& section) {
    if (section.kind.starts_with("location")) return {3, 0};
    if (!section.kind.starts_with("directory")) return {2, 0};
    return {0, without_slashes(section.name).size()};
}

bool has_access(const Section& section) {
    return section.has_require || section.has_order || section.is_unclear;
}

bool names_get(const std::string& methods) {
    const auto words = words_of(methods);
    return std::ranges::any_of(words, [](const std::string& one) {
        return base::iequals(one, "GET") || base::iequals(one, "HEAD");
    });
}

std::vector<PortRange> ports_of(const Section& host) {
    std::vector<PortRange> ports;
    for (const std::string& word : words_of(host.name)) {
        const size_t colon = word.ends_with(']') ? std::string::npos : word.rfind(':');
        if (colon == std::string::npos) return {};
        const auto port = parse_ports(word.substr(colon + 1));
        if (!port) return {};
        ports.push_back(*port);
    }
    return ports;
}

Let whom(const std::string& word) {
    if (base::iequals(word, "all")) return Let::all();
    if (const auto range = apache_range(word)) return Let::of(std::span(&*range, 1));
    return Let::unknown();  // a host's name, a variable
}

}  // namespace edgecase::allowlist
