#include "allowlist/matches.hpp"

#include <algorithm>

namespace edgecase::allowlist {
namespace {

constexpr uint32_t kSyn = 0x02;
constexpr uint32_t kRst = 0x04;
constexpr uint32_t kPsh = 0x08;
constexpr uint32_t kAck = 0x10;

Truth of(bool holds) {
    return holds ? Truth::yes : Truth::no;
}

Truth opposite(Truth truth) {
    if (truth == Truth::yes) return Truth::no;
    return truth == Truth::no ? Truth::yes : truth;
}

std::vector<PortRange> ports_of(const Match& match) {
    if (match.operand) return match.operand->ports;
    return {{match.first, match.last}};
}

bool has_port(const Match& match, uint32_t port) {
    if (!match.operand) return match.first <= port && port <= match.last;
    return std::ranges::any_of(match.operand->ports, [port](const PortRange& range) {
        return range.first <= port && port <= range.last;
    });
}

/// The edge's port is not known, so only what holds for all of them holds.
Truth has_ephemeral(const Match& match) {
    std::vector<PortRange> ranges = ports_of(match);
    std::ranges::sort(ranges);
    uint32_t next = kEphemeral.first;
    bool is_any = false;
    for (const PortRange& range : ranges) {
        if (range.last < kEphemeral.first) continue;
        is_any = true;
        if (range.first > next) return Truth::unknown;
        next = std::max(next, range.last + 1);
    }
    if (!is_any) return Truth::no;
    return next > kEphemeral.last ? Truth::yes : Truth::unknown;
}

Truth port_truth(const Match& match, bool is_near, uint16_t port) {
    // A set that packets add ports to has others the next moment.
    const bool is_open = match.operand && (!match.operand->is_defined || match.operand->is_dynamic);
    if (is_open) return Truth::unknown;
    return is_near ? of(has_port(match, port)) : has_ephemeral(match);
}

/// Another's address: our own, known only if it was given.
Truth own_address(const Match& match, const Question& question) {
    if (!match.operand->is_defined || match.operand->is_dynamic) return Truth::unknown;
    const ip::AddressSet& set = match.operand->of(question.family);
    if (set.is_all()) return Truth::yes;
    if (set.empty() && match.operand->pairs.empty()) return Truth::no;
    if (!question.destination || ip::family_of(*question.destination) != question.family ||
        !match.operand->pairs.empty()) {
        return Truth::unknown;
    }
    return of(set.contains(ip::number_of(*question.destination)));
}

/// Patterns end in `*` (nft) or `+` (iptables).
bool fits(std::string_view pattern, std::string_view name) {
    if (!pattern.empty() && (pattern.back() == '*' || pattern.back() == '+')) {
        return name.starts_with(pattern.substr(0, pattern.size() - 1));
    }
    return pattern == name;
}

/// One name or several, each on its line.
Truth interface_truth(std::string_view patterns, std::string_view name) {
    Truth truth = Truth::no;
    for (bool is_last = false; !is_last;) {
        const size_t end = patterns.find('\n');
        const std::string_view pattern = patterns.substr(0, end);
        if (pattern == "*" || pattern == "+") return Truth::yes;
        if (name.empty()) {
            // The edge is another machine.
            if (pattern != "lo") truth = Truth::unknown;
        } else if (fits(pattern, name)) {
            return Truth::yes;
        }
        is_last = end == std::string_view::npos;
        patterns.remove_prefix(is_last ? patterns.size() : end + 1);
    }
    return truth;
}

/// Source: nf_conntrack; a reset that answers a packet is attached to its connection as related.
uint32_t state_of(const Packet& packet) {
    if (!packet.is_tracked) return State::kInvalid;
    switch (packet.phase) {
        case Phase::first:
            return State::kNew;
        case Phase::reply:
        case Phase::later:
            return State::kEstablished;
        case Phase::reset:
            return State::kRelated;
    }
    return 0;
}

Truth flags_truth(Phase phase, const Match& match) {
    // Later packets have PSH or not.
    if (phase == Phase::later && (match.first & kPsh) != 0) return Truth::unknown;
    const uint32_t flags = phase == Phase::first   ? kSyn
                           : phase == Phase::reply ? kSyn | kAck
                           : phase == Phase::reset ? kRst | kAck
                                                   : kAck;
    return of((flags & match.first) == match.last);
}

Truth plain_truth(const Packet& packet, const Match& match) {
    const Question& question = packet.question;
    switch (match.kind) {
        case MatchKind::always:
            return Truth::yes;
        case MatchKind::family:
            return of(match.first == static_cast<uint32_t>(question.family));
        case MatchKind::source:
        case MatchKind::destination:
        case MatchKind::source_and_port:
        case MatchKind::destination_and_port:
            return own_address(match, question);
        case MatchKind::source_port:
            return port_truth(match, packet.is_reply(), question.port);
        case MatchKind::destination_port:
            return port_truth(match, !packet.is_reply(), question.port);
        case MatchKind::state:
            if (packet.rules.skips_tracking) return Truth::unknown;
            return of((match.first & state_of(packet)) != 0);
        case MatchKind::tcp_flags:
            return flags_truth(packet.phase, match);
        case MatchKind::mark:
            if (packet.rules.sets_marks) return Truth::unknown;
            return of(match.last == 0);
        case MatchKind::interface_in:
            // What this machine sends has come from no interface.
            return packet.is_reply() ? Truth::no
                                     : interface_truth(match.operand->text, question.interface_in);
        case MatchKind::interface_out:
            return packet.is_reply() ? interface_truth(match.operand->text, question.interface_in)
                                     : Truth::no;
        case MatchKind::limit:
            return Truth::sometimes;
        case MatchKind::unknown:
            return Truth::unknown;
    }
    return Truth::unknown;
}

}  // namespace

Truth Packet::truth(const Match& match) const {
    // Negation of a limit says which of its two states matches, not more.
    const Truth truth = plain_truth(*this, match);
    return match.is_negated ? opposite(truth) : truth;
}

}  // namespace edgecase::allowlist
