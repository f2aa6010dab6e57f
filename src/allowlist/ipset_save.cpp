// The text of `ipset save`: sets for the rules of iptables.
#include <algorithm>

#include "allowlist/iptables_words.hpp"
#include "allowlist/readers.hpp"

namespace edgecase::allowlist {
namespace {

/// Without the protocol, tcp is meant. False: another protocol, or none at all.
bool tcp_ports(std::string_view text, std::optional<PortRange>& ports) {
    const size_t colon = text.find(':');
    if (colon != std::string_view::npos) {
        if (text.substr(0, colon) != "tcp") return false;
        text.remove_prefix(colon + 1);
    }
    ports = parse_ports(text);
    return ports.has_value();
}

const char* add(Reading& into, std::string_view name, std::string_view entry, IptablesWords& rest) {
    const auto set = into.sets.at("ipset", name);
    bool is_exception = false;
    while (!rest.at_end()) is_exception |= rest.next() == "nomatch";
    const size_t comma = entry.find(',');
    if (comma == std::string_view::npos) {
        if (const auto range = AddressRange::parse(entry)) {
            if (is_exception) {
                set->except(*range);
            } else {
                set->add(*range);
            }
        } else {
            const bool is_set = entry.find_first_of(".:/") == std::string_view::npos;
            const auto ports = parse_ports(entry);
            if (ports) {
                set->add_ports(*ports);
            } else if (is_set) {
                set->include(into.sets.at("ipset", entry));
            } else {
                set->make_unknown();  // hash:mac
            }
        }
        return nullptr;
    }
    const auto range = AddressRange::parse(entry.substr(0, comma));
    std::optional<PortRange> ports;
    const std::string_view tail = entry.substr(comma + 1);
    if (!range || tail.contains(',') || is_exception) {
        set->make_unknown();
    } else if (tcp_ports(tail, ports)) {
        set->add_pair(*range, *ports);
    } else if (!tail.contains(':')) {
        set->make_unknown();  // an interface, a MAC address, another address
    }
    return nullptr;
}

const char* read_line(Reading& into, uint32_t file, uint32_t number, std::string_view line) {
    IptablesWords words(line);
    const std::string_view command = words.next();
    if (command.empty() || command.starts_with('#')) return nullptr;
    const std::string_view name = words.next();
    const std::string_view entry = words.next();
    if (command == "create" || command == "-N") {
        if (name.empty() || entry.empty()) return "`create NAME TYPE` was expected";
        into.sets.at("ipset", name)->define({file, number, 0});
        return nullptr;
    }
    if (command == "add" || command == "-A") {
        if (name.empty() || entry.empty()) return "`add NAME ENTRY` was expected";
        return add(into, name, entry, words);
    }
    if (command == "flush" || command == "destroy" || command == "COMMIT") return nullptr;
    return "`create` or `add` was expected";
}

}  // namespace

ReadResult read_ipset(Reading& into, uint32_t file) {
    ReadResult error;
    const std::string_view text = into.source(file).text;
    for_each_line(text, [&](uint32_t number, std::string_view line) {
        if (error) return;
        if (const char* what = read_line(into, file, number, line)) {
            error =
                error_at(into.source(file), static_cast<size_t>(line.data() - text.data()), what);
        }
    });
    return error;
}

}  // namespace edgecase::allowlist
