// Owns the factors: what a request has that may set failures apart from the successes around them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "record/record.hpp"

namespace edgecase::diagnose {

struct Factor {
    std::string_view name;  // a literal: `origin`, `path`, `connection`...
    std::string value;
};

/// What the client's request has. Values come from few enough to be counted.
std::vector<Factor> factors_of(const record::Record& record);
/// What one attempt has: its connection, its origin, the response head.
std::vector<Factor> factors_of(const record::Attempt& attempt);

}  // namespace edgecase::diagnose
