// Owns what every dialect of firewall rules is read into: chains of rules, and the hooks they run
// at.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "allowlist/source.hpp"
#include "cause/table.hpp"
#include "ip/address_set.hpp"

namespace edgecase::allowlist {

constexpr size_t kMaxRules = 4'000'000;      // a reader ends there: what follows is no rule set
constexpr size_t kMaxElements = 16'000'000;  // of all sets together

struct PortRange {
    uint32_t first = 0;
    uint32_t last = 0;
    auto operator<=>(const PortRange&) const = default;
};

/// Addresses that count for some ports alone: an element of a set of `address . port`.
struct AddressPort {
    ip::Family family = ip::Family::v4;
    ip::Interval addresses;
    PortRange ports;
};

/// What the elements of an ipset are, which says what a rule compares them with.
enum class SetShape : uint8_t { any, addresses, ports, pairs, sets, other };

/// What a match compares with, where a number is not enough. Shared by all rules that name a set.
struct Operand {
    std::array<ip::AddressSet, 2> addresses{ip::AddressSet(ip::Family::v4),
                                            ip::AddressSet(ip::Family::v6)};
    std::vector<AddressPort> pairs;
    std::vector<PortRange> ports;
    std::string text;         // an interface's name; of what is not modelled, what it is
    bool is_defined = true;   // false: a set that no file has, or of what `text` says
    bool is_dynamic = false;  // packets add to it, so who is not in it may be the next moment
    SetShape shape = SetShape::any;

    const ip::AddressSet& of(ip::Family family) const {
        return addresses[static_cast<size_t>(family)];
    }
    ip::AddressSet& of(ip::Family family) { return addresses[static_cast<size_t>(family)]; }
};

enum class MatchKind : uint8_t {
    always,
    family,  // first: 0 for IPv4, 1 for IPv6
    source,  // addresses
    destination,
    source_port,  // first to last, or the operand's ports
    destination_port,
    source_and_port,  // pairs of source address and destination port
    destination_and_port,
    state,      // first: bits of State
    tcp_flags,  // first: mask, last: value
    mark,       // the packet's or the connection's; 0 unless a rule sets one
    interface_in,
    interface_out,
    limit,  // sometimes: a rate limit, a random choice
    unknown,
};

/// Bits of conntrack's states, as far as matches name them.
struct State {
    static constexpr uint32_t kInvalid = 1;
    static constexpr uint32_t kEstablished = 2;
    static constexpr uint32_t kRelated = 4;
    static constexpr uint32_t kNew = 8;
    static constexpr uint32_t kUntracked = 16;
};

struct Match {
    MatchKind kind = MatchKind::always;
    bool is_negated = false;  // of a limit: it matches when the rate is exceeded
    uint32_t first = 0;
    uint32_t last = 0;
    std::shared_ptr<const Operand> operand;
};

enum class Action : uint8_t {
    proceed,  // to the next rule
    accept,
    drop,
    reject,
    jump,
    go_to,
    give_back,  // return
    unclear,    // it decides, and how is not modelled: a queue, a redirection
};

constexpr uint32_t kNoChain = UINT32_MAX;

struct Rule {
    std::vector<Match> matches;  // all must hold
    Action action = Action::proceed;
    cause::Cause sees = cause::Cause::none;  // what the edge sees of a drop or a rejection
    uint16_t http_status = 0;                // of a rejection by a web server
    uint32_t chain = kNoChain;               // where jump and go_to lead
    Place place;
    std::string text;  // empty: the line at its place
};

struct Chain {
    std::string name;
    std::vector<Rule> rules;
    bool is_defined = false;
};

/// In the order in which a connection meets them. From `output` on it is the reply's packets.
enum class Hook : uint8_t {
    network,   // a cloud's network ACL
    instance,  // a cloud's security group
    ingress,
    prerouting,
    input,
    application,
    output,
    postrouting,
    egress,
    network_reply,
};

constexpr bool is_reply(Hook hook) {
    return hook >= Hook::output;
}

struct Stage {
    std::string name;  // for people: `iptables filter INPUT`
    Hook hook = Hook::input;
    int priority = 0;
    bool v4 = true;
    bool v6 = true;
    uint32_t chain = kNoChain;
    Action policy = Action::accept;
    cause::Cause policy_sees = cause::Cause::connect_timeout;
    uint16_t policy_http_status = 0;
    Place policy_place;
    std::string policy_text;
    std::vector<PortRange> ports;  // only these; empty: all
    bool is_for_first = false;     // later packets of a connection do not meet it
    uint32_t begins = UINT32_MAX;  // of a web server: the source where its configuration begins
};

/// A set with a name, for telling an old list of the edge's ranges.
struct NamedSet {
    std::string name;
    Place place;
    std::shared_ptr<const Operand> operand;
};

struct Ruleset {
    std::deque<Source> sources;        // stay where they are: readers hold views of them
    std::vector<std::string> formats;  // of each source, for people
    std::vector<Chain> chains;
    std::vector<Stage> stages;
    std::vector<NamedSet> sets;
    std::vector<std::string> notes;   // what a reader assumed or left out
    std::array<bool, 2> speaks_of{};  // by family: whether any source has rules for it
    bool sets_marks = false;
    bool has_limits = false;
    bool skips_tracking = false;
};

}  // namespace edgecase::allowlist
