// Any bytes as a block of records: what can be decoded survives a round trip, the rest is an error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "expect.hpp"
#include "record/binary.hpp"

namespace {

using namespace edgecase;

/// Encoding is deterministic, so equal bytes are equal records, unset fields included.
void check_round_trip(const record::Record& decoded) {
    base::ByteBuffer first;
    encode(first, decoded);
    record::BlockReader reader(first.view());
    const auto again = reader.next();
    fuzz::expect(again.has_value(), "what was encoded can be decoded");
    fuzz::expect(reader.empty(), "one record encodes to one frame");
    fuzz::expect(*again == decoded, "a round trip changes nothing");
    base::ByteBuffer second;
    encode(second, *again);
    fuzz::expect(first.view() == second.view(), "equal records encode to equal bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view block(reinterpret_cast<const char*>(data), size);
    record::BlockReader walker(block);
    record::BlockReader reader(block);
    while (!reader.empty()) {
        const auto ray = walker.peek();
        const std::string_view frame = walker.frame();
        fuzz::expect(fuzz::is_inside(frame, block), "a frame lies inside its block");
        fuzz::expect(ray.has_value() == !frame.empty(), "a frame has a ray");
        const bool skipped = walker.skip();
        const auto record = reader.next();
        fuzz::expect(skipped == ray.has_value(), "what has a ray can be skipped");
        fuzz::expect(skipped || reader.empty(), "a damaged frame ends the walk");
        if (!record) {
            fuzz::expect(!record.error().empty(), "an error says something");
            continue;
        }
        fuzz::expect(ray == record->ray, "peek and decoding agree on the ray");
        check_round_trip(*record);
    }
    return 0;
}
