// Owns the walk of addresses through chains of rules: set arithmetic, no sampling.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "allowlist/model.hpp"

namespace edgecase::allowlist {

/// What is known of the connection beside the addresses it may come from.
struct Question {
    ip::Family family = ip::Family::v4;
    uint16_t port = 443;
    std::string interface_in;                // empty: not known
    std::optional<ip::Address> destination;  // the origin's own, of that family
};

enum class Outcome : uint8_t {
    admitted,
    dropped,
    rejected,
    unclear,
    // These only tell which rules had a part in it:
    passed,   // admitted by one hook of several
    limited,  // a rate limit was met
    doubted,  // a match that is not modelled was met
};

constexpr uint32_t kPolicy = UINT32_MAX;
constexpr uint32_t kGivenUp = UINT32_MAX - 1;  // too many steps, or chains too deep

/// The rule that decided, or kPolicy for the end of a stage's chain.
struct Decider {
    uint32_t stage = 0;
    uint32_t chain = 0;
    uint32_t rule = kPolicy;
    bool is_later = false;  // of the packets after the first: the connection is made, and dies
    auto operator<=>(const Decider&) const = default;
};

struct Piece {
    ip::Interval addresses;
    Outcome outcome = Outcome::unclear;
    Decider decider;
};

/// What happens to whom. Each address is in exactly one of the five sets.
struct Judgement {
    ip::AddressSet admitted, dropped, rejected, rate_limited, unknown;
    std::vector<Piece> pieces;  // all that may happen to an address, and who decides
    explicit Judgement(ip::Family family)
        : admitted(family),
          dropped(family),
          rejected(family),
          rate_limited(family),
          unknown(family) {}
};

/// A new TCP connection from each of the addresses. An unknown match is followed both ways, and an
/// address with more than one possible outcome is unknown; if it is only the state of a rate limit
/// that tells, it is rate_limited.
Judgement judge(const Ruleset& rules, const Question& question, const ip::AddressSet& from);

}  // namespace edgecase::allowlist
