#include "cli/check.hpp"

#include <fmt/format.h>
#include <stdlib.h>  // mkdtemp

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>

#include "base/ascii.hpp"
#include "base/duration.hpp"
#include "cli/check_report.hpp"
#include "cli/console.hpp"
#include "cli/exit_status.hpp"
#include "cli/serve.hpp"
#include "cli/service.hpp"
#include "cli/tour_client.hpp"
#include "net/connect.hpp"
#include "net/task_set.hpp"
#include "probe/probes.hpp"
#include "store/store.hpp"

namespace edgecase::cli {
namespace {

constexpr size_t kMostPaths = 10'000;
constexpr std::array<std::string_view, 3> kSkippable{"status", "headers", "keep-alive"};
/// The origin is asked under its own name, as its developer does.
constexpr std::string_view kOwnHost = "host_to_origin = false\n";

/// A folder that ends with us.
class Folder {
  public:
    static std::expected<Folder, std::string> make() {
        std::error_code error;
        std::string path = (std::filesystem::temp_directory_path(error) / "edgecase-check-XXXXXX");
        if (error || mkdtemp(path.data()) == nullptr) {
            return std::unexpected("cannot make a temporary folder");
        }
        return Folder(std::move(path));
    }
    Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    Folder& operator=(Folder&&) = delete;
    ~Folder() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }

  private:
    explicit Folder(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

std::expected<std::vector<std::string>, std::string> paths_of(const CheckFlags& flags) {
    std::vector<std::string> paths = flags.paths;
    if (!flags.paths_file.empty()) {
        std::ifstream file;
        if (flags.paths_file != "-") {
            file.open(flags.paths_file);
            if (!file) return std::unexpected(flags.paths_file + ": cannot be read");
        }
        std::istream& in = flags.paths_file == "-" ? std::cin : file;
        for (std::string line; std::getline(in, line) && paths.size() <= kMostPaths;) {
            const std::string_view path = base::trim(line);
            if (!path.empty() && !path.starts_with('#')) paths.emplace_back(path);
        }
    }
    if (paths.empty()) paths.emplace_back("/");
    if (paths.size() > kMostPaths) {
        return std::unexpected(fmt::format("more than {} paths", kMostPaths));
    }
    for (const std::string& path : paths) {
        const bool good = path.starts_with('/') && std::ranges::all_of(path, [](unsigned char c) {
                              return c > 0x20 && c < 0x7f;
                          });
        if (!good) {
            return std::unexpected(
                "a path begins with / and has neither spaces nor other than "
                "ASCII, not \"" +
                one_line(path) + "\"");
        }
    }
    return paths;
}

/// The record may take a moment to become readable.
std::optional<record::Record> record_of(const std::string& data_dir, const std::string& ray_text) {
    const auto ray = record::RayId::parse(ray_text);
    for (int i = 0; ray && i < 60; ++i) {
        const auto source = store::open_source(data_dir);
        if (source) {
            auto found = (*source)->find(*ray);
            if (found && *found) return std::move(*found);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return std::nullopt;
}

/// SIGINT and SIGTERM, for whoever is at work.
class Interrupt {
  public:
    Interrupt()
        : watching_([this](const std::stop_token& over) {
              while (!over.stop_requested()) {
                  if (!end_wanted(std::chrono::milliseconds(100))) continue;
                  came_ = true;
                  const std::lock_guard lock(mutex_);
                  if (loop_ != nullptr) loop_->stop();
              }
          }) {}
    const std::atomic<bool>& came() const { return came_; }
    /// That loop ends too; null: none.
    void set_loop(net::Loop* loop) {
        const std::lock_guard lock(mutex_);
        loop_ = loop;
        if (loop_ != nullptr && came_) loop_->stop();
    }

  private:
    std::atomic<bool> came_ = false;
    std::mutex mutex_;
    net::Loop* loop_ = nullptr;
    std::jthread watching_;
};

class Checker {
  public:
    Checker(const CheckFlags& flags, const Service& service, const std::string& data_dir,
            std::chrono::milliseconds limit, const Interrupt& interrupt)
        : flags_(flags),
          service_(service),
          data_dir_(data_dir),
          limit_(limit),
          interrupt_(interrupt) {}

    CheckResult path(const std::string& path) const {
        CheckResult result;
        result.name = path;
        result.header_limit = service_.settings().limits.response_header_bytes;
        const auto begin = std::chrono::steady_clock::now();
        const auto reply =
            tour_request(service_.edge_address(), {"GET", path, {}, 0, limit_, &interrupt_.came()});
        result.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        if (!reply) {
            result.problem = reply.error();
            return result;
        }
        result.status = reply->status;
        result.ray = reply->ray;
        if (reply->given_up) {
            const bool begun = reply->status >= 200 && reply->status < 500;
            const std::string time = base::format_duration(limit_);
            (begun ? result.note : result.problem) =
                begun ? "It was still being sent after " + time + ", and not read to its end."
                      : "There was no answer within " + time + ".";
            return result;
        }
        const auto record = record_of(data_dir_, reply->ray);
        if (!record) {
            result.problem = "The edge kept no record of the request.";
            return result;
        }
        judge(*record, result);
        return result;
    }

  private:
    bool skips(std::string_view what) const {
        return std::ranges::find(flags_.skip, what) != flags_.skip.end();
    }

    void judge(const record::Record& record, CheckResult& result) const {
        const cause::Row& row = cause::row(record.cause);
        result.cause = row.name;
        result.header_bytes = record.response_header_bytes;
        if (record.cause == cause::Cause::origin_status) {
            result.note = "The origin answered " + std::to_string(record.origin_status) +
                          " by itself; the edge passes that on.";
        } else if (record.cause != cause::Cause::none && !skips("status")) {
            result.problem = std::string(row.reason);
            if (record.aborted) result.problem += " The answer was cut off.";
            result.fix = row.fix;
            return;
        }
        const uint64_t limit = result.header_limit * flags_.header_share / 100;
        if (!skips("headers") && result.header_bytes > limit) {
            result.cause = cause::row(cause::Cause::resp_headers_too_large).name;
            result.fix = cause::row(cause::Cause::resp_headers_too_large).fix;
            result.problem = fmt::format(
                "The response head has {} bytes, more than {} % of the "
                "edge's {}.",
                result.header_bytes, flags_.header_share, result.header_limit);
        }
    }

    const CheckFlags& flags_;
    const Service& service_;
    const std::string& data_dir_;
    std::chrono::milliseconds limit_;
    const Interrupt& interrupt_;
};

/// Whether the origin keeps idle connections as long as the edge does, as far as patience tells.
std::expected<CheckResult, std::string> check_keep_alive(const config::Settings& settings,
                                                         const std::string& path,
                                                         std::chrono::milliseconds patience,
                                                         Interrupt& interrupt) {
    probe::Options options;
    options.settings = settings;
    options.target = path;
    options.patience = patience;
    const base::SystemClock clock;
    auto session = probe::Session::create(std::move(options), clock);
    if (!session) return std::unexpected(session.error());
    probe::Session& one = **session;
    net::TaskSet tasks;
    const auto probing = [](probe::Session& asked) -> net::Task<void> {
        co_await probe::probe_keep_alive(asked);
        asked.loop().stop();
    };
    const base::SteadyTime begin = clock.now();
    one.loop().post([&] { tasks.spawn(probing(one)); });
    interrupt.set_loop(&one.loop());
    one.loop().run();
    interrupt.set_loop(nullptr);
    tasks.cancel_all();
    CheckResult result;
    result.name = "keep-alive";
    result.seconds = std::chrono::duration<double>(clock.now() - begin).count();
    const probe::KeepAliveFacts& facts = one.facts().keep_alive;
    const auto edge = settings.timeouts.pool_idle;
    const auto kept = facts.closed_after ? facts.closed_after : facts.announced;
    const bool answered = !one.trials().empty() && !one.trials().front().failure;
    if (!answered) {
        result.note = "Not measured: the request for " + path + " failed.";
    } else if (!facts.offered) {
        result.note = "The origin keeps no connection, so there is none that could be closing.";
    } else if (kept && *kept < edge) {
        result.cause = cause::row(cause::Cause::reuse_stale).name;
        result.fix = cause::row(cause::Cause::reuse_stale).fix;
        result.problem = fmt::format(
            "The origin closes idle connections after {:g} s; the edge "
            "keeps them for {:g} s.",
            static_cast<double>(kept->count()) / 1000, static_cast<double>(edge.count()) / 1000);
    } else {
        result.note = fmt::format("Still open after {:g} s.",
                                  static_cast<double>(facts.waited.count()) / 1000);
    }
    return result;
}

/// Until the origin takes connections. False: it does not within that time.
bool wait_for(const http::OriginUrl& url, const config::Settings& settings,
              std::chrono::milliseconds limit, Interrupt& interrupt) {
    const base::SystemClock clock;
    auto loop = net::Loop::create(clock);
    if (!loop) return false;
    auto resolver = net::Resolver::create(**loop, {.server = settings.resolver});
    if (!resolver) return false;
    bool up = false;
    net::TaskSet tasks;
    const auto trying = [](net::Loop& on, net::Resolver& names, const http::OriginUrl& to,
                           base::Deadline until, bool& connected) -> net::Task<void> {
        constexpr std::chrono::milliseconds kPause{100};
        while (!connected && !until.passed(on.clock().now())) {
            const auto found = co_await names.resolve(to.host, until);
            if (found) {
                const auto stream =
                    co_await net::connect(on, {found->addresses.front(), to.port}, {}, until);
                connected = stream.has_value();
            }
            if (!connected) co_await on.sleep_until(on.after(kPause));
        }
        on.stop();
    };
    (*loop)->post([&] {
        tasks.spawn(trying(**loop, **resolver, url, base::Deadline::after(clock.now(), limit), up));
    });
    interrupt.set_loop(loop->get());
    (*loop)->run();
    interrupt.set_loop(nullptr);
    tasks.cancel_all();
    return up;
}

int usage(const std::string& why) {
    complain(why);
    return kUsage;
}

int show(const CheckFlags& flags, const CheckReport& report) {
    if (flags.github) print(check_github(report));
    print(flags.json ? check_json(report) : check_text(report, wants_colour()));
    if (!flags.junit.empty()) {
        std::ofstream file(flags.junit, std::ios::binary | std::ios::trunc);
        file << check_junit(report);
        file.close();
        if (!file) return usage(flags.junit + ": cannot be written");
    }
    return report.failed() == 0 ? kFine : kWrongOrMissing;
}

}  // namespace

int run_check(const CheckFlags& flags) {
    for (const std::string& name : flags.skip) {
        if (std::ranges::find(kSkippable, name) == kSkippable.end()) {
            return usage("--skip takes status, headers or keep-alive, not \"" + one_line(name) +
                         "\"");
        }
    }
    if (flags.json && flags.github) return usage("--json and --github exclude each other");
    const auto paths = paths_of(flags);
    if (!paths) return usage(paths.error());
    const auto patience = base::parse_duration(flags.patience);
    const auto wait = base::parse_duration(flags.wait);
    const auto path_time = base::parse_duration(flags.path_time);
    if (!patience || !wait || !path_time || path_time->count() == 0) {
        return usage("--patience, --wait and --path-time want durations like 6s or 500ms");
    }
    const auto folder = Folder::make();
    if (!folder) return usage(folder.error());
    config::Overrides values = flags.values;
    values.origin = flags.origin;
    values.listen = "127.0.0.1:0";
    values.admin = "127.0.0.1:0";
    values.data_dir = folder->path();
    values.workers = "1";
    auto settings = flags.config.empty() ? config::load(kOwnHost, "", values)
                                         : config::load_file(flags.config, values);
    if (!settings) return usage(settings.error().to_string());
    block_signals();
    Interrupt interrupt;
    const http::OriginUrl url = settings->pools.front().origins.front().url;
    if (wait->count() > 0 && !wait_for(url, *settings, *wait, interrupt)) {
        complain(flags.origin + " took no connection within " + flags.wait);
        return kWrongOrMissing;
    }
    const config::Settings for_probe = *settings;
    auto service = Service::start(std::move(*settings));
    if (!service) return usage(service.error());
    CheckReport report;
    report.origin = flags.origin;
    const Checker checker(flags, **service, folder->path(), *path_time, interrupt);
    const auto interrupted = [&] {
        complain("interrupted");
        return kWrongOrMissing;
    };
    for (const std::string& path : *paths) {
        if (is_watched()) {
            note(fmt::format("\r\x1b[K{}/{} {}", report.results.size(), paths->size(), path));
        }
        report.results.push_back(checker.path(path));
        if (interrupt.came()) return interrupted();
    }
    if (is_watched()) note("\r\x1b[K");
    if (std::ranges::find(flags.skip, "keep-alive") == flags.skip.end()) {
        auto kept = check_keep_alive(for_probe, paths->front(), *patience, interrupt);
        if (interrupt.came()) return interrupted();
        if (!kept) return usage(kept.error());
        report.results.push_back(std::move(*kept));
    }
    return show(flags, report);
}

}  // namespace edgecase::cli
