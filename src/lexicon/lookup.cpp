#include "lexicon/lookup.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/ascii.hpp"

namespace edgecase::lexicon {
namespace {

constexpr std::string_view kGap = " ... ";
constexpr size_t kMaximumLineBytes = 64 * 1024;  // no line of a log says more at its far end
constexpr size_t kHaproxyStateLetters = 2;

bool same(std::string_view a, std::string_view b) {
    return base::iequals(a, b);
}

/// Whether all sides of the phrase stand in the line, in their order.
bool holds(std::string_view line, std::string_view phrase) {
    while (!phrase.empty()) {
        const size_t gap = phrase.find(kGap);
        const std::string_view side = phrase.substr(0, gap);
        const size_t at = line.find(side);
        if (at == std::string_view::npos) return false;
        line.remove_prefix(at + side.size());
        phrase.remove_prefix(gap == std::string_view::npos ? phrase.size() : gap + kGap.size());
    }
    return true;
}

bool is_word_byte(char c) {
    return (base::lower(c) >= 'a' && base::lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '#';
}

/// Long, and with something that no English word has: no line means another thing by it.
bool is_unmistakable(std::string_view word) {
    constexpr size_t kLongEnough = 5;
    if (word.size() < kLongEnough || word.find(' ') != std::string_view::npos) return false;
    if (word.find_first_of("_#") != std::string_view::npos) return true;
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (word[0] == 'E' && std::ranges::all_of(word, is_upper)) return true;  // ECONNRESET
    // CamelCase: OriginReadError.
    return is_upper(word[0]) && std::ranges::count_if(word, is_upper) > 1 &&
           !std::ranges::all_of(word, is_upper);
}

/// `SH--`, `sQVN`: two letters of ours and two of the cookie.
std::string_view haproxy_state(std::string_view token) {
    if (token.size() != 2 * kHaproxyStateLetters) return {};
    constexpr std::string_view kFirst = "CSPLRIDUKcs-";
    constexpr std::string_view kSecond = "RQCHDLT-";
    constexpr std::string_view kThird = "NIDVEOU-";
    constexpr std::string_view kFourth = "NIUPRD-";
    const bool is = kFirst.find(token[0]) != std::string_view::npos &&
                    kSecond.find(token[1]) != std::string_view::npos &&
                    kThird.find(token[2]) != std::string_view::npos &&
                    kFourth.find(token[3]) != std::string_view::npos;
    return is ? token.substr(0, kHaproxyStateLetters) : std::string_view{};
}

bool is_haproxy_state_table(const Vocabulary& vocabulary) {
    return vocabulary.system == "haproxy" && vocabulary.words.front().word.size() == 2;
}

/// Case matters: `sH` and `SH` are two states.
void add_haproxy_state(std::vector<Match>& found, std::string_view letters) {
    for (const Vocabulary& vocabulary : vocabularies()) {
        if (!is_haproxy_state_table(vocabulary)) continue;
        for (const Word& word : vocabulary.words) {
            if (word.word == letters) found.push_back({&vocabulary, &word});
        }
    }
}

void add_exact(std::vector<Match>& found, std::string_view text) {
    for (const Vocabulary& vocabulary : vocabularies()) {
        const bool case_matters = is_haproxy_state_table(vocabulary);
        for (const Word& word : vocabulary.words) {
            if (case_matters ? word.word == text : same(word.word, text)) {
                found.push_back({&vocabulary, &word});
            }
        }
    }
}

void add_once(std::vector<Match>& found, const Match& match) {
    const bool has =
        std::ranges::any_of(found, [&](const Match& other) { return other.word == match.word; });
    if (!has) found.push_back(match);
}

void add_phrases(std::vector<Match>& found, std::string_view line) {
    for (const Vocabulary& vocabulary : vocabularies()) {
        if (vocabulary.kind != Kind::phrase) continue;
        const Word* longest = nullptr;
        for (const Word& word : vocabulary.words) {
            const bool longer = longest == nullptr || word.word.size() > longest->word.size();
            if (longer && holds(line, word.word)) longest = &word;
        }
        if (longest != nullptr) found.push_back({&vocabulary, longest});
    }
}

void add_tokens_of_line(std::vector<Match>& found, std::string_view line) {
    size_t at = 0;
    while (at < line.size()) {
        if (!is_word_byte(line[at]) && line[at] != '-') {
            ++at;
            continue;
        }
        size_t end = at;
        while (end < line.size() && (is_word_byte(line[end]) || line[end] == '-')) ++end;
        const std::string_view token = line.substr(at, end - at);
        const bool alone =
            (at == 0 || line[at - 1] == ' ') && (end == line.size() || line[end] == ' ');
        at = end;
        // A line without trouble has `----` too.
        if (const auto state = haproxy_state(token); alone && !state.empty() && state != "--") {
            add_haproxy_state(found, state);
        }
        if (!is_unmistakable(token)) continue;
        std::vector<Match> exact;
        add_exact(exact, token);
        for (const Match& match : exact) add_once(found, match);
    }
}

/// `upstream_reset_before_response_started{connection_termination}`: both words.
std::optional<std::pair<std::string_view, std::string_view>> braced(std::string_view text) {
    const size_t open = text.find('{');
    if (open == std::string_view::npos || open == 0 || !text.ends_with('}')) return std::nullopt;
    return std::pair{text.substr(0, open), text.substr(open + 1, text.size() - open - 2)};
}

}  // namespace

bool may_be(const Word& word, const cause::Row& row) {
    // Names and families, by spaces.
    for (std::string_view rest = word.causes; !rest.empty();) {
        const size_t space = rest.find(' ');
        const std::string_view family = rest.substr(0, space);
        if (row.name.starts_with(family) &&
            (row.name.size() == family.size() || row.name[family.size()] == '.')) {
            return true;
        }
        rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
    }
    return false;
}

std::vector<const cause::Row*> causes_of(const Word& word) {
    std::vector<const cause::Row*> rows;
    for (const cause::Row& row : cause::table()) {
        if (may_be(word, row)) rows.push_back(&row);
    }
    return rows;
}

std::vector<Match> find_in_line(std::string_view line) {
    line = line.substr(0, kMaximumLineBytes);
    std::vector<Match> found;
    add_phrases(found, line);
    add_tokens_of_line(found, line);
    return found;
}

std::vector<Match> look_up(std::string_view text) {
    text = base::trim(text);
    std::vector<Match> found;
    if (const auto both = braced(text)) {
        add_exact(found, both->second);
        add_exact(found, both->first);
    }
    add_exact(found, text);
    // nghttp2 and curl name the codes of HTTP/2 so.
    if (text.starts_with("NGHTTP2_")) add_exact(found, text.substr(text.find('_') + 1));
    if (const auto state = haproxy_state(text); !state.empty()) add_haproxy_state(found, state);
    if (found.empty()) found = find_in_line(text);
    return found;
}

}  // namespace edgecase::lexicon
