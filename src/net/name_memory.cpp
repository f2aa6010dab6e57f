#include "net/name_memory.hpp"

#include <algorithm>

namespace edgecase::net {

void NameMemory::keep(const std::string& name, Known known) {
    const std::lock_guard lock(mutex_);
    if (names_.size() >= kMaximumNames && !names_.contains(name)) {
        names_.erase(std::ranges::min_element(
            names_, {}, [](const auto& item) { return item.second.fresh_until; }));
    }
    names_.insert_or_assign(name, std::move(known));
}

std::optional<NameMemory::Known> NameMemory::find(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = names_.find(name);
    return found == names_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace edgecase::net
