#include "allowlist/nft_keys.hpp"
#include "allowlist/contains.hpp"

#include <algorithm>
#include <array>

namespace edgecase::allowlist {
namespace {

using Kind = NftKey::Kind;

Match family_match(ip::Family family) {
    return {MatchKind::family, false, static_cast<uint32_t>(family), 0, nullptr};
}

NftKey words(std::vector<std::string_view> truths) {
    NftKey key;
    key.kind = Kind::words;
    key.truths = std::move(truths);
    return key;
}

/// The protocol above IP, ours being tcp.
NftKey protocol_key() {
    NftKey key = words({"tcp", "6"});
    key.lies = {"udp",  "udplite", "sctp", "dccp", "icmp",  "icmpv6", "ipv6-icmp",
                "igmp", "esp",     "ah",   "gre",  "comp",  "ospf",   "vrrp",
                "pim",  "ipip",    "ipv6", "l2tp", "ipcomp"};
    return key;
}

NftKey plain(Kind kind) {
    NftKey key;
    key.kind = kind;
    return key;
}

NftKey ip_key(std::string_view field, ip::Family family) {
    NftKey key;
    if (field == "saddr" || field == "daddr") {
        key.kind = Kind::address;
        key.is_source = field == "saddr";
    } else if (field == "protocol" || field == "nexthdr") {
        key = protocol_key();
    } else if (field == "version") {
        key = words({family == ip::Family::v4 ? "4" : "6"});
    }
    key.guards = {family_match(family)};
    return key;
}

NftKey tcp_key(std::string_view field) {
    NftKey key;
    if (field == "sport" || field == "dport") {
        key.kind = Kind::port;
        key.is_source = field == "sport";
    } else if (field == "flags") {
        key.kind = Kind::tcp_flags;
    }
    return key;
}

NftKey meta_key(std::string_view field) {
    if (field == "iif" || field == "iifname") return plain(Kind::interface_in);
    if (field == "oif" || field == "oifname") return plain(Kind::interface_out);
    if (field == "mark") return plain(Kind::mark);
    if (field == "l4proto") return protocol_key();
    if (field == "nfproto" || field == "protocol") return plain(Kind::family);
    if (field == "pkttype") {
        NftKey key = words({"host", "unicast"});
        key.lies = {"broadcast", "multicast", "other"};
        return key;
    }
    return {};
}

NftKey ct_key(std::string_view field) {
    if (field == "state") return plain(Kind::state);
    if (field == "mark") return plain(Kind::mark);
    if (field == "status") {
        NftKey key = words({});
        // A translated connection has met an unclear rule before.
        key.lies = {"dnat", "snat"};
        return key;
    }
    return {};
}

/// `fib saddr . iif oif missing`: whether there is a way back. There is: else no rule mattered.
std::optional<NftKey> fib_key(NftLexer& lexer) {
    std::string_view first;
    while (lexer.peek().kind == NftKind::word) {
        const std::string_view word = lexer.next().text;
        if (first.empty()) first = word;
        if (word == "oif" || word == "oifname" || word == "check") {
            NftKey key = words({"exists", "1", "true"});
            key.lies = {"missing", "0", "false"};
            return key;
        }
        if (word == "type") {
            NftKey key = words({first == "daddr" ? "local" : "unicast"});
            key.lies = {"unicast", "local",       "broadcast", "multicast",
                        "anycast", "unreachable", "prohibit",  "blackhole"};
            return key;
        }
    }
    return std::nullopt;
}

/// `numgen random mod 100 offset 5`
std::optional<NftKey> chance_key(NftLexer& lexer) {
    if (!lexer.accept("random") && !lexer.accept("inc")) return std::nullopt;
    if (!lexer.accept("mod")) return std::nullopt;
    lexer.next();
    if (lexer.accept("offset")) lexer.next();
    return plain(Kind::chance);
}

constexpr std::array<std::string_view, 9> kOtherProtocols{
    "udp", "udplite", "sctp", "dccp", "icmp", "icmpv6", "igmp", "esp", "ah"};
constexpr std::array<std::string_view, 12> kBareMeta{"iif",     "iifname", "oif",       "oifname",
                                                     "mark",    "skuid",   "skgid",     "iiftype",
                                                     "oiftype", "cgroup",  "rtclassid", "iifgroup"};
constexpr std::array<std::string_view, 3> kOtherHeaders{"ether", "vlan", "arp"};
/// Of IPv6; the edge's packets have none, and without the header nothing matches.
constexpr std::array<std::string_view, 4> kExtensionHeaders{"frag", "hbh", "dst", "mh"};

/// `rt classid` and others are about the route.
bool is_routing_header(std::string_view word, std::string_view field) {
    return word == "rt" && (field == "type" || field == "nexthdr" || field == "hdrlength" ||
                            field == "seg-left" || field == "reserved");
}

}  // namespace

Match never() {
    return {MatchKind::always, true, 0, 0, nullptr};
}

Match unknown_match(std::string what) {
    auto operand = std::make_shared<Operand>();
    operand->text = std::move(what);
    return {MatchKind::unknown, false, 0, 0, std::move(operand)};
}

std::optional<NftKey> read_nft_key(NftLexer& lexer) {
    if (lexer.peek().kind != NftKind::word) return std::nullopt;
    const std::string_view word = lexer.peek().text;
    NftKey key;
    std::string_view field;
    const auto take_field = [&] {
        lexer.next();
        field = lexer.peek().kind == NftKind::word ? lexer.next().text : std::string_view();
        return !field.empty();
    };
    if (contains(kBareMeta, word)) {
        lexer.next();
        key = meta_key(word);
    } else if (word == "fib") {
        lexer.next();
        return fib_key(lexer);
    } else if (word == "numgen") {
        lexer.next();
        return chance_key(lexer);
    } else if (word == "ip" || word == "ip6") {
        if (!take_field()) return std::nullopt;
        key = ip_key(field, word == "ip" ? ip::Family::v4 : ip::Family::v6);
    } else if (word == "tcp" || word == "th") {
        if (!take_field() || field == "option") return std::nullopt;
        key = tcp_key(field);
    } else if (word == "meta" || word == "ct") {
        if (!take_field() || field == "original" || field == "reply") return std::nullopt;
        key = word == "meta" ? meta_key(field) : ct_key(field);
    } else if (contains(kOtherProtocols, word)) {
        if (!take_field()) return std::nullopt;
        key.guards = {never()};
    } else if (contains(kOtherHeaders, word)) {
        if (!take_field()) return std::nullopt;
    } else if (contains(kExtensionHeaders, word) || word == "rt") {
        if (!take_field()) return std::nullopt;
        if (word != "rt" || is_routing_header(word, field)) key.guards = {never()};
    } else if (word == "exthdr") {
        if (!take_field()) return std::nullopt;
        key = words({"missing", "0", "false"});
        key.lies = {"exists", "1", "true"};
    } else {
        return std::nullopt;
    }
    key.text = field.empty() ? std::string(word) : std::string(word) + " " + std::string(field);
    return key;
}

}  // namespace edgecase::allowlist
