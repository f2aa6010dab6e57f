// The text of `ipset save`: sets for the rules of iptables.
#include <algorithm>
#include <array>

#include "allowlist/contains.hpp"
#include "allowlist/iptables_words.hpp"
#include "allowlist/readers.hpp"

namespace edgecase::allowlist {
namespace {

/// What elements a type of set has, by its name today or the one of ipset 4.
SetShape shape_of(std::string_view type) {
    constexpr std::array kShapes{std::pair{std::string_view("hash:ip"), SetShape::addresses},
                                 std::pair{std::string_view("hash:net"), SetShape::addresses},
                                 std::pair{std::string_view("bitmap:ip"), SetShape::addresses},
                                 std::pair{std::string_view("iphash"), SetShape::addresses},
                                 std::pair{std::string_view("nethash"), SetShape::addresses},
                                 std::pair{std::string_view("ipmap"), SetShape::addresses},
                                 std::pair{std::string_view("bitmap:port"), SetShape::ports},
                                 std::pair{std::string_view("portmap"), SetShape::ports},
                                 std::pair{std::string_view("hash:ip,port"), SetShape::pairs},
                                 std::pair{std::string_view("hash:net,port"), SetShape::pairs},
                                 std::pair{std::string_view("ipporthash"), SetShape::pairs},
                                 std::pair{std::string_view("list:set"), SetShape::sets},
                                 std::pair{std::string_view("setlist"), SetShape::sets}};
    const auto found = std::ranges::find(kShapes, type, [](const auto& one) { return one.first; });
    return found == kShapes.end() ? SetShape::other : found->second;
}

/// `ADDRESS,tcp:443`; without the protocol, tcp is meant.
void add_pair(SetBuilder& set, std::string_view entry) {
    const auto not_modelled = [&] { set.make_unknown("entries such as " + std::string(entry)); };
    const size_t comma = entry.find(',');
    if (comma == std::string_view::npos) return not_modelled();
    std::string_view tail = entry.substr(comma + 1);
    if (const size_t colon = tail.find(':'); colon != std::string_view::npos) {
        constexpr std::array<std::string_view, 6> kOthers{"udp",  "udplite", "sctp",
                                                          "icmp", "icmpv6",  "ipv6-icmp"};
        const std::string_view protocol = tail.substr(0, colon);
        if (contains(kOthers, protocol)) return;
        if (protocol != "tcp") return not_modelled();
        tail.remove_prefix(colon + 1);
    }
    const auto range = AddressRange::parse(entry.substr(0, comma));
    const auto ports = parse_ports(tail);
    if (!range || !ports) return not_modelled();
    set.add_pair(*range, *ports);
}

void add(Reading& into, std::string_view name, std::string_view entry, IptablesWords& rest) {
    const auto set = into.sets.at("ipset", name);
    const auto not_modelled = [&] { set->make_unknown("entries such as " + std::string(entry)); };
    bool is_exception = false;
    while (!rest.at_end()) is_exception |= rest.next() == "nomatch";
    switch (set->operand()->shape) {
        case SetShape::sets:
            return set->include(into.sets.at("ipset", entry));
        case SetShape::addresses: {
            const auto range = AddressRange::parse(entry);
            if (!range) return not_modelled();
            if (is_exception) return set->except(*range);
            return set->add(*range);
        }
        case SetShape::ports: {
            const auto ports = parse_ports(entry);
            if (!ports) return not_modelled();
            return set->add_ports(*ports);
        }
        case SetShape::pairs:
            if (is_exception) return not_modelled();
            return add_pair(*set, entry);
        case SetShape::any:
            return set->make_unknown("entries without its `create` line");
        case SetShape::other:  // an interface, a MAC address, two addresses
            return;            // its type says it
    }
}

const char* read_line(Reading& into, uint32_t file, uint32_t number, std::string_view line) {
    IptablesWords words(line);
    const std::string_view command = words.next();
    if (command.empty() || command.starts_with('#')) return nullptr;
    std::string_view name = words.next();
    if (name == "-exist" || name == "-!") name = words.next();
    const std::string_view entry = words.next();
    if (command == "create" || command == "-N") {
        if (name.empty() || entry.empty()) return "`create NAME TYPE` was expected";
        const auto set = into.sets.at("ipset", name);
        set->define({file, number, 0});
        set->set_shape(shape_of(entry));
        if (set->operand()->shape == SetShape::other) {
            set->make_unknown("type " + std::string(entry));
        }
        while (!words.at_end()) {
            // An element then stands for more addresses than it says.
            const std::string_view option = words.next();
            if (option == "netmask" || option == "bitmask") {
                set->make_unknown("elements with a " + std::string(option));
            }
        }
        return nullptr;
    }
    if (command == "add" || command == "-A") {
        if (name.empty() || entry.empty()) return "`add NAME ENTRY` was expected";
        add(into, name, entry, words);
        return nullptr;
    }
    if (command == "swap") {
        if (name == entry) return nullptr;
        const auto other = into.sets.at("ipset", entry);
        into.sets.at("ipset", name)->swap_content(*other);
        return nullptr;
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
