#include "h1/response_head.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "head_properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace edgecase;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (input.empty()) return 0;
    // The upper half of the first byte chooses the request this is the response to.
    const unsigned choice = data[0] >> 4;
    fuzz::check_head(input, [choice] {
        h1::ResponseHeadParser parser;
        parser.reset(fuzz::kHeadLimits, {.to_head = choice == 1, .to_connect = choice == 2});
        return parser;
    });
    return 0;
}
