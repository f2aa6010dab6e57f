// `firewall-cmd --list-all` and `--list-all-zones`.
#include <algorithm>

#include "allowlist/firewalld_zones.hpp"
#include "allowlist/rule_parts.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

struct ListedZone {
    FirewalldZone zone;
    bool is_active = false;
};

void begin_zone(std::string_view text, const Place& place, std::vector<ListedZone>& zones) {
    ListedZone listed;
    FirewalldZone& zone = listed.zone;
    zone.name = std::string(text.substr(0, text.find(' ')));
    zone.place = zone.target_place = place;
    listed.is_active = text.contains("active");
    // Old versions do not say which it is; it is `public` unless that was changed.
    zone.is_said_default = text.contains("default");
    zone.is_default = zone.is_said_default || zone.name == "public";
    zones.push_back(std::move(listed));
}

void read_line(Sets& sets, FirewalldZone& zone, std::string_view text, const Place& place) {
    if (text.starts_with("rule ") || text == "rule") {
        zone.add_rich_rule(sets, words_of(text), place);
        return;
    }
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view key = text.substr(0, colon);
    const auto words = words_of(text.substr(colon + 1));
    if (key == "target" && !words.empty()) {
        zone.target = words[0];
        zone.target_place = place;
    } else if (key == "interfaces") {
        zone.interfaces = words;
    } else if (key == "sources") {
        zone.sources = words;
    } else if (key == "services") {
        for (const std::string& name : words) zone.add_service(name, place);
    } else if (key == "ports" || key == "source-ports") {
        for (const std::string& port : words) zone.add_port(port, place, key == "source-ports");
    } else if (key == "protocols") {
        for (const std::string& name : words) zone.add_protocol(name, place);
    } else if (key == "forward-ports" && !words.empty()) {
        zone.add_forwarding(place);
    }
}

}  // namespace

ReadResult read_firewalld(Reading& into, uint32_t file) {
    if (is_firewalld_file(into.source(file).text)) return read_firewalld_file(into, file);
    std::vector<ListedZone> zones;
    for_each_line(into.source(file).text, [&](uint32_t number, std::string_view line) {
        const std::string_view text = base::trim(line);
        if (text.empty()) return;
        if (line.front() != ' ' && line.front() != '\t') {
            begin_zone(text, {file, number, 0}, zones);
        } else if (!zones.empty()) {
            read_line(into.sets, zones.back().zone, text, {file, number, 0});
        }
    });
    if (zones.empty()) {
        return ReadError{into.source(file).name, 1, 1, "no zone such as `public (active)` in it"};
    }
    FirewalldZones& all = into.firewalld;
    if (all.zones.empty()) all.file = file;
    // Every firewalld has these two.
    const auto has = [&](std::string_view name) {
        return std::ranges::any_of(
            zones, [&](const ListedZone& listed) { return listed.zone.name == name; });
    };
    all.are_all |= has("block") && has("trusted");
    const bool is_list = zones.size() > 1;
    bool has_any = false;
    for (ListedZone& listed : zones) {
        if (is_list && !listed.is_active && !listed.zone.is_said_default) continue;
        has_any = true;
        all.zones.push_back(std::move(listed.zone));
    }
    if (!has_any) return ReadError{into.source(file).name, 1, 1, "none of its zones is active"};
    return std::nullopt;
}

}  // namespace edgecase::allowlist
