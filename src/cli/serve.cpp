#include "cli/serve.hpp"

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include "cli/config_text.hpp"
#include "cli/console.hpp"
#include "cli/exit_status.hpp"
#include "cli/service.hpp"
#include "lab/lab.hpp"
#include "lab/list.hpp"
#include "record/json_text.hpp"

namespace edgecase::cli {
namespace {

std::expected<config::Settings, config::ConfigError> load(const std::string& file,
                                                          const config::Overrides& overrides) {
    return file.empty() ? config::load("", "", overrides) : config::load_file(file, overrides);
}

sigset_t end_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, number);
    return set;
}

using FileTimes = std::vector<std::filesystem::file_time_type>;

/// When the certificate and key files were last written; a renewed one changes it. To be taken
/// before the files are read: what is written after that is seen as a change.
FileTimes file_times(const config::Settings& settings) {
    FileTimes times;
    const auto add = [&](const std::string& file) {
        std::error_code ignored;
        if (!file.empty()) times.push_back(std::filesystem::last_write_time(file, ignored));
    };
    for (const config::Certificate& one : settings.certificates) {
        add(one.certificate_file);
        add(one.key_file);
    }
    add(settings.origin_tls.ca_file);
    add(settings.origin_tls.certificate_file);
    add(settings.origin_tls.key_file);
    return times;
}

/// Says what came of it; on an error the running configuration stays. Returns whether it took it.
bool take(Service& service, std::expected<config::Settings, config::ConfigError> settings,
          const std::string& why) {
    if (!settings) {
        complain(why + ": " + settings.error().to_string() + "; the running configuration stays");
        return false;
    }
    const auto done = service.reload(std::move(*settings));
    complain(why + (done ? ": the new configuration is in force"
                         : ": " + done.error() + "; the running configuration stays"));
    return done.has_value();
}

/// Until SIGTERM or SIGINT. SIGHUP reads the configuration again, and so does a change of a
/// certificate file; SIGUSR1 opens the access log anew. `seen` is when they were written that are
/// in force.
void serve_until_end(Service& service, FileTimes seen, const std::string& config_file,
                     config::Overrides overrides) {
    constexpr timespec kLook{.tv_sec = 5, .tv_nsec = 0};
    const sigset_t set = end_signals();
    for (;;) {
        const int number = sigtimedwait(&set, nullptr, &kLook);
        if (number == SIGTERM || number == SIGINT) return;
        if (number == SIGUSR1) {
            service.reopen_logs();
            continue;
        }
        if (number == SIGHUP) {
            config::Overrides wanted = overrides;
            const auto profile = service.take_wanted_profile();
            if (profile) wanted.profile = *profile;
            auto settings = load(config_file, wanted);
            FileTimes times = settings ? file_times(*settings) : FileTimes{};
            const bool done = take(service, std::move(settings), "SIGHUP");
            if (done) seen = std::move(times);
            if (done) overrides = std::move(wanted);
            if (profile) service.answer_profile(done);
            continue;
        }
        FileTimes now = file_times(service.settings());
        if (now == seen) continue;
        seen = std::move(now);
        take(service, service.settings(), "a certificate file has changed");
    }
}

}  // namespace

void block_signals() {
    const sigset_t set = end_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

void wait_for_end() {
    const sigset_t set = end_signals();
    int number = 0;
    do {
        sigwait(&set, &number);
        if (number == SIGHUP) complain("SIGHUP: there is no configuration to read again");
    } while (number == SIGHUP || number == SIGUSR1);
}

bool end_wanted(std::chrono::milliseconds wait) {
    const sigset_t set = end_signals();
    const timespec time{.tv_sec = wait.count() / 1000, .tv_nsec = wait.count() % 1000 * 1'000'000};
    const int number = sigtimedwait(&set, nullptr, &time);
    return number == SIGTERM || number == SIGINT;
}

int run_serve(const std::string& config_file, const config::Overrides& overrides) {
    auto settings = load(config_file, overrides);
    if (!settings) {
        complain(settings.error().to_string());
        return kUsage;
    }
    block_signals();
    FileTimes written = file_times(*settings);
    const auto service = Service::start(std::move(*settings));
    if (!service) {
        complain(service.error());
        return kUsage;
    }
    (*service)->offer_profiles();
    print(
        "ready edge=" + (*service)->edge_address().to_string() +
        " admin=" + (*service)->admin_address() +
        ((*service)->plain_address() ? " plain=" + (*service)->plain_address()->to_string() : "") +
        "\n");
    serve_until_end(**service, std::move(written), config_file, overrides);
    return kFine;
}

int run_config_check(const std::string& config_file, bool json) {
    const auto settings = config::load_file(config_file, {});
    if (!settings) {
        if (json) {
            const auto& error = settings.error();
            print(nlohmann::ordered_json{{"ok", false},
                                         {"file", record::json_text(error.file)},
                                         {"line", error.line},
                                         {"column", error.column},
                                         {"message", record::json_text(error.message)}}
                      .dump() +
                  "\n");
        } else {
            complain(settings.error().to_string());
        }
        return kUsage;
    }
    print(json ? config_json(*settings) : config_text(*settings, config_file));
    return kFine;
}

int run_lab(const LabFlags& flags) {
    if (flags.list) {
        print(flags.json ? lab::list_json() : lab::list_text());
        return kFine;
    }
    const auto listen = config::parse_listen(flags.listen);
    if (!listen) {
        complain("--listen wants HOST:PORT with an address, localhost or * as HOST, not \"" +
                 flags.listen + "\"");
        return kUsage;
    }
    block_signals();
    auto lab = lab::Lab::start({*listen});
    if (!lab) {
        complain(lab.error());
        return kUsage;
    }
    const lab::Ports& ports = (*lab)->ports();
    if (flags.json) {
        print(lab::list_json(&ports));  // one document, printed when it accepts
    } else {
        print("ready lab=" + ports.main.to_string() + "\n" + lab::list_text(&ports));
    }
    wait_for_end();
    return kFine;
}

}  // namespace edgecase::cli
