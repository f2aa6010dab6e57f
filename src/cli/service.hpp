// Owns a running edge with its recording and admin listener: the wiring `serve` and `demo` share.
#pragma once

#include <atomic>
#include <condition_variable>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "admin/admin_server.hpp"
#include "base/clock.hpp"
#include "cli/recording.hpp"
#include "config/settings.hpp"
#include "edge/server.hpp"
#include "origin/switch_board.hpp"

namespace edgecase::cli {

class Service {
  public:
    /// Errors: one sentence.
    static std::expected<std::unique_ptr<Service>, std::string> start(config::Settings settings);
    /// Drains, then closes the store.
    ~Service();

    /// Goes on with other settings: new workers take the sockets over, and the old ones end with
    /// their last request. Nothing changes on an error. `data_dir`, `admin` and `retention` stay
    /// as they are until a restart. Only on one thread. Errors: one sentence.
    std::expected<void, std::string> reload(config::Settings settings);

    /// The access log's file has been renamed: a new one is made.
    void reopen_logs();

    const config::Settings& settings() const { return present_->settings; }
    ip::Endpoint edge_address() const { return present_->edge->address(); }
    std::optional<ip::Endpoint> plain_address() const { return present_->edge->plain_address(); }
    /// As the ready line says it.
    std::string admin_address() const;

    /// What an operator asked the admin listener for, to be loaded by whoever calls reload();
    /// he is woken with SIGHUP. Without him there is no changing of the profile.
    void offer_profiles() { profiles_offered_ = true; }
    std::optional<std::string> take_wanted_profile();
    /// Whether it was taken.
    void answer_profile(bool taken);

  private:
    /// One configuration and the edge that runs by it.
    struct Generation {
        config::Settings settings;
        std::unique_ptr<edge::Server> edge;
    };

    Service() = default;
    std::expected<std::unique_ptr<Generation>, std::string> start_edge(config::Settings settings);
    std::string metrics();
    std::vector<admin::OriginState> origins();
    bool switch_http2(const admin::Http2Order& order);
    admin::EdgeStatus status();
    std::expected<void, std::string> set_profile(const std::string& name);
    std::expected<void, std::string> start_admin();

    base::SystemClock clock_;
    std::unique_ptr<Recording> recording_;
    std::unique_ptr<Generation> present_;
    struct Retired {
        std::unique_ptr<Generation> generation;
        std::atomic<bool> over = false;
        std::jthread waiting;
    };
    std::vector<std::unique_ptr<Retired>> retired_;
    std::shared_ptr<origin::SwitchBoard> switches_ = std::make_shared<origin::SwitchBoard>();
    std::mutex shown_mutex_;                                       // of what the admin thread shows
    std::vector<std::shared_ptr<const edge::Counters>> counters_;  // of all generations
    std::vector<admin::OriginState> origins_;                      // of the present configuration
    std::shared_ptr<origin::HealthBoard> health_;                  // of it, too
    uint64_t reloads_ = 0;
    std::set<std::string, std::less<>> checked_pools_;
    std::string profile_;  // of the present configuration
    std::string colo_;
    std::optional<std::string> wanted_profile_;
    std::optional<bool> profile_taken_;  // the answer to the one who waits
    std::condition_variable profile_answered_;
    std::atomic<bool> profiles_offered_ = false;
    base::WallTime started_ = clock_.wall_now();
    std::unique_ptr<admin::AdminServer> admin_;
};

}  // namespace edgecase::cli
