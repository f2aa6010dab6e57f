#include "cli/service.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "cause/table.hpp"
#include "cli/console.hpp"
#include "cli/secret_file.hpp"
#include "config/choices.hpp"
#include "config/load.hpp"
#include "record/ray_id.hpp"

namespace edgecase::cli {
namespace {

/// Freed memory stays with the process: giving it back costs a page fault of microseconds each time
/// it is wanted again, on virtual machines tens of them. Measured in bench/README.md.
void keep_freed_memory() {
    constexpr int kKeptBytes = 64 << 20;
    mallopt(M_TRIM_THRESHOLD, kKeptBytes);
    mallopt(M_MMAP_THRESHOLD, kKeptBytes);
}

/// Every connection is a descriptor; the soft limit is often far below what is allowed.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/// Each origin once, as the configuration names it first.
std::vector<admin::OriginState> origins_of(const config::Settings& settings) {
    std::vector<admin::OriginState> states;
    for (const config::Pool& pool : settings.pools) {
        for (const config::PoolOrigin& origin : pool.origins) {
            const std::string url = origin.url.to_string();
            const auto same = [&](const admin::OriginState& one) { return one.url == url; };
            if (std::ranges::any_of(states, same)) continue;
            const bool tls = origin.url.scheme == http::OriginUrl::Scheme::https &&
                             (settings.origin_tls.mode == config::SslMode::full ||
                              settings.origin_tls.mode == config::SslMode::strict);
            states.push_back({url, tls, tls && settings.origin_tls.http2});
        }
    }
    return states;
}

/// Empty without a file. Errors: a sentence.
std::expected<std::string, std::string> read_token(const std::string& path) {
    constexpr size_t kLeastBytes = 16;
    if (path.empty()) return std::string();
    auto token = read_secret_file(path, "the admin token");
    if (token && token->size() < kLeastBytes) {
        return std::unexpected("the admin token in " + path + " is too short: at least " +
                               std::to_string(kLeastBytes) +
                               " characters, as from `openssl rand -hex 32`");
    }
    struct stat info{};
    if (stat(path.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0) {
        complain("everybody on this machine can read the admin token file " + path);
    }
    return token;
}

/// What the workers show of it, added up.
void show_connections(admin::OriginState& state, origin::SwitchBoard& board) {
    state.idle = state.active = 0;
    state.idle_timeout_ms.reset();
    for (const auto& figures : board.figures(state.url)) {
        state.idle += figures->idle();
        state.active += figures->active();
        const int64_t closed_after = figures->idle_close_ms();
        if (closed_after >= 0) {
            state.idle_timeout_ms =
                std::max(state.idle_timeout_ms.value_or(closed_after), closed_after);
        }
    }
}

}  // namespace

std::expected<std::unique_ptr<Service::Generation>, std::string> Service::start_edge(
    config::Settings settings) {
    if (settings.workers == 0) {
        settings.workers =
            std::clamp(std::thread::hardware_concurrency(), 1u, record::RayId::kMaximumWorkers);
    }
    auto generation = std::make_unique<Generation>(Generation{std::move(settings), nullptr});
    auto edge = edge::Server::start(
        generation->settings, clock_, [this] { return recording_->make_sink(); }, switches_,
        present_ ? present_->edge.get() : nullptr);
    if (!edge) return std::unexpected(edge.error());
    generation->edge = std::move(*edge);
    const std::lock_guard lock(shown_mutex_);
    for (auto& counters : generation->edge->counters()) counters_.push_back(std::move(counters));
    health_ = generation->edge->health();
    origins_ = origins_of(generation->settings);
    checked_pools_.clear();
    for (const config::Pool& pool : generation->settings.pools) {
        if (!pool.health.path.empty()) checked_pools_.insert(pool.name);
    }
    profile_ = generation->settings.profile;
    colo_ = generation->settings.colo;
    return generation;
}

std::expected<std::unique_ptr<Service>, std::string> Service::start(config::Settings settings) {
    keep_freed_memory();
    raise_descriptor_limit();
    std::unique_ptr<Service> service(new Service());
    auto recording = Recording::open(settings);
    if (!recording) return std::unexpected(std::move(recording.error()));
    service->recording_ = std::move(*recording);

    auto generation = service->start_edge(std::move(settings));
    if (!generation) return std::unexpected(generation.error());
    service->present_ = std::move(*generation);
    service->recording_->ship(service->present_->edge->node_id());

    if (auto done = service->start_admin(); !done) return std::unexpected(done.error());
    return service;
}

std::expected<void, std::string> Service::start_admin() {
    const config::Settings& now = settings();
    if (!now.admin && now.admin_socket.empty()) return {};
    auto token = read_token(now.admin_token_file);
    if (!token) return std::unexpected(token.error());
    admin::Backend backend{
        .metrics = [this] { return metrics(); },
        .origins = [this] { return origins(); },
        .switch_http2 = [this](const auto& order) { return switch_http2(order); },
        .status = [this] { return status(); },
        .drain = [this](bool on) { switches_->draining = on; },
        .set_profile = [this](const auto& name) { return set_profile(name); },
        .open_source = [this] { return recording_->open_source(); },
        .tail = recording_->tail(),
        .node = recording_->node()};
    auto admin = admin::AdminServer::start({now.admin.value_or(ip::Endpoint()), now.admin_socket},
                                           std::move(*token), std::move(backend));
    if (!admin) return std::unexpected(admin.error());
    admin_ = std::move(*admin);
    return {};
}

admin::EdgeStatus Service::status() {
    const store::StoreCounters stored = recording_->stored();
    const auto profiles = config::profile_names();
    const std::lock_guard lock(shown_mutex_);
    return {.version = EDGECASE_VERSION,
            .colo = colo_,
            .started = started_,
            .profile = profile_,
            .profiles = {profiles.begin(), profiles.end()},
            .draining = switches_->draining,
            .records_written = stored.records_written,
            .cases_written = stored.cases_written,
            .records_dropped = stored.successes_dropped + stored.cases_dropped,
            .recorded = std::string(name_of(recording_->recorded(), config::kRecorded)),
            .store = std::string(recording_->kind()),
            .retention = recording_->retention_age()};
}

std::expected<void, std::string> Service::set_profile(const std::string& name) {
    constexpr std::chrono::seconds kPatience{5};
    if (!profiles_offered_) return std::unexpected("this edge cannot change its profile");
    std::unique_lock lock(shown_mutex_);
    wanted_profile_ = name;
    profile_taken_.reset();
    kill(getpid(), SIGHUP);
    profile_answered_.wait_for(lock, kPatience, [&] { return profile_taken_.has_value(); });
    if (profile_taken_.value_or(false)) return {};
    wanted_profile_.reset();
    return std::unexpected("the profile was not taken; the log of the edge says why");
}

void Service::answer_profile(bool taken) {
    const std::lock_guard lock(shown_mutex_);
    profile_taken_ = taken;
    profile_answered_.notify_all();
}

std::optional<std::string> Service::take_wanted_profile() {
    const std::lock_guard lock(shown_mutex_);
    return std::exchange(wanted_profile_, std::nullopt);
}

std::expected<void, std::string> Service::reload(config::Settings settings) {
    const config::Settings& now = present_->settings;
    if (settings.data_dir != now.data_dir || settings.admin != now.admin ||
        settings.admin_socket != now.admin_socket ||
        settings.admin_token_file != now.admin_token_file) {
        complain("data_dir and admin keep their values until a restart");
    }
    if (settings.access_log != now.access_log || settings.ledger != now.ledger) {
        complain("access_log and ledger keep their values until a restart");
    }
    settings.ledger = now.ledger;
    settings.access_log = now.access_log;
    settings.data_dir = now.data_dir;
    settings.admin = now.admin;
    settings.admin_socket = now.admin_socket;
    settings.admin_token_file = now.admin_token_file;
    settings.retention = now.retention;
    auto next = start_edge(std::move(settings));
    if (!next) return std::unexpected(next.error());
    auto retired = std::make_unique<Retired>();
    retired->generation = std::exchange(present_, std::move(*next));
    retired->generation->edge->retire();
    retired->waiting = std::jthread([raw = retired.get()] {
        raw->generation->edge->join();
        raw->over = true;
    });
    std::erase_if(retired_, [](const auto& old) { return old->over.load(); });
    retired_.push_back(std::move(retired));
    const std::lock_guard lock(shown_mutex_);
    ++reloads_;
    return {};
}

Service::~Service() {
    admin_.reset();  // first: it reads the counters of the others
    for (const auto& old : retired_) old->generation->edge->drain();
    if (present_) present_->edge->drain();
    for (const auto& old : retired_) old->waiting.join();
    retired_.clear();
    present_.reset();
    recording_.reset();
}

void Service::reopen_logs() {
    recording_->reopen_logs();
}

std::string Service::admin_address() const {
    return admin_ ? admin_->address() : "off";
}

std::vector<admin::OriginState> Service::origins() {
    const std::lock_guard lock(shown_mutex_);
    for (admin::OriginState& one : origins_) {
        one.http2 = switches_->http2(one.url);
        one.pools.clear();
        show_connections(one, *switches_);
    }
    health_->for_each([&](const auto& pool, const auto& url, const auto& state) {
        const auto found = std::ranges::find(origins_, url, &admin::OriginState::url);
        if (found == origins_.end() || !checked_pools_.contains(pool)) return;
        const cause::Cause fault = state.last_fault;
        const std::string error(fault == cause::Cause::none ? ""
                                                            : origin::health_fault_name(fault));
        found->pools.push_back({pool, state.healthy.load(), error});
    });
    return origins_;
}

bool Service::switch_http2(const admin::Http2Order& order) {
    const auto url = http::OriginUrl::parse(order.origin);
    if (!url) return false;
    const std::lock_guard lock(shown_mutex_);
    const auto known = [&](const admin::OriginState& one) { return one.url == url->to_string(); };
    if (std::ranges::none_of(origins_, known)) return false;
    switches_->http2(url->to_string()) = order.http2;
    return true;
}

}  // namespace edgecase::cli
