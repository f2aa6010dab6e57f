#include "cause/evidence.hpp"

#include <algorithm>

namespace edgecase::cause {

const EvidenceValue* Evidence::find(std::string_view key) const {
    const auto found = std::ranges::find(items_, key, &Item::first);
    return found == items_.end() ? nullptr : &found->second;
}

Evidence& Evidence::put(std::string_view key, EvidenceValue value) {
    items_.emplace_back(std::string(key), std::move(value));
    return *this;
}

}  // namespace edgecase::cause
