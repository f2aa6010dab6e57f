// Owns what stands on the left of a match in nft's language, and the match that it makes with
// values.
#pragma once

#include <optional>
#include <string>

#include "allowlist/nft_values.hpp"
#include "allowlist/sets.hpp"

namespace edgecase::allowlist {

struct NftKey {
    enum class Kind : uint8_t {
        address,
        port,
        words,  // it holds if one of `truths` is among the values
        family,
        state,
        tcp_flags,
        mark,
        interface_in,
        interface_out,
        chance,
        unknown,
    };
    Kind kind = Kind::unknown;
    bool is_source = false;
    std::vector<std::string_view> truths;
    std::vector<std::string_view> lies;  // words known not to hold; others are unknown
    std::vector<Match> guards;           // what the key itself demands, such as IPv4
    std::string text;
};

Match never();
Match unknown_match(std::string what);

/// Reads a key such as `ip saddr`. Nullopt: it is none, or its form is not known.
std::optional<NftKey> read_nft_key(NftLexer& lexer);

/// Who may be looked up by name: the sets of one table.
struct NftScope {
    Sets& sets;
    std::string name;
};

/// One match for the key, or for the concatenation of several. What cannot be modelled gives an
/// unknown match.
Match nft_match(const std::vector<NftKey>& keys, const NftValues& values, const NftScope& scope);

}  // namespace edgecase::allowlist
