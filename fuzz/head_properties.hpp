// Owns what must hold for every head, whichever parser reads it and however its bytes arrive.
#pragma once

#include <algorithm>
#include <memory>
#include <string_view>

#include "expect.hpp"
#include "h1/head_lines.hpp"

namespace edgecase::fuzz {

/// Small, so that the fuzzer meets each of them.
inline constexpr h1::HeadLimits kHeadLimits{
    .start_line_bytes = 100, .line_bytes = 120, .section_bytes = 300, .field_count = 8};

template <typename Parser>
h1::Progress feed(Parser& parser, std::string_view bytes, std::unique_ptr<char[]>& storage) {
    storage.reset(new char[bytes.size()]);
    std::ranges::copy(bytes, storage.get());
    return parser.parse(std::string_view(storage.get(), bytes.size()));
}

template <typename Parser>
void expect_sound(const Parser& parser, h1::Progress progress, std::string_view buffer) {
    if (progress == h1::Progress::complete) {
        expect(parser.head_bytes() <= buffer.size(), "the head ends inside the buffer");
        expect(parser.head().fields.size() <= kHeadLimits.field_count, "the count limit holds");
        for (const http::FieldView& field : parser.head().fields) {
            expect(is_inside(field.name, buffer) && is_inside(field.value, buffer),
                   "views point into the buffer");
            expect(!field.name.empty(), "names are not empty");
            expect(
                field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos,
                "values hold no line ends");
        }
    } else if (progress == h1::Progress::failed) {
        expect(parser.error().rule != h1::Rule::none, "a failure names its rule");
        expect(parser.error().offset <= buffer.size(), "the offset is inside the buffer");
        expect(parser.error().sample.error_offset == parser.error().offset,
               "the sample points at the offset");
    }
}

/// Parses at once and in pieces: the first byte says how long the pieces are.
template <typename Make>
void check_head(std::string_view input, Make make) {
    if (input.empty()) return;
    const size_t piece = static_cast<unsigned char>(input.front()) % 16 + size_t{1};
    const std::string_view bytes = input.substr(1);
    std::unique_ptr<char[]> storage;
    auto whole = make();
    h1::Progress at_once = feed(whole, bytes, storage);
    expect_sound(whole, at_once, std::string_view(storage.get(), bytes.size()));

    std::unique_ptr<char[]> pieces_storage;
    auto in_pieces = make();
    h1::Progress progress = h1::Progress::need_more;
    for (size_t size = 0; progress == h1::Progress::need_more;) {
        progress = feed(in_pieces, bytes.substr(0, size), pieces_storage);
        expect_sound(in_pieces, progress, std::string_view(pieces_storage.get(), size));
        if (size == bytes.size()) break;
        size = std::min(size + piece, bytes.size());
    }
    if (at_once == h1::Progress::need_more) {
        at_once = whole.finish(std::string_view(storage.get(), bytes.size()));
        progress = in_pieces.finish(std::string_view(pieces_storage.get(), bytes.size()));
        expect(at_once != h1::Progress::complete, "the end of input completes no head");
    }
    expect(progress == at_once, "the verdict is the same in pieces");
    expect(in_pieces.error().rule == whole.error().rule, "the rule is the same in pieces");
    expect(in_pieces.error().offset == whole.error().offset, "the offset is the same in pieces");
    expect(in_pieces.error().fingerprint == whole.error().fingerprint,
           "the fingerprint is the same in pieces");
    if (at_once != h1::Progress::complete) return;
    expect(in_pieces.head_bytes() == whole.head_bytes(), "the end is the same in pieces");
    expect(in_pieces.head().framing == whole.head().framing, "the framing is the same in pieces");
    expect(in_pieces.head().keep_alive == whole.head().keep_alive,
           "keep-alive is the same in pieces");
}

}  // namespace edgecase::fuzz
