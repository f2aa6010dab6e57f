#include "cli/annotate.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "cli/console.hpp"
#include "cli/terminal_text.hpp"
#include "cli/words_text.hpp"
#include "lexicon/lookup.hpp"

namespace edgecase::cli {
namespace {

constexpr size_t kMaximumLineBytes = 64 * 1024;

std::string said_of(std::string_view line, bool colour, bool json) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!json) return annotated(line, colour);
    return words_json(line, lexicon::find_in_line(line)).dump() + "\n";
}

}  // namespace

std::string annotated(std::string_view line, bool colour) {
    const Painter paint(colour);
    std::string text = one_line(line) + "\n";
    for (const lexicon::Match& match : lexicon::find_in_line(line)) {
        text += paint(Colour::yellow, "    ^ ") + std::string(match.word->meaning);
        if (!match.word->causes.empty()) {
            text += " " + paint(Colour::cyan, "[" + std::string(match.word->causes) + "]");
        }
        text += "\n";
    }
    return text;
}

void annotate_standard_input(bool colour, bool json) {
    std::string rest;  // of the line that is coming
    bool cut = false;  // its beginning has been told already
    std::array<char, 16 * 1024> buffer{};
    while (!output_failed()) {
        const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        std::string_view bytes(buffer.data(), static_cast<size_t>(got));
        std::string out;
        while (!bytes.empty()) {
            const size_t end = bytes.find('\n');
            if (!cut) rest += bytes.substr(0, end);
            const bool too_long = rest.size() > kMaximumLineBytes;
            bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
            if (end == std::string_view::npos && !too_long) break;
            if (!cut)
                out += said_of(std::string_view(rest).substr(0, kMaximumLineBytes), colour, json);
            cut = end == std::string_view::npos;
            rest.clear();
        }
        if (!out.empty()) print(out);
    }
    if (!rest.empty()) print(said_of(rest, colour, json));
}

}  // namespace edgecase::cli
