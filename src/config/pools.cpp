#include "config/pools.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.hpp"
#include "config/choices.hpp"
#include "config/document.hpp"
#include "config/nearest.hpp"
#include "config/routes.hpp"
#include "config/settings.hpp"
#include "config/values.hpp"

namespace edgecase::config {
namespace {

constexpr size_t kMaximumOrigins = 64;    // of a pool; health and counters are kept for each
constexpr size_t kMaximumExpected = 64;   // statuses; nobody lists more
constexpr size_t kMaximumNameBytes = 64;  // it is a label of the metrics
constexpr size_t kMaximumPathBytes = 1024;

constexpr int64_t kMaximumWeight = 1000;
constexpr int64_t kMaximumInARow = 1000;
constexpr milliseconds kShortestTime{10};  // a check or an ejection below it is a slip of the hand
constexpr milliseconds kLongestTime = std::chrono::hours(24);

using Wrong = std::optional<DocumentError>;

DocumentError wrong(const Entry& entry, std::string_view problem) {
    std::string path = entry.table;
    if (!entry.name.empty()) path += "." + entry.name;
    return {entry.value_place, in_ticks(path) + " " + std::string(problem)};
}

// ---- values: each goes into one member ----

template <typename Into>
struct PoolKey {
    std::string_view name;
    Wrong (*set)(Into&, const Entry&);
};

template <typename T, typename Target>
Wrong keep(const Entry& entry, const Read<T>& read, Target& target) {
    if (!read) return wrong(entry, read.error());
    target = static_cast<Target>(*read);
    return std::nullopt;
}

template <auto Member, typename Into>
Wrong set_duration(Into& into, const Entry& entry) {
    if (!entry.value) return wrong(entry, "cannot be " + entry.type);
    return keep(entry, read_duration(*entry.value, kShortestTime, kLongestTime), into.*Member);
}

template <auto Member, int64_t Minimum, int64_t Maximum, typename Into>
Wrong set_count(Into& into, const Entry& entry) {
    if (!entry.value) return wrong(entry, "cannot be " + entry.type);
    return keep(entry, read_count(*entry.value, Minimum, Maximum), into.*Member);
}

/// Hands every key of `entries` to its row. `where` is for people: `[[pool]]`.
template <typename Into, size_t N>
Wrong set_all(Into& into, const std::vector<Entry>& entries,
              const std::array<PoolKey<Into>, N>& keys, std::string_view where) {
    for (const Entry& entry : entries) {
        const auto key = std::ranges::find(keys, entry.name, &PoolKey<Into>::name);
        if (key == keys.end()) {
            std::array<std::string_view, N> names;
            std::ranges::transform(keys, names.begin(), &PoolKey<Into>::name);
            return DocumentError{
                entry.name_place,
                with_guess("unknown key " + in_ticks(entry.name) + " in " + std::string(where),
                           nearest(entry.name, names))};
        }
        if (Wrong error = key->set(into, entry)) return error;
    }
    return std::nullopt;
}

// ---- origins ----

Wrong set_url(PoolOrigin& origin, const Entry& entry) {
    const auto* text = entry.value ? as_text(*entry.value) : nullptr;
    if (text == nullptr) {
        return wrong(entry, "must be a URL such as \"http://10.0.0.1:8080\", not " + entry.type);
    }
    auto url = parse_origin(*text);
    if (!url) return wrong(entry, "is wrong: " + url.error());
    origin.url = std::move(*url);
    return std::nullopt;
}

constexpr std::array kOriginKeys{
    PoolKey<PoolOrigin>{"url", set_url},
    PoolKey<PoolOrigin>{"weight", set_count<&PoolOrigin::weight, 1, kMaximumWeight>},
};

Wrong read_pool_origin(PoolOrigin& origin, const Entry& entry) {
    if (entry.type != kTableType) return set_url(origin, entry);
    if (Wrong error = set_all(origin, entry.elements, kOriginKeys, "an origin of a [[pool]]")) {
        return error;
    }
    if (!origin.url.host.empty()) return std::nullopt;
    return DocumentError{entry.value_place, "this origin has no `url`"};
}

Wrong set_origins(Pool& pool, const Entry& entry) {
    if (entry.type != kArrayType) {
        return wrong(entry,
                     "must be a list such as [\"http://10.0.0.1\", { url = \"http://10.0.0.2\", "
                     "weight = 2 }], not " +
                         entry.type);
    }
    if (entry.elements.empty()) return wrong(entry, "must have at least one origin");
    for (const Entry& element : entry.elements) {
        if (pool.origins.size() == kMaximumOrigins) {
            return wrong(element, "has more than " + std::to_string(kMaximumOrigins) + " origins");
        }
        PoolOrigin origin;
        if (Wrong error = read_pool_origin(origin, element)) return error;
        if (std::ranges::find(pool.origins, origin.url, &PoolOrigin::url) != pool.origins.end()) {
            return wrong(element, "names " + origin.url.to_string() +
                                      " twice; give it a `weight` if it can take more");
        }
        pool.origins.push_back(std::move(origin));
    }
    return std::nullopt;
}

// ---- health ----

Wrong set_path(HealthCheck& health, const Entry& entry) {
    const auto* text = entry.value ? as_text(*entry.value) : nullptr;
    const auto is_target_byte = [](char c) { return c > ' ' && c < '\x7f' && c != '#'; };
    if (text == nullptr || !text->starts_with('/') || text->size() > kMaximumPathBytes ||
        !std::ranges::all_of(*text, is_target_byte)) {
        return wrong(entry, "must be a path as a request carries it, such as \"/healthz\"");
    }
    health.path = *text;
    return std::nullopt;
}

Wrong set_host(HealthCheck& health, const Entry& entry) {
    const auto* text = entry.value ? as_text(*entry.value) : nullptr;
    if (text == nullptr) return wrong(entry, "must be a host name, not " + entry.type);
    auto host = parse_route_host(*text);
    if (!host) return wrong(entry, "is wrong: " + host.error());
    health.host = std::move(*host);
    return std::nullopt;
}

Wrong set_expected(HealthCheck& health, const Entry& entry) {
    constexpr std::string_view kRight = "must be a list of statuses such as [200, 204], not ";
    if (entry.type != kArrayType) return wrong(entry, std::string(kRight) + entry.type);
    if (entry.elements.empty()) return wrong(entry, "must have at least one status");
    for (const Entry& element : entry.elements) {
        if (!element.value) return wrong(element, "cannot be " + element.type);
        const auto status = read_count(*element.value, 200, 599);
        if (!status) return wrong(element, status.error());
        if (std::ranges::find(health.expected, *status) != health.expected.end()) {
            return wrong(element, "names " + std::to_string(*status) + " twice");
        }
        if (health.expected.size() == kMaximumExpected) {
            return wrong(element,
                         "has more than " + std::to_string(kMaximumExpected) + " statuses");
        }
        health.expected.push_back(static_cast<uint16_t>(*status));
    }
    return std::nullopt;
}

constexpr std::array kHealthKeys{
    PoolKey<HealthCheck>{"path", set_path},
    PoolKey<HealthCheck>{"host", set_host},
    PoolKey<HealthCheck>{"expected", set_expected},
    PoolKey<HealthCheck>{"interval", set_duration<&HealthCheck::interval>},
    PoolKey<HealthCheck>{"timeout", set_duration<&HealthCheck::timeout>},
    PoolKey<HealthCheck>{"unhealthy_after",
                         set_count<&HealthCheck::unhealthy_after, 1, kMaximumInARow>},
    PoolKey<HealthCheck>{"healthy_after",
                         set_count<&HealthCheck::healthy_after, 1, kMaximumInARow>},
};

Wrong set_health(Pool& pool, const Entry& entry) {
    if (entry.type != kTableType) return wrong(entry, "must be a table, not " + entry.type);
    HealthCheck& health = pool.health;
    if (Wrong error = set_all(health, entry.elements, kHealthKeys, "[pool.health]")) return error;
    if (health.path.empty()) {
        return DocumentError{entry.value_place, "this [pool.health] has no `path`"};
    }
    if (health.timeout <= health.interval) return std::nullopt;
    const auto timeout = std::ranges::find(entry.elements, "timeout", &Entry::name);
    if (timeout != entry.elements.end()) {
        return wrong(*timeout, "contradicts: a check must end before the next, after `interval`");
    }
    health.timeout = health.interval;  // nobody named it: it follows
    return std::nullopt;
}

// ---- ejection ----

constexpr std::array kEjectionKeys{
    PoolKey<Ejection>{"failures", set_count<&Ejection::failures, 0, kMaximumInARow>},
    PoolKey<Ejection>{"time", set_duration<&Ejection::time>},
    PoolKey<Ejection>{"bad_answers", set_count<&Ejection::bad_answers, 0, kMaximumInARow>},
};

Wrong set_ejection(Pool& pool, const Entry& entry) {
    if (entry.type != kTableType) return wrong(entry, "must be a table, not " + entry.type);
    return set_all(pool.ejection, entry.elements, kEjectionKeys, "[pool.ejection]");
}

// ---- the pool ----

Wrong set_name(Pool& pool, const Entry& entry) {
    const auto* text = entry.value ? as_text(*entry.value) : nullptr;
    const auto is_name_byte = [](char c) {
        const char l = base::lower(c);
        return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    };
    if (text == nullptr || text->size() > kMaximumNameBytes ||
        !std::ranges::all_of(*text, is_name_byte)) {
        return wrong(entry, "must be a name of letters, digits, `-`, `_` and `.`, at most 64");
    }
    pool.name = *text;
    return std::nullopt;
}

Wrong set_balance(Pool& pool, const Entry& entry) {
    if (!entry.value) return wrong(entry, "cannot be " + entry.type);
    return keep(entry, read_choice(*entry.value, kBalances), pool.balance);
}

constexpr std::array kPoolKeys{
    PoolKey<Pool>{"name", set_name},         PoolKey<Pool>{"balance", set_balance},
    PoolKey<Pool>{"origins", set_origins},   PoolKey<Pool>{"health", set_health},
    PoolKey<Pool>{"ejection", set_ejection},
};

}  // namespace

std::expected<Pool, DocumentError> read_pool(const TableEntry& table) {
    Pool pool;
    if (Wrong error = set_all(pool, table.entries, kPoolKeys, "[[pool]]")) {
        return std::unexpected(std::move(*error));
    }
    if (pool.name.empty()) {
        return std::unexpected(DocumentError{table.place, "this [[pool]] has no `name`"});
    }
    if (pool.origins.empty()) {
        return std::unexpected(DocumentError{table.place, "this [[pool]] has no `origins`"});
    }
    return pool;
}

std::optional<size_t> find_pool(const Settings& settings, std::string_view name) {
    const auto found = std::ranges::find(settings.pools, name, &Pool::name);
    if (found == settings.pools.end() || !is_named(*found)) return std::nullopt;
    return static_cast<size_t>(found - settings.pools.begin());
}

size_t pool_of_one(Settings& settings, const http::OriginUrl& origin) {
    const std::string name = origin.to_string();
    const auto found = std::ranges::find(settings.pools, name, &Pool::name);
    if (found != settings.pools.end()) {
        return static_cast<size_t>(found - settings.pools.begin());
    }
    Pool pool;
    pool.name = name;
    pool.origins.push_back({origin, 1});
    settings.pools.push_back(std::move(pool));
    return settings.pools.size() - 1;
}

bool is_named(const Pool& pool) {
    return !pool.name.contains("://");  // set_name allows no colon
}

void tidy_pools(Settings& settings) {
    std::vector<Pool> former = std::move(settings.pools);
    std::vector<std::optional<size_t>> places(former.size());
    settings.pools.clear();
    const auto place = [&](size_t index) {
        if (places[index]) return;
        places[index] = settings.pools.size();
        settings.pools.push_back(std::move(former[index]));
    };
    for (size_t i = 0; i < former.size(); ++i) {
        if (is_named(former[i])) place(i);
    }
    for (Route& route : settings.routes) {
        place(route.pool);
        route.pool = *places[route.pool];
    }
}

}  // namespace edgecase::config
