// Owns where a running edge's records go: the store, the access log, and whoever watches live.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "access_log/access_log.hpp"
#include "admin/tail_hub.hpp"
#include "clickhouse/shipper.hpp"
#include "config/settings.hpp"
#include "record/sink.hpp"
#include "record/source.hpp"
#include "store/store.hpp"

namespace edgecase::cli {

class Recording {
  public:
    /// Errors: one sentence.
    static std::expected<std::unique_ptr<Recording>, std::string> open(
        const config::Settings& settings);
    /// Begins to ship what is recorded, where a ledger is configured. `node_id`: in the Ray IDs.
    void ship(unsigned node_id);

    /// Writes and ships what was recorded, as far as the ledger takes it.
    ~Recording();

    /// For one worker thread; must not outlive this.
    std::unique_ptr<record::Sink> make_sink();
    /// The access log's file has been renamed: a new one is made.
    void reopen_logs();

    /// What was recorded, for another thread to read. Errors: one sentence.
    std::expected<std::unique_ptr<record::Source>, std::string> open_source() const;

    config::Recorded recorded() const { return retention_.records; }
    std::chrono::hours retention_age() const { return retention_.age; }
    /// Zeros when nothing is recorded.
    store::StoreCounters stored() const;
    /// Empty: there is no access log.
    std::optional<access_log::AccessLogCounters> logged() const;
    /// Empty: there is no ledger.
    std::optional<clickhouse::ShipperCounters> shipped() const;
    /// `sqlite` or `clickhouse`: what open_source() reads.
    std::string_view kind() const;
    /// This edge's name in a ledger of many; empty where the records are its own.
    std::string node() const;
    const std::shared_ptr<admin::TailHub>& tail() const { return tail_; }

  private:
    explicit Recording(const config::Settings& settings)
        : data_dir_(settings.data_dir),
          retention_(settings.retention),
          ledger_(settings.ledger),
          colo_(settings.colo) {}
    std::expected<void, std::string> open_store();
    std::expected<void, std::string> open_access_log(const config::AccessLog& settings);

    const std::filesystem::path data_dir_;
    const config::Retention retention_;
    const config::Ledger ledger_;
    const std::string colo_;
    std::optional<clickhouse::Settings> clickhouse_;
    std::unique_ptr<store::Store> store_;                // null: nothing is recorded
    std::unique_ptr<clickhouse::Shipper> shipper_;       // null: there is no ledger
    std::unique_ptr<access_log::AccessLog> access_log_;  // null: none is wanted
    std::shared_ptr<admin::TailHub> tail_ = std::make_shared<admin::TailHub>();
};

}  // namespace edgecase::cli
