// Owns what an edge tells of itself in the ledger, and what it sees there of the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "clickhouse/client.hpp"

namespace edgecase::clickhouse {

class NodeReport {
  public:
    struct Node {
        std::string name;
        std::string colo;
        std::string version;
        unsigned node_id = 0;
    };
    /// Records, since its start.
    struct Figures {
        uint64_t recorded = 0;
        uint64_t shipped = 0;
        uint64_t waiting = 0;
        uint64_t lost = 0;
    };
    struct Edges {
        size_t count = 0;         // that reported lately, this one among them
        std::string same_number;  // name of another with this one's node_id; empty: there is none
    };

    explicit NodeReport(Node node) : node_(std::move(node)) {}

    /// Adds a row to the ledger's list of edges. Errors: it did not get there.
    std::expected<void, QueryError> send(Client& client, size_t server, const Figures& figures);
    /// Empty: not all of the ledger answers.
    std::optional<Edges> look(Client& client, size_t server) const;

  private:
    const Node node_;
    const uint32_t started_ = now();
    uint64_t reports_ = 0;

    static uint32_t now();
};

}  // namespace edgecase::clickhouse
