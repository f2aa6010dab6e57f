#include "clickhouse/reading.hpp"

#include <algorithm>
#include <map>

#include "clickhouse/row_binary.hpp"
#include "clickhouse/schema.hpp"

namespace edgecase::clickhouse {

namespace {

/// Servers take up to 300 by themselves. Behind by more than this, a replica is asked only if there
/// is no better one.
constexpr auto kReplicaDelayS = "5";

}  // namespace

std::expected<std::string, std::string> Reading::ask(const std::string& sql) {
    const std::string statement = sql + " FORMAT RowBinary";
    const bool incomplete = !missing_.empty();
    auto answer = ask_as_allowed(statement, incomplete);
    if (answer) return std::move(*answer);
    const QueryError& error = answer.error();
    if (error.code == kUnknownTable || error.code == kUnknownDatabase) {
        return std::unexpected(no_ledger(settings(), 0));
    }
    const bool shards = error.code == kShardsUnreachable && !settings().cluster.empty();
    if (!shards || incomplete) return std::unexpected(error.message);
    missing_ = unreachable_shards();
    if (missing_.empty()) return std::unexpected(error.message);
    for (const std::string& part : missing_) {
        if (std::ranges::find(untold_, part) == untold_.end()) untold_.push_back(part);
    }
    answer = ask_as_allowed(statement, true);
    if (!answer) return std::unexpected(answer.error().message);
    return std::move(*answer);
}

std::expected<std::string, QueryError> Reading::ask_as_allowed(const std::string& statement,
                                                               bool incomplete) {
    if (settings().cluster.empty() || !may_set_) return client_.ask_any(statement);
    // A replica that lags would leave records out without a word, while another one has them.
    Client::Parameters parameters{{"max_replica_delay_for_distributed_queries", kReplicaDelayS}};
    if (incomplete) parameters.emplace_back("skip_unavailable_shards", "1");
    auto answer = client_.ask_any(statement, parameters);
    if (answer || answer.error().code != kReadOnly) return answer;
    may_set_ = false;
    return client_.ask_any(statement);
}

/// Each shard of which no replica answers the server that is asked.
std::vector<std::string> Reading::unreachable_shards() {
    const auto rows =
        client_.ask_any("SELECT shard_num, host_name, port FROM system.clusters WHERE cluster = " +
                        literal(settings().cluster) + " ORDER BY shard_num FORMAT RowBinary");
    if (!rows) return {};
    struct Shard {
        std::string addresses;
        bool answers = false;
    };
    std::map<uint32_t, Shard> shards;
    RowReader reader(*rows);
    while (!reader.empty()) {
        Shard& shard = shards[reader.number<uint32_t>()];
        std::string address(reader.text());
        address += ":" + std::to_string(reader.number<uint16_t>());
        shard.addresses += (shard.addresses.empty() ? "" : ", ") + address;
        if (shard.answers) continue;
        // Without the password, which would stand in the servers' logs: one that asks for it is
        // there.
        const auto answer =
            client_.ask_any("SELECT count() FROM remote(" + literal(address) + ", system, one)");
        shard.answers = answer || std::ranges::any_of(answer.error().others, is_about_password);
    }
    std::vector<std::string> unreachable;
    for (const auto& [number, shard] : shards) {
        if (!shard.answers) {
            unreachable.push_back("shard " + std::to_string(number) + " (" + shard.addresses + ")");
        }
    }
    return unreachable;
}

}  // namespace edgecase::clickhouse
