#include "clickhouse/node_report.hpp"

#include <fmt/format.h>

#include "clickhouse/row_binary.hpp"
#include "clickhouse/schema.hpp"
#include "clickhouse/seconds.hpp"
#include "record/source.hpp"

namespace edgecase::clickhouse {
namespace {

// One that has the name as well is another if it reports later than the one before could have.
constexpr uint32_t kFormerSeconds = 10;

}  // namespace

uint32_t NodeReport::now() {
    return seconds_of(base::SystemClock().wall_now());
}

std::expected<void, QueryError> NodeReport::send(Client& client, size_t server,
                                                 const Figures& figures) {
    std::string row;
    RowWriter writer(row);
    writer.text(node_.name);
    writer.text(node_.colo);
    writer.text(node_.version);
    writer.number(static_cast<uint16_t>(node_.node_id));
    writer.number(started_);
    writer.number(figures.recorded);
    writer.number(figures.shipped);
    writer.number(figures.waiting);
    writer.number(figures.lost);
    const Settings& settings = client.settings();
    return client.insert(
        server,
        "INSERT INTO " + local_table(settings, "nodes") +
            " (node, colo, version, node_id, started, recorded, shipped, waiting, lost) "
            "FORMAT RowBinary",
        row,
        fmt::format("edgecase-{}-{}-{}-node-{}", settings.database, node_.name, started_,
                    ++reports_),
        Client::Repeated::inserted);
}

std::optional<NodeReport::Edges> NodeReport::look(Client& client, size_t server) const {
    const std::string is_other = fmt::format(
        "node_id = {} AND (node != {} OR (started != toDateTime({}) AND seen > toDateTime({})))",
        node_.node_id, literal(node_.name), started_, started_ + kFormerSeconds);
    const auto rows = client.ask(
        server, fmt::format("SELECT toUInt64(uniq(node)), anyIf(node, {}) FROM {} WHERE seen > "
                            "now() - {} FORMAT RowBinary",
                            is_other, whole_table(client.settings(), "nodes"),
                            std::chrono::seconds(record::Node::kSilence).count()));
    if (!rows) return std::nullopt;
    RowReader reader(*rows);
    Edges edges;
    edges.count = reader.number<uint64_t>();
    edges.same_number = reader.text();
    return edges;
}

}  // namespace edgecase::clickhouse
