#include "cli/recording.hpp"

#include <utility>

#include "cli/console.hpp"
#include "cli/ledger.hpp"
#include "clickhouse/source.hpp"
#include "config/choices.hpp"

namespace edgecase::cli {
namespace {

/// Keeps nothing.
class NoSink final : public record::Sink {
  public:
    void write(const record::RecordView&) override {}
    void flush() override {}
};

}  // namespace

std::expected<std::unique_ptr<Recording>, std::string> Recording::open(
    const config::Settings& settings) {
    std::unique_ptr<Recording> recording(new Recording(settings));
    if (settings.ledger.kind == config::Ledger::Kind::clickhouse) {
        auto known = ledger_settings(settings.ledger);
        if (!known) return std::unexpected(std::move(known.error()));
        recording->clickhouse_ = std::move(*known);
    }
    if (settings.retention.records != config::Recorded::none) {
        if (auto done = recording->open_store(); !done) return std::unexpected(done.error());
    }
    if (auto done = recording->open_access_log(settings.access_log); !done) {
        return std::unexpected(done.error());
    }
    return recording;
}

Recording::~Recording() {
    access_log_.reset();
    if (store_) store_->close();
    shipper_.reset();
}

std::expected<void, std::string> Recording::open_store() {
    store::StoreOptions options;
    options.data_dir = data_dir_;
    options.successes = retention_.records == config::Recorded::all;
    options.ships = ledger_.kind == config::Ledger::Kind::clickhouse;
    options.retention_age = retention_.age;
    options.retention_bytes = retention_.bytes;
    options.log = [](const std::string& line) { complain(line); };
    auto store = store::Store::open(std::move(options));
    if (!store) return std::unexpected(std::move(store.error()));
    store_ = std::move(*store);
    return {};
}

void Recording::ship(unsigned node_id) {
    if (!clickhouse_ || !store_) return;
    clickhouse::ShipperOptions options;
    options.ledger = *clickhouse_;
    options.data_dir = data_dir_;
    options.node = node_name(ledger_);
    options.colo = colo_;
    options.version = EDGECASE_VERSION;
    options.node_id = node_id;
    options.redacts = !ledger_.secrets;
    options.recorded = [this] { return store_->counters().records_written; };
    options.lost = [this] {
        const store::StoreCounters counters = store_->counters();
        return counters.unshipped + counters.successes_dropped + counters.cases_dropped;
    };
    options.log = [](const std::string& line) { complain(line); };
    shipper_ = clickhouse::Shipper::start(std::move(options));
}

std::expected<void, std::string> Recording::open_access_log(const config::AccessLog& settings) {
    if (settings.path.empty()) return {};
    access_log::AccessLogOptions options;
    options.path = settings.path;
    options.format = settings.format == config::AccessLog::Format::combined
                         ? access_log::Format::combined
                         : access_log::Format::json;
    options.log = [](const std::string& line) { complain(line); };
    auto log = access_log::AccessLog::open(std::move(options));
    if (!log) return std::unexpected(std::move(log.error()));
    access_log_ = std::move(*log);
    return {};
}

std::unique_ptr<record::Sink> Recording::make_sink() {
    std::unique_ptr<record::Sink> sink = store_ ? store_->make_sink() : std::make_unique<NoSink>();
    if (access_log_) sink = access_log_->make_sink(std::move(sink));
    return std::make_unique<admin::TailSink>(std::move(sink), tail_);
}

void Recording::reopen_logs() {
    if (access_log_) access_log_->reopen();
}

std::expected<std::unique_ptr<record::Source>, std::string> Recording::open_source() const {
    if (clickhouse_) return clickhouse::open_source(*clickhouse_);
    if (store_) return store::open_source(data_dir_);
    return std::unexpected("this edge keeps no records: retention.records is off");
}

std::optional<clickhouse::ShipperCounters> Recording::shipped() const {
    if (!shipper_) return std::nullopt;
    return shipper_->counters();
}

std::string Recording::node() const {
    return clickhouse_ ? node_name(ledger_) : std::string();
}

std::string_view Recording::kind() const {
    return name_of(ledger_.kind, config::kLedgerKinds);
}

store::StoreCounters Recording::stored() const {
    return store_ ? store_->counters() : store::StoreCounters{};
}

std::optional<access_log::AccessLogCounters> Recording::logged() const {
    if (!access_log_) return std::nullopt;
    return access_log_->counters();
}

}  // namespace edgecase::cli
