#include "cli/top_keys.hpp"

#include <optional>

namespace edgecase::cli {
namespace {

constexpr char kEscape = '\x1b';

std::optional<TopKey> single(char c) {
    switch (c) {
        case 'q':
        case 'Q':
        case '\x03':  // Ctrl-C and Ctrl-D, where the terminal makes no signal of them
        case '\x04':
            return TopKey::quit;
        case '\t':
        case 'l':
            return TopKey::next;
        case 'h':
            return TopKey::previous;
        case 's':
            return TopKey::sort;
        case 'p':
        case ' ':
            return TopKey::pause;
        default:
            return std::nullopt;
    }
}

/// The last byte of `ESC [ ... X` or `ESC O X`. Source: ECMA-48 5.4; xterm's control sequences.
std::optional<TopKey> of_sequence(char final) {
    if (final == 'C' || final == 'B') return TopKey::next;                      // right, down
    if (final == 'D' || final == 'A' || final == 'Z') return TopKey::previous;  // and shift-tab
    return std::nullopt;
}

}  // namespace

std::vector<TopKey> TopKeys::read(std::string_view bytes) {
    waiting_ += bytes;
    std::vector<TopKey> keys;
    const auto add = [&](std::optional<TopKey> key) {
        if (key) keys.push_back(*key);
    };
    size_t at = 0;
    while (at < waiting_.size()) {
        if (waiting_[at] != kEscape) {
            add(single(waiting_[at++]));
            continue;
        }
        if (at + 1 == waiting_.size()) break;
        const char kind = waiting_[at + 1];
        if (kind != '[' && kind != 'O') {
            ++at;  // an escape by itself
            continue;
        }
        size_t end = at + 2;
        while (end < waiting_.size() && (waiting_[end] < 0x40 || waiting_[end] > 0x7e)) ++end;
        if (end == waiting_.size()) break;
        add(of_sequence(waiting_[end]));
        at = end + 1;
    }
    constexpr size_t kLongest = 32;  // of a sequence; what is longer is none
    waiting_.erase(0, waiting_.size() - at > kLongest ? waiting_.size() : at);
    return keys;
}

}  // namespace edgecase::cli
