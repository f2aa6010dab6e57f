// Owns the words that other systems have for what goes wrong: one row each, by vocabulary.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace edgecase::lexicon {

struct Word {
    std::string_view word;        // as its system writes it; a phrase: what a line holds, see below
    std::string_view meaning;     // one sentence
    std::string_view causes;      // ours that it may be: names or families, by spaces; may be empty
    std::string_view blind = {};  // what it cannot tell apart; empty: nothing that matters
    std::string_view next = {};   // what to look at next; empty: what its vocabulary says
};

enum class Kind : uint8_t {
    token,   // stands alone: `UC`, `SH`, `ECONNRESET`; case is ignored
    phrase,  // is part of a log line; ` ... ` stands for anything between its two sides
};

struct Vocabulary {
    std::string_view system;  // who speaks it, for JSON: `haproxy`
    std::string_view title;   // `HAProxy termination state`
    Kind kind;
    std::string_view next;  // what to look at next
    std::span<const Word> words;
};

/// All of them, those that are asked for most first.
/// Source: reference of each vendor; docs/lexicon.md names them.
std::span<const Vocabulary> vocabularies();

}  // namespace edgecase::lexicon
