// Owns what stands on the right of a match in nft's language: values, sets and maps, still as
// words.
#pragma once

#include <array>
#include <map>
#include <string_view>
#include <vector>

#include "allowlist/model.hpp"
#include "allowlist/nft_lexer.hpp"

namespace edgecase::allowlist {

/// `define NAME = ...`, by name. Definitions can double each other.
struct NftDefinitions {
    /// Elements that are taken from definitions, in one file: a second and a hundred MiB.
    static constexpr size_t kMaxExpanded = 1'000'000;

    std::map<std::string_view, std::string_view> texts;
    mutable size_t expanded = 0;  // so far; definitions within definitions count as well

    bool is_exhausted() const { return expanded > kMaxExpanded; }
};

struct NftElement {
    static constexpr size_t kMaxParts = 4;  // of a concatenation; more is not modelled
    std::array<std::string_view, kMaxParts> parts;
    size_t count = 0;
    Action action = Action::proceed;  // of a verdict map
    std::string_view chain;
    bool has_verdict = false;
};

struct NftValues {
    enum class Operator : uint8_t {
        implicit,
        equal,
        unequal,
        less,
        greater,
        at_most,
        at_least,
        none
    };
    Operator op = Operator::implicit;
    bool is_map = false;
    bool is_set = false;        // in braces
    std::string_view set_name;  // of `@NAME`
    std::vector<NftElement> elements;
    std::vector<std::string_view> mask;  // of `& MASK ==` and of `VALUE / MASK`
    bool has_mask = false;
};

/// Reads an operator and its values. False: something that is not modelled, and nobody knows where
/// it ends.
bool read_values(NftLexer& lexer, const NftDefinitions& definitions, NftValues& into);

/// The elements of a set up to its closing brace; the opening one is read already.
/// False: too many, or no set.
bool read_elements(NftLexer& lexer, const NftDefinitions& definitions,
                   std::vector<NftElement>& into, int depth = 0);

/// The elements of `$NAME`, which is next. False: there is no such definition, or it is no set.
bool read_defined_elements(NftLexer& lexer, const NftDefinitions& definitions,
                           std::vector<NftElement>& into);

/// `accept`, `drop`, `return`, `continue`, `jump CHAIN`, `goto CHAIN`. False: none of them.
bool read_verdict(NftLexer& lexer, Action& action, std::string_view& chain);

}  // namespace edgecase::allowlist
