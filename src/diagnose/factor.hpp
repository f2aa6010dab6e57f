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

/// Of the attempt that decided, and of the request. Values come from few enough to be counted.
std::vector<Factor> factors_of(const record::Record& record);

}  // namespace edgecase::diagnose
