#include <nlohmann/json.hpp>

#include "cli/ranges_report.hpp"

namespace edgecase::cli {
namespace {

using nlohmann::ordered_json;

ordered_json blocks(const std::vector<ip::Cidr>& cidrs) {
    ordered_json list = ordered_json::array();
    for (const ip::Cidr& cidr : cidrs) list.push_back(cidr.to_string());
    return list;
}

ordered_json or_null(const std::string& text) {
    return text.empty() ? ordered_json() : ordered_json(text);
}

ordered_json decided_json(const allowlist::DecidedBy& decided) {
    ordered_json result{
        {"file", or_null(decided.file)},
        {"line", decided.line > 0 ? ordered_json(decided.line) : ordered_json()},
        {"handle", decided.handle > 0 ? ordered_json(decided.handle) : ordered_json()},
        {"chain", or_null(decided.chain)},
        {"rule", or_null(decided.text)},
        {"outcome", allowlist::to_string(decided.outcome)},
        {"why", or_null(decided.why)},
        {"cause", ordered_json()},
        {"edge_status", ordered_json()},
        {"cidrs", blocks(decided.part.cidrs())}};
    if (decided.sees != cause::Cause::none) {
        const cause::Row& row = cause::row(decided.sees);
        result["cause"] = row.name;
        result["edge_status"] = row.status > 0 ? row.status : decided.http_status;
    }
    return result;
}

}  // namespace

std::string ranges_json(const RangesReport& report) {
    ordered_json rows = ordered_json::array();
    for (const allowlist::Row& row : report.report.rows) {
        ordered_json deciders = ordered_json::array();
        for (const auto& decided : row.decided_by) deciders.push_back(decided_json(decided));
        ordered_json stale = ordered_json::array();
        for (const allowlist::StaleList& list : report.report.stale) {
            for (const ip::Cidr& missing : list.missing) {
                if (missing == row.range) {
                    stale.push_back(
                        {{"list", list.name}, {"file", list.file}, {"line", list.line}});
                }
            }
        }
        rows.push_back({{"cidr", row.range.to_string()},
                        {"port", row.port},
                        {"admitted", blocks(row.admitted.cidrs())},
                        {"dropped", blocks(row.dropped.cidrs())},
                        {"rejected", blocks(row.rejected.cidrs())},
                        {"rate_limited", blocks(row.rate_limited.cidrs())},
                        {"unknown", blocks(row.unknown.cidrs())},
                        {"decided_by", deciders},
                        {"more_deciders", row.more_deciders},
                        {"missing_in", stale}});
    }
    return rows.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace edgecase::cli
