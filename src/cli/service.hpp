// Owns a running edge with its store and admin listener: the wiring `serve` and `demo` share.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "admin/admin_server.hpp"
#include "base/clock.hpp"
#include "config/settings.hpp"
#include "edge/server.hpp"
#include "store/store.hpp"

namespace edgecase::cli {

class Service {
  public:
    /// Errors: one sentence.
    static std::expected<std::unique_ptr<Service>, std::string> start(config::Settings settings);
    /// Drains, then closes the store.
    ~Service();

    const config::Settings& settings() const { return settings_; }
    ip::Endpoint edge_address() const { return edge_->address(); }
    ip::Endpoint admin_address() const;

  private:
    explicit Service(config::Settings settings) : settings_(std::move(settings)) {}
    std::string metrics() const;

    config::Settings settings_;
    base::SystemClock clock_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<edge::Server> edge_;
    std::unique_ptr<admin::AdminServer> admin_;
};

}  // namespace edgecase::cli
