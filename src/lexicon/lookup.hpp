// Owns finding other systems' words: by name, and in whole log lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "cause/table.hpp"
#include "lexicon/word.hpp"

namespace edgecase::lexicon {

struct Match {
    const Vocabulary* vocabulary;
    const Word* word;
};

/// What `text` may be: a word of any vocabulary, whatever its case; an Envoy detail with its reason
/// in braces, both; several flags of Envoy with commas; a HAProxy state with its two letters of the
/// cookie (`SH--`, `SHVN`); a status with words around it (`502 Bad Gateway`); the number of a
/// message (`AH01102`); else what find_in_line() finds. Those of an exact word first. Empty:
/// nobody's word.
std::vector<Match> look_up(std::string_view text);

/// The phrases that a log line holds, the longest of each vocabulary, and the words in it that
/// cannot be mistaken for others (`ECONNRESET`, `upstream_reset_before_response_started`, `SH--`);
/// if there is none of these, the system's own texts (`Broken pipe`).
std::vector<Match> find_in_line(std::string_view line);

/// The number in `520`, `error 520`, `HTTP/1.1 502`, `502 Bad Gateway`. Empty: no such text.
std::string_view status_in(std::string_view text);

/// What makes somebody's proxy answer so.
std::vector<Match> leading_to(uint16_t status);

/// The word of one piece that is nearest to what was typed; empty: none is near.
std::string_view nearest_word(std::string_view text);

/// How many letters must be changed, added or left out; case makes no difference.
size_t letters_apart(std::string_view a, std::string_view b);

/// Our causes that the word may be, in the order of the table.
std::vector<const cause::Row*> causes_of(const Word& word);

bool may_be(const Word& word, const cause::Row& row);

}  // namespace edgecase::lexicon
