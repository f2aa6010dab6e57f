// Owns the check of a property in fuzzers: it ends the program, which is what a fuzzer looks for.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace edgecase::fuzz {

inline void expect(bool holds, const char* property) {
    if (holds) return;
    std::fprintf(stderr, "property broken: %s\n", property);
    std::abort();
}

inline bool is_inside(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace edgecase::fuzz
