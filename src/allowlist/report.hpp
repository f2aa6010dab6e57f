// Owns the answer of `ranges check`: for each published range and port what gets in, and who
// decides.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "allowlist/evaluate.hpp"
#include "allowlist/published.hpp"

namespace edgecase::allowlist {

struct CheckOptions {
    std::vector<uint16_t> ports{80, 443};
    std::string interface_in;
    std::vector<ip::Address> destinations;  // the origin's own, at most one of a family
};

constexpr size_t kMaxDeciders = 500;  // of one row; a list of one rule an address has more

/// A rule, or the policy at the end of its chain, and what it does to part of the range.
struct DecidedBy {
    std::string file;
    uint32_t line = 0;
    uint64_t handle = 0;
    std::string chain;  // `nft inet filter input`
    std::string stage;  // the chain at the hook that led there
    std::string text;
    Outcome outcome = Outcome::unclear;
    cause::Cause sees = cause::Cause::none;  // by the edge
    uint16_t http_status = 0;
    std::string why;  // of what is unknown
    ip::AddressSet part{ip::Family::v4};
};

struct Row {
    ip::Cidr range;
    uint16_t port = 0;
    ip::AddressSet admitted, dropped, rejected, rate_limited, unknown;
    std::vector<DecidedBy> decided_by;
    size_t more_deciders = 0;

    explicit Row(const ip::Cidr& cidr)
        : range(cidr),
          admitted(cidr.family),
          dropped(cidr.family),
          rejected(cidr.family),
          rate_limited(cidr.family),
          unknown(cidr.family) {}
    bool is_admitted() const { return admitted == ip::AddressSet(range); }
};

/// An allow-list in the rules that has most of the published ranges, and what it gets wrong.
struct StaleList {
    std::string name;
    std::string file;
    uint32_t line = 0;
    std::vector<ip::Cidr> missing;
    std::vector<ip::Cidr> retired;  // no longer published
};

struct Report {
    std::vector<Row> rows;  // by port, then in the order of the list
    std::vector<StaleList> stale;
    bool is_clear() const;  // every range is wholly admitted
};

Report check(const Ruleset& rules, const Published& published, const CheckOptions& options);

/// Lists that are recognisably the edge's, and are not what is published.
std::vector<StaleList> find_stale(const Ruleset& rules, const Published& published);

/// `admitted`, `dropped`, ...; `unknown` for what is not clear.
std::string_view to_string(Outcome outcome);

}  // namespace edgecase::allowlist
