#include "lexicon/lookup.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "base/ascii.hpp"
#include "lexicon/vocabularies.hpp"

namespace edgecase::lexicon {
namespace {

constexpr std::string_view kGap = " ... ";
constexpr size_t kMaximumLineBytes = 64 * 1024;  // no line of a log says more at its far end
constexpr size_t kHaproxyStateLetters = 2;
constexpr size_t kMaximumNearBytes = 64;  // longer than any word; bounds the search for a near one

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

/// Without a `-` for the cookie four letters of HAProxy may be a word of people: SHIP, CHIN, STOP.
bool may_be_english(std::string_view state) {
    constexpr std::string_view kVowels = "IEOU";
    const bool vowel = kVowels.find(state[2]) != std::string_view::npos;
    return vowel && kVowels.find(state[3]) == std::string_view::npos && state[3] != '-';
}

/// `1/1/0/0/0`, what HAProxy writes behind its state.
bool begins_with_counts(std::string_view text) {
    constexpr size_t kCounts = 5;
    for (size_t i = 0; i < kCounts; ++i) {
        if (i > 0) {
            if (!text.starts_with('/')) return false;
            text.remove_prefix(1);
        }
        if (text.starts_with('+')) text.remove_prefix(1);
        const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
        if (digits == 0) return false;
        text.remove_prefix(digits);
    }
    return true;
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

bool is_errno_table(const Vocabulary& vocabulary) {
    return vocabulary.system == "errno";
}

/// Go shows what it read as a status: `malformed HTTP status code "abc"`.
const Word& refined(const Vocabulary& vocabulary, const Word& word, std::string_view line) {
    constexpr size_t kDigits = 3;
    if (word.word != kGoBadStatus) return word;
    std::string_view shown = line.substr(line.find(word.word) + word.word.size());
    const size_t open = shown.find_first_not_of(" \\\"");
    if (open == std::string_view::npos || open == 0 || open > 4) return word;
    shown = shown.substr(open);
    shown = shown.substr(0, shown.find_first_of("\\\""));
    const auto wanted = shown.size() == kDigits ? kGoBadStatusLetters : kGoBadStatusLength;
    return *std::ranges::find(vocabulary.words, wanted, &Word::word);
}

void add_phrases(std::vector<Match>& found, std::string_view line) {
    for (const Vocabulary& vocabulary : vocabularies()) {
        if (vocabulary.kind != Kind::phrase || is_errno_table(vocabulary)) continue;
        const Word* longest = nullptr;
        for (const Word& word : vocabulary.words) {
            const bool longer = longest == nullptr || word.word.size() > longest->word.size();
            if (longer && holds(line, word.word)) longest = &word;
        }
        if (longest != nullptr)
            found.push_back({&vocabulary, &refined(vocabulary, *longest, line)});
    }
}

/// The system's own texts, in any case; they stand in other vocabularies' phrases as well.
void add_errno_texts(std::vector<Match>& found, std::string_view line) {
    const std::string lower = base::to_lower(line);
    for (const Vocabulary& vocabulary : vocabularies()) {
        if (vocabulary.kind != Kind::phrase || !is_errno_table(vocabulary)) continue;
        for (const Word& word : vocabulary.words) {
            if (lower.contains(base::to_lower(word.word))) found.push_back({&vocabulary, &word});
        }
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
        // A line without trouble has `----` too; and people write SHIP and SLID.
        const auto state = alone ? haproxy_state(token) : std::string_view{};
        const bool is_certain = token.ends_with("--") ||
                                begins_with_counts(line.substr(std::min(end + 1, line.size())));
        if (!state.empty() && state != "--" && is_certain) add_haproxy_state(found, state);
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

/// `UC,URX`: each flag of Envoy, if all are.
void add_flags(std::vector<Match>& found, std::string_view text) {
    if (!text.contains(',')) return;
    std::vector<Match> flags;
    for (size_t at = 0; at <= text.size();) {
        const size_t end = std::min(text.find(',', at), text.size());
        std::vector<Match> exact;
        add_exact(exact, base::trim(text.substr(at, end - at)));
        const auto envoy = std::ranges::find_if(
            exact, [](const Match& match) { return match.vocabulary->system == "envoy"; });
        if (envoy == exact.end()) return;
        add_once(flags, *envoy);
        at = end + 1;
    }
    found = std::move(flags);
}

/// `AH01102`: of the phrase that begins with it.
void add_message_number(std::vector<Match>& found, std::string_view text) {
    constexpr size_t kLeast = 4;
    if (text.size() < kLeast || text.find(' ') != std::string_view::npos) return;
    for (const Vocabulary& vocabulary : vocabularies()) {
        for (const Word& word : vocabulary.words) {
            if (word.word.size() > text.size() && word.word[text.size()] == ':' &&
                same(word.word.substr(0, text.size()), text)) {
                found.push_back({&vocabulary, &word});
            }
        }
    }
}

}  // namespace

std::string_view status_in(std::string_view text) {
    constexpr std::string_view kBefore[] = {
        "http status", "status code", "error code", "cloudflare", "error", "status",
        "http",        "code",        "/1.0",       "/1.1",       "/2",    "/3"};
    text = base::trim(text);
    for (bool taken = true; taken;) {
        taken = false;
        for (const std::string_view before : kBefore) {
            if (text.size() <= before.size() || !same(text.substr(0, before.size()), before)) {
                continue;
            }
            const std::string_view rest = text.substr(before.size());
            if (rest.front() != ' ' && rest.front() != ':' && rest.front() != '/') continue;
            text = base::trim(rest.front() == ':' ? rest.substr(1) : rest);
            taken = true;
        }
    }
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits != 3 && digits != 4) return {};
    const std::string_view number = text.substr(0, digits);
    if (digits == text.size()) return number;
    // `502 Bad Gateway`: words, and no line of a log.
    const std::string_view reason = text.substr(digits);
    const bool is_reason =
        reason.front() == ' ' && reason.size() < kMaximumNearBytes &&
        std::ranges::all_of(
            reason,
            [](char c) {
                return c == ' ' || c == '-' || (base::lower(c) >= 'a' && base::lower(c) <= 'z');
            });
    return is_reason ? number : std::string_view{};
}

size_t letters_apart(std::string_view a, std::string_view b) {
    std::vector<size_t> previous(b.size() + 1);
    std::iota(previous.begin(), previous.end(), size_t{0});
    for (size_t i = 0; i < a.size(); ++i) {
        std::vector<size_t> current{i + 1};
        for (size_t j = 0; j < b.size(); ++j) {
            const size_t change = base::lower(a[i]) == base::lower(b[j]) ? 0 : 1;
            current.push_back(
                std::min({previous[j + 1] + 1, current[j] + 1, previous[j] + change}));
        }
        previous = std::move(current);
    }
    return previous.back();
}

std::string_view nearest_word(std::string_view text) {
    text = base::trim(text);
    if (text.size() > kMaximumNearBytes) return {};
    if (text.size() == 2 * kHaproxyStateLetters && text.ends_with("--")) {
        text = text.substr(0, kHaproxyStateLetters);  // `sh--`
    }
    std::string_view nearest;
    size_t least = text.size() / 3 + 1;
    for (const Vocabulary& vocabulary : vocabularies()) {
        for (const Word& word : vocabulary.words) {
            if (word.word.find(' ') != std::string_view::npos) continue;
            const size_t apart = letters_apart(text, word.word);
            if (apart >= least) continue;
            least = apart;
            nearest = word.word;
        }
    }
    return nearest;
}

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
    if (found.empty()) add_errno_texts(found, line);
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
    if (const auto state = haproxy_state(text); !state.empty() && !may_be_english(text)) {
        add_haproxy_state(found, state);
    }
    if (found.empty()) add_flags(found, text);
    if (found.empty() && status_in(text) != text) add_exact(found, status_in(text));
    if (found.empty()) add_message_number(found, text);
    if (found.empty()) found = find_in_line(text);
    return found;
}

}  // namespace edgecase::lexicon
