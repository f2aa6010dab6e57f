#include <algorithm>
#include <array>
#include <charconv>

#include "allowlist/contains.hpp"
#include "allowlist/nft_keys.hpp"

namespace edgecase::allowlist {
namespace {

using Kind = NftKey::Kind;
using Operator = NftValues::Operator;
using Words = std::vector<std::string_view>;

struct FlagName {
    std::string_view name;
    uint32_t bit;
};
constexpr std::array kTcpFlags{FlagName{"fin", 1},  FlagName{"syn", 2},  FlagName{"rst", 4},
                               FlagName{"psh", 8},  FlagName{"ack", 16}, FlagName{"urg", 32},
                               FlagName{"ecn", 64}, FlagName{"cwr", 128}};
constexpr std::array kStates{FlagName{"invalid", State::kInvalid},
                             FlagName{"established", State::kEstablished},
                             FlagName{"related", State::kRelated}, FlagName{"new", State::kNew},
                             FlagName{"untracked", State::kUntracked}};

std::optional<uint32_t> number_of(std::string_view text) {
    int base = 10;
    if (text.starts_with("0x")) {
        text.remove_prefix(2);
        base = 16;
    }
    uint32_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number, base);
    if (error != std::errc() || rest != end || text.empty()) return std::nullopt;
    return number;
}

template <size_t N>
std::optional<uint32_t> bits_of(const Words& words, const std::array<FlagName, N>& names) {
    uint32_t bits = 0;
    for (const std::string_view word : words) {
        const auto found = std::ranges::find(names, word, &FlagName::name);
        if (found != names.end()) {
            bits |= found->bit;
        } else if (const auto number = number_of(word)) {
            bits |= *number;
        } else {
            return std::nullopt;
        }
    }
    return bits;
}

Words words_of(const NftValues& values) {
    Words words;
    for (const NftElement& element : values.elements) words.push_back(element.parts[0]);
    return words;
}

bool is_equality(Operator op) {
    return op == Operator::implicit || op == Operator::equal || op == Operator::unequal;
}

std::optional<Match> address_match(const NftKey& key, const NftValues& values) {
    if (values.has_mask || !is_equality(values.op)) return std::nullopt;
    SetBuilder builder;
    builder.define({});
    for (const NftElement& element : values.elements) {
        if (element.parts[0] == "*") {
            builder.add({ip::Family::v4, {{}, ip::last_of(ip::Family::v4)}});
            builder.add({ip::Family::v6, {{}, ip::last_of(ip::Family::v6)}});
            continue;
        }
        const auto range = AddressRange::parse(element.parts[0]);
        if (!range) return std::nullopt;
        builder.add(*range);
    }
    builder.finish();
    return Match{key.is_source ? MatchKind::source : MatchKind::destination, false, 0, 0,
                 builder.operand()};
}

std::optional<Match> port_match(const NftKey& key, const NftValues& values) {
    if (values.has_mask) return std::nullopt;
    Match match{key.is_source ? MatchKind::source_port : MatchKind::destination_port, false, 0, 0,
                nullptr};
    std::vector<PortRange> ports;
    for (const NftElement& element : values.elements) {
        const auto range =
            element.parts[0] == "*" ? PortRange{0, 65535} : parse_ports(element.parts[0]);
        if (!range) return std::nullopt;
        ports.push_back(*range);
    }
    if (ports.empty()) return std::nullopt;
    const PortRange first = ports[0];
    switch (values.op) {
        case Operator::implicit:
        case Operator::equal:
        case Operator::unequal:
            break;
        case Operator::less:
            if (first.first == 0) return never();
            ports = {{0, first.first - 1}};
            break;
        case Operator::at_most:
            ports = {{0, first.first}};
            break;
        case Operator::greater:
            if (first.first >= 65535) return never();
            ports = {{first.first + 1, 65535}};
            break;
        case Operator::at_least:
            ports = {{first.first, 65535}};
            break;
        case Operator::none:
            return std::nullopt;
    }
    if (ports.size() == 1) {
        match.first = ports[0].first;
        match.last = ports[0].last;
    } else {
        auto operand = std::make_shared<Operand>();
        operand->ports = std::move(ports);
        match.operand = std::move(operand);
    }
    return match;
}

/// Whether our packet has this word: a name, a number such as 0x06, or a range of numbers.
/// Nullopt: nobody knows.
std::optional<bool> holds_word(const NftKey& key, std::string_view word) {
    if (word == "*" || contains(key.truths, word)) return true;
    if (contains(key.lies, word)) return false;
    const size_t dash = word.find('-');
    const auto first = number_of(word.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number_of(word.substr(dash + 1));
    if (!first || !last) return std::nullopt;
    for (const std::string_view truth : key.truths) {
        if (const auto number = number_of(truth)) return *first <= *number && *number <= *last;
    }
    return std::nullopt;
}

std::optional<Match> words_match(const NftKey& key, const NftValues& values) {
    if (values.has_mask || !is_equality(values.op)) return std::nullopt;
    bool is_known = true;
    for (const std::string_view word : words_of(values)) {
        const auto holds = holds_word(key, word);
        if (holds == true) return Match{};
        is_known &= holds.has_value();
    }
    return is_known ? std::optional(never()) : std::nullopt;
}

std::optional<Match> family_key_match(const NftValues& values) {
    if (values.has_mask || !is_equality(values.op)) return std::nullopt;
    bool v4 = false;
    bool v6 = false;
    for (const std::string_view word : words_of(values)) {
        v4 |= word == "ipv4" || word == "ip" || word == "0x0800" || word == "2" || word == "*";
        v6 |= word == "ipv6" || word == "ip6" || word == "0x86dd" || word == "10" || word == "*";
        constexpr std::array<std::string_view, 4> kOthers{"arp", "vlan", "8021q", "8021ad"};
        const auto number = number_of(word);
        v4 |= number == 0x0800U;
        v6 |= number == 0x86ddU;
        const bool is_name = word == "ipv4" || word == "ip" || word == "ipv6" || word == "ip6" ||
                             word == "*" || contains(kOthers, word);
        if (!is_name && !number) return std::nullopt;
    }
    if (v4 == v6) return v4 ? Match{} : never();
    return Match{MatchKind::family, false, v4 ? 0U : 1U, 0, nullptr};
}

std::optional<Match> state_match(const NftValues& values) {
    if (!is_equality(values.op)) return std::nullopt;
    if (values.has_mask) {
        // `ct state & (a | b) != 0` is `ct state a,b`.
        const auto mask = bits_of(values.mask, kStates);
        const auto value = bits_of(words_of(values), kStates);
        if (!mask || value != 0U) return std::nullopt;
        return Match{MatchKind::state, true, *mask, 0, nullptr};
    }
    const Words words = words_of(values);
    if (words == Words{"*"}) return Match{};
    const auto bits = bits_of(words, kStates);
    if (!bits) return std::nullopt;
    return Match{MatchKind::state, false, *bits, 0, nullptr};
}

std::optional<Match> tcp_flags_match(const NftValues& values) {
    if (values.is_set && values.elements.size() > 1) return std::nullopt;
    const auto value = bits_of(words_of(values), kTcpFlags);
    const auto mask = bits_of(values.mask, kTcpFlags);
    if (!value || !mask) return std::nullopt;
    Match match{MatchKind::tcp_flags, false, 0xff, *value, nullptr};
    if (values.has_mask) {
        match.first = *mask;
    } else if (values.op == Operator::none) {
        match.first = *value;
        match.last = 0;
    } else if (values.op == Operator::implicit && !values.is_set) {
        match.first = *value;  // any of them
        match.last = 0;
        match.is_negated = true;
    }
    if (!is_equality(values.op) && values.op != Operator::none) return std::nullopt;
    return match;
}

std::optional<Match> mark_match(const NftValues& values) {
    if (!is_equality(values.op)) return std::nullopt;
    const Words words = words_of(values);
    const bool has_zero =
        std::ranges::any_of(words, [](std::string_view word) { return number_of(word) == 0U; });
    for (const std::string_view word : words) {
        if (!number_of(word)) return std::nullopt;
    }
    return Match{MatchKind::mark, false, 0, has_zero ? 0U : 1U, nullptr};
}

std::optional<Match> interface_match(MatchKind kind, const NftValues& values) {
    if (values.has_mask || !is_equality(values.op)) return std::nullopt;
    auto operand = std::make_shared<Operand>();
    for (const std::string_view word : words_of(values)) {
        if (!operand->text.empty()) operand->text += '\n';
        operand->text += word;
    }
    return Match{kind, false, 0, 0, std::move(operand)};
}

std::optional<Match> single_match(const NftKey& key, const NftValues& values) {
    switch (key.kind) {
        case Kind::address:
            return address_match(key, values);
        case Kind::port:
            return port_match(key, values);
        case Kind::words:
            return words_match(key, values);
        case Kind::family:
            return family_key_match(values);
        case Kind::state:
            return state_match(values);
        case Kind::tcp_flags:
            return tcp_flags_match(values);
        case Kind::mark:
            return mark_match(values);
        case Kind::interface_in:
            return interface_match(MatchKind::interface_in, values);
        case Kind::interface_out:
            return interface_match(MatchKind::interface_out, values);
        case Kind::chance:
            return Match{MatchKind::limit, false, 0, 0, nullptr};
        case Kind::unknown:
            return std::nullopt;
    }
    return std::nullopt;
}

/// Of a set by name: its content is known later.
std::optional<Match> named_match(const std::vector<NftKey>& keys, const NftValues& values,
                                 const NftScope& scope) {
    if (!is_equality(values.op) || values.has_mask) return std::nullopt;
    const auto operand = scope.sets.at(scope.name, values.set_name)->operand();
    const NftKey& first = keys[0];
    MatchKind kind = first.is_source ? MatchKind::source : MatchKind::destination;
    if (keys.size() == 1) {
        if (first.kind == Kind::port) {
            kind = first.is_source ? MatchKind::source_port : MatchKind::destination_port;
        } else if (first.kind != Kind::address) {
            return std::nullopt;
        }
        return Match{kind, false, 0, 0, operand};
    }
    // An address and the port of the origin's side; a protocol between them is part of the element.
    const auto address = std::ranges::find(keys, Kind::address, &NftKey::kind);
    const auto port = std::ranges::find(keys, Kind::port, &NftKey::kind);
    if (address == keys.end() || port == keys.end() || address->is_source == port->is_source) {
        return std::nullopt;
    }
    const bool others_are_known = std::ranges::all_of(keys, [](const NftKey& key) {
        return key.kind == Kind::address || key.kind == Kind::port || key.kind == Kind::words;
    });
    if (!others_are_known) return std::nullopt;
    kind = address->is_source ? MatchKind::source_and_port : MatchKind::destination_and_port;
    return Match{kind, false, 0, 0, operand};
}

/// Of a set of concatenations in braces.
std::optional<Match> joint_match(const std::vector<NftKey>& keys, const NftValues& values) {
    if (!is_equality(values.op) || values.has_mask) return std::nullopt;
    SetBuilder builder;
    builder.define({});
    bool is_source = true;
    bool has_address = false;
    for (const NftElement& element : values.elements) {
        if (element.count != keys.size()) return std::nullopt;
        std::optional<AddressRange> range;
        std::optional<PortRange> ports;
        bool holds = true;
        for (size_t i = 0; i < keys.size(); ++i) {
            const NftKey& key = keys[i];
            if (key.kind == Kind::address) {
                range = AddressRange::parse(element.parts[i]);
                is_source = key.is_source;
                if (!range) return std::nullopt;
            } else if (key.kind == Kind::port) {
                ports = parse_ports(element.parts[i]);
                if (!ports) return std::nullopt;
            } else if (key.kind == Kind::words) {
                const auto has_word = holds_word(key, element.parts[i]);
                if (!has_word) return std::nullopt;
                holds &= *has_word;
            } else {
                return std::nullopt;
            }
        }
        if (!ports) return std::nullopt;
        has_address |= range.has_value();
        if (holds && range) {
            builder.add_pair(*range, *ports);
        } else if (holds) {
            builder.add_ports(*ports);
        }
    }
    const auto port = std::ranges::find(keys, Kind::port, &NftKey::kind);
    if (port == keys.end()) return std::nullopt;
    builder.finish();
    if (!has_address) {
        return Match{port->is_source ? MatchKind::source_port : MatchKind::destination_port, false,
                     0, 0, builder.operand()};
    }
    if (port->is_source == is_source) return std::nullopt;
    return Match{is_source ? MatchKind::source_and_port : MatchKind::destination_and_port, false, 0,
                 0, builder.operand()};
}

}  // namespace

Match nft_match(const std::vector<NftKey>& keys, const NftValues& values, const NftScope& scope) {
    std::optional<Match> match;
    if (!values.set_name.empty()) {
        match = named_match(keys, values, scope);
    } else if (keys.size() == 1) {
        match = single_match(keys[0], values);
    } else {
        match = joint_match(keys, values);
    }
    if (!match) {
        std::string what;
        for (const NftKey& key : keys) what += (what.empty() ? "" : " . ") + key.text;
        return unknown_match(std::move(what));
    }
    if (values.op == Operator::unequal) match->is_negated = !match->is_negated;
    return *match;
}

}  // namespace edgecase::allowlist
