// Owns evidence: named facts about one failure, for the operator only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/sample.hpp"

namespace edgecase::cause {

using EvidenceValue =
    std::variant<int64_t, bool, std::string, std::vector<std::string>, base::Sample>;

/// Facts in the order they were found. Keys are snake_case with the unit last (`bytes_read`,
/// `elapsed_ms`); the catalogue is docs/evidence.md.
class Evidence {
  public:
    using Item = std::pair<std::string, EvidenceValue>;

    Evidence& add(std::string_view key, int64_t value) { return put(key, value); }
    Evidence& add(std::string_view key, uint64_t value) {
        return put(key, static_cast<int64_t>(value));
    }
    Evidence& add(std::string_view key, int value) { return put(key, int64_t{value}); }
    Evidence& add(std::string_view key, uint32_t value) { return put(key, int64_t{value}); }
    Evidence& add(std::string_view key, bool value) { return put(key, value); }
    Evidence& add(std::string_view key, std::string value) { return put(key, std::move(value)); }
    Evidence& add(std::string_view key, std::string_view value) {
        return put(key, std::string(value));
    }
    Evidence& add(std::string_view key, const char* value) { return put(key, std::string(value)); }
    Evidence& add(std::string_view key, std::vector<std::string> value) {
        return put(key, std::move(value));
    }
    Evidence& add(std::string_view key, base::Sample value) { return put(key, std::move(value)); }

    const std::vector<Item>& items() const { return items_; }
    bool empty() const { return items_.empty(); }
    const EvidenceValue* find(std::string_view key) const;

    bool operator==(const Evidence&) const = default;

  private:
    Evidence& put(std::string_view key, EvidenceValue value);

    std::vector<Item> items_;
};

}  // namespace edgecase::cause
