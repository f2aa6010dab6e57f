#include "cli/ledger.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>

#include "cli/console.hpp"
#include "cli/exit_status.hpp"
#include "cli/secret_file.hpp"
#include "clickhouse/source.hpp"
#include "config/load.hpp"
#include "store/follower.hpp"
#include "store/store.hpp"

namespace edgecase::cli {
namespace {

constexpr const char* kUsualFolder = "edgecase-data";

}  // namespace

std::string Ledger::name() const {
    return settings ? settings->database + " at " + settings->urls.front() : data_dir;
}

std::expected<Ledger, std::string> find_ledger(const LedgerFlags& flags) {
    Ledger ledger{.data_dir = flags.data_dir, .settings = std::nullopt, .node = flags.node};
    if (!flags.config.empty()) {
        // A file of the ledger alone will do, which has no origin.
        config::Overrides values;
        values.origin = "http://127.0.0.1";
        const auto settings = config::load_file(flags.config, values);
        if (!settings) return std::unexpected(settings.error().to_string());
        if (!flags.data_dir.empty()) {
            return std::unexpected("give --data-dir or --config, not both");
        }
        ledger.data_dir = settings->data_dir.string();
        if (settings->ledger.kind == config::Ledger::Kind::clickhouse) {
            auto known = ledger_settings(settings->ledger);
            if (!known) return std::unexpected(std::move(known.error()));
            ledger.settings = std::move(*known);
        }
    }
    if (ledger.data_dir.empty()) ledger.data_dir = kUsualFolder;
    if (!flags.node.empty() && !ledger.settings) {
        return std::unexpected(
            "--node is for a ledger of many edges: give --config with a file that names one");
    }
    return ledger;
}

std::string ledger_name(const LedgerFlags& flags) {
    const auto ledger = find_ledger(flags);
    return ledger ? ledger->name() : flags.data_dir;
}

std::expected<std::unique_ptr<record::Source>, std::string> open_source(const Ledger& ledger) {
    return ledger.settings ? clickhouse::open_source(*ledger.settings, ledger.node)
                           : store::open_source(ledger.data_dir);
}

std::unique_ptr<record::Source> open_source(const LedgerFlags& flags, int& status) {
    const auto ledger = find_ledger(flags);
    auto source = ledger ? open_source(*ledger) : std::unexpected(ledger.error());
    if (source) return std::move(*source);
    complain(source.error());
    status = ledger ? kWrongOrMissing : kUsage;
    return nullptr;
}

std::unique_ptr<record::Follower> make_follower(const Ledger& ledger) {
    if (ledger.settings) return clickhouse::make_follower(*ledger.settings, ledger.node);
    return std::make_unique<store::CaseFollower>(ledger.data_dir);
}

void tell_missing(record::Source& source) {
    tell_missing(source.take_missing());
}

void tell_missing(const std::vector<std::string>& parts) {
    std::string all;
    for (const std::string& part : parts) all += (all.empty() ? "" : ", ") + part;
    if (!all.empty()) complain("this is a part only: no answer from " + all);
}

std::expected<clickhouse::Settings, std::string> ledger_settings(const config::Ledger& ledger) {
    clickhouse::Settings settings;
    settings.urls = ledger.urls;
    settings.database = ledger.database;
    settings.user = ledger.user;
    settings.ca_file = ledger.ca_file;
    settings.cluster = ledger.cluster;
    settings.keep = ledger.keep;
    if (!ledger.password_file.empty()) {
        auto password = read_secret_file(ledger.password_file, "the ledger's password");
        if (!password) return std::unexpected(std::move(password.error()));
        settings.password = std::move(*password);
    } else if (!ledger.password_env.empty()) {
        const char* const password = std::getenv(ledger.password_env.c_str());
        if (password == nullptr) {
            return std::unexpected("the environment has no " + ledger.password_env +
                                   ", which is to hold the ledger's password");
        }
        settings.password = password;
    }
    return settings;
}

std::string node_name(const config::Ledger& ledger) {
    if (!ledger.node.empty()) return ledger.node;
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return "edge";
    return name.data();
}

}  // namespace edgecase::cli
