#include "allowlist/iptables_words.hpp"

namespace edgecase::allowlist {

IptablesWords::IptablesWords(std::string_view line) {
    constexpr size_t kUsual = 24;  // words of a rule
    words_.reserve(kUsual);
    size_t at = 0;
    const auto is_blank = [&](size_t i) { return line[i] == ' ' || line[i] == '\t'; };
    while (true) {
        while (at < line.size() && is_blank(at)) ++at;
        if (at >= line.size()) break;
        if (line[at] != '"') {
            const size_t begin = at;
            while (at < line.size() && !is_blank(at)) ++at;
            words_.push_back(line.substr(begin, at - begin));
            continue;
        }
        std::string word;
        for (++at; at < line.size() && line[at] != '"'; ++at) {
            if (line[at] == '\\' && at + 1 < line.size()) ++at;
            word += line[at];
        }
        ++at;
        // What is quoted is never an option; a leading blank keeps it from looking like one.
        if (word.starts_with('-') || word == "!") word.insert(0, " ");
        unquoted_.push_back(std::move(word));
        words_.push_back(unquoted_.back());
    }
}

}  // namespace edgecase::allowlist
