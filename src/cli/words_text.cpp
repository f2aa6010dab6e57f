#include "cli/words_text.hpp"

#include "cli/terminal_text.hpp"
#include "record/json_text.hpp"

namespace edgecase::cli {
namespace {

using lexicon::Match;
using lexicon::Vocabulary;
using lexicon::Word;
using nlohmann::ordered_json;

constexpr size_t kKeyColumns = 14;
constexpr size_t kFewCauses = 8;  // more are told by their families

std::string_view next_of(const Match& match) {
    return match.word->next.empty() ? match.vocabulary->next : match.word->next;
}

std::string causes_text(const Word& word) {
    const auto rows = lexicon::causes_of(word);
    std::string text;
    if (rows.size() > kFewCauses) {
        text = word.causes;
        for (size_t at = 0; (at = text.find(' ', at)) != std::string::npos; at += 2) {
            text.replace(at, 1, ", ");
        }
        return text;
    }
    for (const cause::Row* row : rows) {
        text += (text.empty() ? "" : ", ") + std::string(row->name);
    }
    return text.empty() && word.causes == "none" ? "none: nothing failed" : text;
}

ordered_json word_json(const Match& match) {
    ordered_json causes = ordered_json::array();
    for (const cause::Row* row : lexicon::causes_of(*match.word)) causes.push_back(row->name);
    return {{"system", match.vocabulary->system},
            {"vocabulary", match.vocabulary->title},
            {"word", match.word->word},
            {"meaning", match.word->meaning},
            {"cannot_tell", match.word->blind},
            {"causes", std::move(causes)},
            {"next", next_of(match)}};
}

}  // namespace

std::string words_text(std::span<const Match> matches, bool colour) {
    const Painter paint(colour);
    std::string text;
    for (const Match& match : matches) {
        if (!text.empty()) text += "\n";
        text += paint(Colour::bold, match.word->word) + "  " +
                paint(Colour::dim, match.vocabulary->title) + "\n  " +
                wrapped(match.word->meaning, 2) + "\n\n";
        const auto line = [&](std::string_view key, std::string_view value) {
            if (value.empty()) return;
            text += "  " + paint(Colour::dim, key) + std::string(kKeyColumns - key.size(), ' ') +
                    wrapped(value, kKeyColumns + 2) + "\n";
        };
        line("cannot tell", match.word->blind);
        const std::string causes = causes_text(*match.word);
        line("may be", causes.empty() ? "none of our causes" : causes);
        line("look next", next_of(match));
    }
    return text;
}

ordered_json words_json(std::string_view asked, std::span<const Match> matches) {
    ordered_json list = ordered_json::array();
    for (const Match& match : matches) list.push_back(word_json(match));
    return {{"asked", record::json_text(asked)}, {"matches", std::move(list)}};
}

std::string word_list_text(bool colour) {
    const Painter paint(colour);
    std::string text;
    for (const Vocabulary& vocabulary : lexicon::vocabularies()) {
        text += (text.empty() ? "" : "\n") + paint(Colour::bold, vocabulary.title) + "\n";
        for (const Word& word : vocabulary.words) {
            text += "  " + paint(Colour::cyan, word.word) + "\n      " + wrapped(word.meaning, 6) +
                    "\n";
        }
    }
    return text;
}

ordered_json word_list_json() {
    ordered_json list = ordered_json::array();
    for (const Vocabulary& vocabulary : lexicon::vocabularies()) {
        for (const Word& word : vocabulary.words) list.push_back(word_json({&vocabulary, &word}));
    }
    return list;
}

}  // namespace edgecase::cli
