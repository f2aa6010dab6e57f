#include "h1/request_head.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "head_properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace edgecase;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    fuzz::check_head(input, [] {
        h1::RequestHeadParser parser;
        parser.reset(fuzz::kHeadLimits);
        return parser;
    });
    return 0;
}
