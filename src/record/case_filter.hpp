// Owns what cases may be asked for, and which of them are meant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "record/record.hpp"

namespace edgecase::record {

/// What `cases` may be asked for. Empty optionals match everything.
struct CaseFilter {
    std::optional<base::WallTime> since{};
    std::optional<base::WallTime> until{};
    std::optional<uint16_t> status{};  // edge status
    std::string cause{};               // exact name, or a prefix that ends at a dot: `resp`
    std::string host{};
    std::string path{};             // prefix of the path
    std::string origin{};           // URL of the one tried last
    std::string node{};             // only that edge's; empty: all
    std::optional<RayId> before{};  // a case: only those that come after it in the list
    size_t limit = 100;             // newest first
};

/// By everything but `until`, `before` and `limit`, which are about lists.
bool matches(const CaseFilter& filter, const Record& record);

/// Numbers of the causes that a filter's `cause` means, as a list: `60,61`. Empty: there is none.
std::string cause_numbers(std::string_view cause);

/// Whether `host` is `wanted`, in any case, with or without a port behind it.
bool is_of_host(std::string_view host, std::string_view wanted);

}  // namespace edgecase::record
