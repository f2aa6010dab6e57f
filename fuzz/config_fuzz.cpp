// Any text as a settings file: an answer or one error, never more.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/load.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto result = edgecase::config::load(text, "fuzz", {});
    if (!result && result.error().to_string().empty()) __builtin_trap();
    if (!result) return 0;
    if (result->routes.empty()) __builtin_trap();
    for (const auto& route : result->routes) {
        if (route.pool >= result->pools.size()) __builtin_trap();
    }
    for (const auto& pool : result->pools) {
        if (pool.name.empty() || pool.origins.empty()) __builtin_trap();
    }
    for (const auto& certificate : result->certificates) {
        if (certificate.certificate_file.empty() || certificate.key_file.empty()) __builtin_trap();
    }
    return 0;
}
