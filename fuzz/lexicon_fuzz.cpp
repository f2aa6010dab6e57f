// Any line of a log: looking it up ends, and finds only words of the vocabularies, once each.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "expect.hpp"
#include "lexicon/lookup.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace edgecase;
    const std::string_view line(reinterpret_cast<const char*>(data), size);
    const auto found = lexicon::find_in_line(line);
    for (const lexicon::Match& match : found) {
        const auto words = match.vocabulary->words;
        fuzz::expect(match.word >= words.data() && match.word < words.data() + words.size(),
                     "a word is one of its vocabulary");
        fuzz::expect(std::ranges::count(found, match.word, &lexicon::Match::word) == 1,
                     "a word is found once");
    }
    fuzz::expect(lexicon::look_up(line).size() >= (found.empty() ? 0U : 1U),
                 "a line that says something is known");
    return 0;
}
