// Owns the decoding of bodies: finds payload and the end, whatever the framing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "h1/head_lines.hpp"
#include "h1/rule.hpp"
#include "http/message.hpp"

namespace edgecase::h1 {

class BodyDecoder {
  public:
    enum class State : uint8_t { more, done, failed };

    /// Chunk extensions mean nothing to anyone, yet cost reading; all of one body together may have
    /// as many bytes. Go and llhttp bound them likewise (CVE-2023-39326, CVE-2024-22019).
    static constexpr uint32_t kMaxExtensionBytes = 4096;

    /// One step: `consumed` bytes of the input are used up; `payload` (a view into the input, may
    /// be empty) is body data among them.
    struct Step {
        size_t consumed = 0;
        std::string_view payload;
        State state = State::more;
    };

    /// `trailer_limits` bounds the trailer section (chunked only).
    void reset(http::Framing framing, const HeadLimits& trailer_limits);

    /// Takes the next run of payload from `input`. Call again with the rest until it returns done,
    /// failed, or has consumed everything. Framing none and length 0 are done at once.
    /// Errors: Rule::bad_chunk_size, bad_chunk_extension, bad_chunk_end, bad_trailer,
    /// trailers_too_large.
    Step next(std::string_view input);

    /// The input ended (FIN). True when that is a proper end: already done, or close-delimited.
    bool finish();

    State state() const { return state_; }
    const http::Framing& framing() const { return framing_; }
    uint64_t payload_bytes() const { return payload_bytes_; }  // so far
    uint64_t remaining_bytes() const { return remaining_; }    // of the length, or of this chunk
    uint64_t body_offset() const { return body_offset_; }      // raw bytes consumed so far
    const ParseError& error() const { return trailer_lines_.error(); }
    /// After done: the trailer section's fields (views into this decoder, valid until
    /// it is reset, moved or destroyed); empty if there were none.
    std::span<const http::FieldView> trailers() const { return trailer_views_; }

  private:
    /// What the next byte belongs to.
    enum class At : uint8_t {
        size,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailers,
        plain,
        end
    };

    Step next_plain(std::string_view input);
    Step next_chunked(std::string_view input);
    Rule take_size_byte(char c);
    Rule take_extension_byte(char c);
    void end_size_line();
    size_t take_trailers(std::string_view input);
    void fail(Rule rule, std::string_view input, size_t at, size_t line_start);
    void fail_trailers(uint64_t section_offset);
    bool check_trailer_names(uint64_t section_offset);

    http::Framing framing_;
    State state_ = State::done;
    At at_ = At::end;
    uint64_t remaining_ = 0;
    uint64_t payload_bytes_ = 0;
    uint64_t body_offset_ = 0;
    uint32_t digits_ = 0;
    uint32_t extension_bytes_ = 0;
    HeadLimits trailer_limits_;
    std::string trailer_bytes_;
    HeadLines trailer_lines_;  // holds the error too, whichever part it is in
    std::span<const http::FieldView> trailer_views_;
};

}  // namespace edgecase::h1
