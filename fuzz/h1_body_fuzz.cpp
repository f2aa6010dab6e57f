#include "h1/body_decoder.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "expect.hpp"
#include "h1/rule.hpp"
#include "head_properties.hpp"
#include "http/message.hpp"

namespace {

using namespace edgecase;
using State = h1::BodyDecoder::State;

http::Framing framing_of(uint8_t choice) {
    switch (choice >> 6) {
        case 0:
            return http::Framing::of_length(choice & 0x3f);
        case 1:
            return http::Framing::until_close();
        default:
            return http::Framing::chunked();
    }
}

/// Feeds the bytes in pieces; returns the payload.
std::string decode(h1::BodyDecoder& decoder, std::string_view bytes, size_t piece) {
    std::string payload;
    while (!bytes.empty() && decoder.state() == State::more) {
        const std::string arrived(bytes.substr(0, piece));
        std::string_view rest = arrived;
        while (!rest.empty() && decoder.state() == State::more) {
            const h1::BodyDecoder::Step step = decoder.next(rest);
            fuzz::expect(step.consumed <= rest.size(), "no more is consumed than there is");
            fuzz::expect(step.consumed > 0 || step.state != State::more, "each step gets on");
            fuzz::expect(fuzz::is_inside(step.payload, rest.substr(0, step.consumed)),
                         "payload is among the bytes consumed");
            payload += step.payload;
            rest.remove_prefix(step.consumed);
        }
        bytes.remove_prefix(arrived.size());
    }
    return payload;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    h1::BodyDecoder whole;
    h1::BodyDecoder in_pieces;
    whole.reset(framing_of(data[0]), fuzz::kHeadLimits);
    in_pieces.reset(framing_of(data[0]), fuzz::kHeadLimits);
    const std::string payload = decode(whole, bytes, bytes.size());
    fuzz::expect(decode(in_pieces, bytes, data[1] % 16 + size_t{1}) == payload,
                 "the payload is the same in pieces");
    fuzz::expect(whole.payload_bytes() == payload.size(), "payload is counted");
    fuzz::expect(whole.finish() == in_pieces.finish(), "the end is the same in pieces");
    fuzz::expect(whole.state() == in_pieces.state(), "the verdict is the same in pieces");
    fuzz::expect(whole.error().rule == in_pieces.error().rule, "the rule is the same in pieces");
    fuzz::expect(whole.error().offset == in_pieces.error().offset,
                 "the offset is the same in pieces");
    fuzz::expect(whole.error().offset <= bytes.size(), "the offset is inside the body");
    if (whole.state() == State::failed) return 0;
    fuzz::expect(whole.body_offset() == in_pieces.body_offset(), "as much is consumed in pieces");
    fuzz::expect(whole.trailers().size() == in_pieces.trailers().size(),
                 "the trailers are the same in pieces");
    return 0;
}
