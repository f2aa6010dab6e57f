#include "cli/traffic.hpp"

#include "cli/console.hpp"
#include "cli/exit_status.hpp"
#include "cli/filter_flags.hpp"
#include "cli/traffic_text.hpp"
#include "record/traffic_json.hpp"

namespace edgecase::cli {
namespace {

/// Errors: a sentence about the flags.
std::expected<record::TrafficQuery, std::string> query_of(const TrafficFlags& flags) {
    const base::WallTime now = base::SystemClock().wall_now();
    record::TrafficQuery query;
    query.until = now;
    const auto since = moment_of("--since", flags.since, now);
    if (!since) return std::unexpected(since.error());
    query.since = *since;
    if (!flags.until.empty()) {
        const auto until = moment_of("--until", flags.until, now);
        if (!until) return std::unexpected(until.error());
        query.until = std::min(*until, now);
    }
    if (query.since >= query.until) {
        return std::unexpected("--since must lie before --until, and before now");
    }
    const auto by = record::parse_traffic_by(flags.by);
    if (!by) {
        return std::unexpected("--by wants cause, status, host or origin, not \"" +
                               one_line(flags.by) + "\"");
    }
    query.by = *by;
    if (const auto known = check_cause(flags.cause); !known) return std::unexpected(known.error());
    query.cause = flags.cause;
    query.host = flags.host;
    query.origin = flags.origin;
    query.node = flags.ledger.node;
    if (flags.status != 0) query.status = static_cast<uint16_t>(flags.status);
    return query;
}

}  // namespace

int run_traffic(const TrafficFlags& flags) {
    const auto query = query_of(flags);
    if (!query) {
        complain(query.error());
        return kUsage;
    }
    int status = kFine;
    const auto source = open_source(flags.ledger, status);
    if (!source) return status;
    const auto traffic = record::traffic(*source, *query);
    const auto before =
        traffic ? record::traffic_before(*source, *traffic) : std::unexpected(traffic.error());
    if (!before) {
        complain(before.error());
        return kWrongOrMissing;
    }
    tell_missing(*source);
    print(flags.json ? record::traffic_json(*traffic, &*before).dump(2) + "\n"
                     : traffic_text(*traffic, &*before, terminal_columns(), wants_colour()));
    return kFine;
}

}  // namespace edgecase::cli
