// Owns the ways a message can arrive, so that tests can demand the same outcome of each.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "h1/head_lines.hpp"
#include "h1/rule.hpp"

namespace edgecase::h1 {

/// What a parser made of a message, as far as it may not depend on how the bytes arrived.
struct Outcome {
    Progress progress = Progress::need_more;
    Rule rule = Rule::none;
    uint64_t offset = 0;
    Fingerprint fingerprint = Fingerprint::none;
    size_t head_bytes = 0;
    std::string text;  // everything of the head, spelled out

    bool operator==(const Outcome&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
    return out << "progress " << int{static_cast<uint8_t>(outcome.progress)} << ", rule "
               << to_string(outcome.rule) << ", offset " << outcome.offset << ", fingerprint "
               << to_string(outcome.fingerprint) << ", head bytes " << outcome.head_bytes << "\n"
               << outcome.text;
}

/// Feeds the first `size` bytes from their own allocation, as if the buffer had moved.
template <typename Parser>
Progress feed(Parser& parser, std::string_view bytes, size_t size,
              std::unique_ptr<char[]>& storage) {
    storage.reset(new char[size]);
    std::ranges::copy(bytes.substr(0, size), storage.get());
    return parser.parse(std::string_view(storage.get(), size));
}

template <typename Parser>
Outcome outcome_of(const Parser& parser, Progress progress, std::string text) {
    Outcome outcome{.progress = progress, .text = std::move(text)};
    if (progress == Progress::failed) {
        outcome.rule = parser.error().rule;
        outcome.offset = parser.error().offset;
        outcome.fingerprint = parser.error().fingerprint;
    }
    if (progress == Progress::complete) outcome.head_bytes = parser.head_bytes();
    return outcome;
}

/// Parses at once, byte by byte, and split at each position; expects one outcome, and returns it.
/// `make` gives a fresh parser, `spell` the head of a complete one as text.
template <typename Make, typename Spell>
Outcome same_however_it_arrives(std::string_view bytes, Make make, Spell spell) {
    const auto finish = [&](auto& parser, Progress progress) {
        return outcome_of(parser, progress,
                          progress == Progress::complete ? spell(parser) : std::string());
    };
    std::unique_ptr<char[]> storage;
    auto whole = make();
    const Outcome expected = finish(whole, feed(whole, bytes, bytes.size(), storage));

    auto dripped = make();
    Progress progress = Progress::need_more;
    for (size_t size = 0; size <= bytes.size() && progress == Progress::need_more; ++size) {
        progress = feed(dripped, bytes, size, storage);
    }
    EXPECT_EQ(finish(dripped, progress), expected) << "byte by byte";

    // Splits of long messages are sampled: their middle is all alike.
    const size_t step = bytes.size() > 2000 ? 97 : 1;
    for (size_t split = 0; split < bytes.size(); split += step) {
        auto parser = make();
        Progress after = feed(parser, bytes, split, storage);
        if (after == Progress::need_more) after = feed(parser, bytes, bytes.size(), storage);
        EXPECT_EQ(finish(parser, after), expected) << "split at " << split;
    }
    return expected;
}

}  // namespace edgecase::h1
