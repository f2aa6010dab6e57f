// Owns the truth of one match that does not depend on the edge's address.
#pragma once

#include "allowlist/evaluate.hpp"

namespace edgecase::allowlist {

enum class Truth : uint8_t { no, yes, sometimes, unknown };

/// Which packet is asked about: the connection's first, the reply to it, or what comes after.
/// A reset is what a rejection answers with.
enum class Phase : uint8_t { first, reply, later, reset };

struct Packet {
    const Ruleset& rules;
    const Question& question;
    Phase phase = Phase::first;
    bool is_tracked = true;  // false: connection tracking has not seen it yet
    bool is_reply() const { return phase == Phase::reply || phase == Phase::reset; }

    /// Whether the match is about the edge's addresses, and so has no one truth.
    bool is_about_edge(const Match& match) const {
        if (match.kind == MatchKind::source || match.kind == MatchKind::source_and_port) {
            return !is_reply();
        }
        return is_reply() && (match.kind == MatchKind::destination ||
                              match.kind == MatchKind::destination_and_port);
    }
    Truth truth(const Match& match) const;
};

/// The edge's side of connections has ports of this range alone: ephemeral ones.
constexpr PortRange kEphemeral{1024, 65535};

}  // namespace edgecase::allowlist
