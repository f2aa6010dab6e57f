#include "cli/ledger_command.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "cli/console.hpp"
#include "cli/exit_status.hpp"
#include "cli/grid.hpp"
#include "cli/ledger.hpp"
#include "clickhouse/schema.hpp"
#include "config/ledger.hpp"
#include "record/json_text.hpp"
#include "record/node_json.hpp"

namespace edgecase::cli {
namespace {

using nlohmann::ordered_json;
using record::json_text;

/// Errors: a sentence, and nothing else can be done.
std::expected<clickhouse::Settings, std::string> settings_of(const LedgerCommandFlags& flags) {
    auto ledger = find_ledger({.data_dir = {}, .config = flags.config, .node = {}});
    if (!ledger) return std::unexpected(std::move(ledger.error()));
    if (!ledger->settings) {
        return std::unexpected(flags.config +
                               " names no ledger in ClickHouse: [ledger] kind = \"clickhouse\"");
    }
    if (!flags.cluster.empty() && !config::is_word(flags.cluster)) {
        return std::unexpected("--cluster wants a name of letters, digits and _, no digit first");
    }
    if (!flags.cluster.empty()) ledger->settings->cluster = flags.cluster;
    return std::move(*ledger->settings);
}

int fail(const std::string& sentence, int status) {
    complain(sentence);
    return status;
}

std::string status_text(const std::vector<record::Node>& nodes, base::WallTime now) {
    if (nodes.empty()) return "no edge has written to it yet\n";
    std::string text =
        fmt::format("{:24} {:5} {:>8} {:>12} {:>12} {:>10} {:>8}  {}\n", "edge", "colo", "number",
                    "recorded", "shipped", "waiting", "lost", "last report");
    for (const record::Node& node : nodes) {
        const auto ago = std::chrono::floor<std::chrono::seconds>(now - node.seen);
        text += fmt::format("{:24} {:5} {:>8} {:>12} {:>12} {:>10} {:>8}  {} s ago{}\n",
                            printable(node.name), printable(node.colo), node.node_id, node.recorded,
                            node.shipped, node.waiting, node.lost, ago.count(),
                            node.is_silent(now) ? ", silent" : "");
    }
    return text;
}

}  // namespace

int run_ledger_init(const LedgerCommandFlags& flags) {
    const auto settings = settings_of(flags);
    if (!settings) return fail(settings.error(), kUsage);
    if (flags.print) {
        constexpr unsigned kPortable = 0;
        for (const std::string& statement :
             clickhouse::migration(*settings, 0, clickhouse::kSchemaVersion, kPortable)) {
            print(statement + ";\n");
        }
        return kFine;
    }
    clickhouse::Client client(*settings);
    const auto done = clickhouse::migrate(client);
    if (!done) return fail(done.error(), kWrongOrMissing);
    if (flags.json) {
        print(ordered_json{{"database", settings->database},
                           {"cluster", settings->cluster},
                           {"from", done->from},
                           {"to", done->to}}
                  .dump() +
              "\n");
        return kFine;
    }
    const std::string where = settings->database + " at " + settings->urls.front() +
                              (settings->cluster.empty() ? "" : ", cluster " + settings->cluster);
    print(done->from == done->to
              ? fmt::format("{}: there already, schema version {}\n", where, done->to)
          : done->from == 0
              ? fmt::format("{}: made, schema version {}\n", where, done->to)
              : fmt::format("{}: from schema version {} to {}\n", where, done->from, done->to));
    return kFine;
}

int run_ledger_status(const LedgerCommandFlags& flags) {
    const auto settings = settings_of(flags);
    if (!settings) return fail(settings.error(), kUsage);
    const Ledger ledger{.data_dir = {}, .settings = *settings, .node = {}};
    const auto source = open_source(ledger);
    if (!source) return fail(source.error(), kWrongOrMissing);
    const auto nodes = (*source)->nodes();
    if (!nodes) return fail(nodes.error(), kWrongOrMissing);
    const auto missing = (*source)->take_missing();
    const base::WallTime now = base::SystemClock().wall_now();
    if (flags.json) {
        ordered_json list = ordered_json::array();
        for (const record::Node& node : *nodes) list.push_back(record::node_json(node, now));
        const ordered_json json{
            {"ledger", json_text(ledger.name())}, {"missing", missing}, {"nodes", list}};
        print(json.dump(2) + "\n");
    } else {
        print(ledger.name() + "\n" + status_text(*nodes, now));
        tell_missing(missing);
    }
    const bool silent =
        std::ranges::any_of(*nodes, [&](const auto& node) { return node.is_silent(now); });
    return silent || !missing.empty() ? kWrongOrMissing : kFine;
}

int run_ledger_trim(const LedgerCommandFlags& flags) {
    const auto settings = settings_of(flags);
    if (!settings) return fail(settings.error(), kUsage);
    clickhouse::Client client(*settings);
    size_t dropped = 0;
    int status = kFine;
    for (size_t server = 0; server < client.servers(); ++server) {
        const auto fine = clickhouse::check_schema(client, server);
        const auto done =
            fine ? clickhouse::drop_old(client, server) : std::unexpected(fine.error());
        if (!done) {
            status = fail(done.error().message, kWrongOrMissing);
            continue;
        }
        dropped += *done;
    }
    if (status != kFine && dropped == 0) return status;
    print(flags.json ? ordered_json{{"dropped", dropped}}.dump() + "\n"
                     : fmt::format("{} partitions dropped\n", dropped));
    return status;
}

}  // namespace edgecase::cli
