// Owns what is known of a ledger in ClickHouse: where it is, and as whom it is asked.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace edgecase::clickhouse {

struct Settings {
    std::vector<std::string> urls;  // http://HOST:8123 or https://HOST:8443, without a path
    std::string database = "edgecase";
    std::string user = "default";
    std::string password;
    std::string ca_file;  // PEM; empty: the system's
    std::string cluster;  // whose servers share the ledger; empty: each URL's server has all of it
    std::chrono::hours keep{24 * 30};  // records; rollups are kept as in record::kRollupSteps
};

}  // namespace edgecase::clickhouse
