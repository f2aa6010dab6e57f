#include "cli/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <thread>

#include "base/ascii.hpp"
#include "base/duration.hpp"
#include "cli/console.hpp"
#include "cli/doctor_logs.hpp"
#include "cli/doctor_report.hpp"
#include "cli/exit_status.hpp"
#include "cli/progress_line.hpp"
#include "cli/serve.hpp"
#include "net/task_set.hpp"
#include "probe/examine.hpp"
#include "probe/session.hpp"

namespace edgecase::cli {
namespace {

constexpr unsigned kMostRequests = 10'000;
constexpr unsigned kMostPerSecond = 1'000;
constexpr std::chrono::milliseconds kUsualRead{20'000};

template <typename T>
using Or = std::expected<T, std::string>;

/// `https://HOST[:PORT]` and the rest.
struct SplitUrl {
    std::string origin;
    std::string target;
};

SplitUrl split(std::string url) {
    const size_t scheme = url.substr(0, url.find_first_of("/?#")).find(':');
    const bool has_scheme = scheme != std::string::npos && url.substr(scheme).starts_with("://");
    if (!has_scheme) url = "https://" + url;
    const size_t begin = url.find("://") + 3;
    url = base::to_lower(url.substr(0, begin)) + url.substr(begin);
    const size_t end = std::min(url.find_first_of("/?#", begin), url.size());
    std::string target = url.substr(end, url.find('#', end) - end);
    if (!target.starts_with('/')) target = "/" + target;
    return {url.substr(0, end), std::move(target)};
}

/// Source: RFC 9110 5.6.2.
bool is_token(std::string_view text) {
    constexpr std::string_view kOther = "!#$%&'*+-.^_`|~";
    const auto is_good = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               kOther.contains(c);
    };
    return !text.empty() && std::ranges::all_of(text, is_good);
}

bool is_plain_line(std::string_view text) {
    return std::ranges::none_of(
        text, [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

Or<std::vector<origin::Field>> fields_of(const std::vector<std::string>& lines) {
    std::vector<origin::Field> fields;
    for (const std::string& line : lines) {
        const size_t colon = std::min(line.find(':'), line.size());
        origin::Field field{line.substr(0, colon), ""};
        if (colon < line.size()) field.value = base::trim(std::string_view(line).substr(colon + 1));
        constexpr std::array kOurs{"host", "content-length", "transfer-encoding", "cf-ray"};
        if (std::ranges::find(kOurs, base::to_lower(field.name)) != kOurs.end()) {
            return std::unexpected("--header cannot set " + field.name +
                                   " (--host and --data set what goes with them)");
        }
        if (colon == line.size() || !is_token(field.name) || !is_plain_line(field.value)) {
            return std::unexpected("--header wants \"Name: value\", not \"" + one_line(line) +
                                   "\"");
        }
        fields.push_back(std::move(field));
    }
    return fields;
}

Or<std::chrono::milliseconds> duration_of(std::string_view flag, const std::string& text) {
    if (const auto duration = base::parse_duration(text)) return *duration;
    return std::unexpected(std::string(flag) + " wants a duration like 6s or 500ms, not \"" +
                           one_line(text) + "\"");
}

/// The text itself, or of `@FILE`.
Or<std::string> body_of(const std::string& data) {
    if (!data.starts_with('@')) return data;
    std::ifstream file(data.substr(1), std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file.good() && !file.eof()) {
        return std::unexpected("--data: " + data.substr(1) + " cannot be read");
    }
    return bytes;
}

/// A doctor's patience is shorter than an edge's: whoever asks waits for the answer.
config::Overrides with_short_timeouts(const DoctorFlags& flags) {
    config::Overrides values = flags.values;
    if (!flags.config.empty()) return values;
    if (!values.connect_timeout) values.connect_timeout = "5s";
    if (!values.ack_timeout) values.ack_timeout = "10s";
    // One answer that never comes must not use up the time of all.
    const auto time = base::parse_duration(flags.time).value_or(kUsualRead * 3);
    const auto read = std::clamp(time / 3, std::chrono::milliseconds(1), kUsualRead);
    if (!values.read_timeout) values.read_timeout = base::format_duration(read);
    if (!values.write_timeout) values.write_timeout = "10s";
    return values;
}

Or<probe::Options> options_of(const DoctorFlags& flags) {
    const SplitUrl url = split(flags.url);
    if (!is_plain_line(flags.url) || flags.url.contains(' ')) {
        return std::unexpected("the URL has a space or a control character in it");
    }
    if (auto parsed = http::OriginUrl::parse(url.origin); !parsed) {
        return std::unexpected("\"" + one_line(record::redact_uri(flags.url)) +
                               "\": " + record::redact_uri(parsed.error()));
    }
    config::Overrides values = with_short_timeouts(flags);
    values.origin = url.origin;
    values.listen = "127.0.0.1:0";
    auto settings = flags.config.empty() ? config::load("", "", values)
                                         : config::load_file(flags.config, values);
    if (!settings) return std::unexpected(settings.error().to_string());
    probe::Options options;
    options.settings = std::move(*settings);
    options.target = url.target;
    options.method = flags.method;
    if (!is_token(options.method)) {
        return std::unexpected("--method wants a method like GET, not \"" + one_line(flags.method) +
                               "\"");
    }
    auto fields = fields_of(flags.fields);
    if (!fields) return std::unexpected(fields.error());
    options.fields = std::move(*fields);
    options.host = flags.host;
    if (!is_plain_line(options.host) || options.host.contains(' ')) {
        return std::unexpected("--host has a space or a control character in it");
    }
    auto body = body_of(flags.data);
    if (!body) return std::unexpected(body.error());
    options.body = std::move(*body);
    const auto patience = duration_of("--patience", flags.patience);
    const auto time = duration_of("--time", flags.time);
    if (!patience) return std::unexpected(patience.error());
    if (!time) return std::unexpected(time.error());
    options.patience = *patience;
    options.budget.time = *time;
    options.budget.requests = flags.requests;
    options.budget.per_second = flags.rate;
    return options;
}

/// Runs the examination on this thread; SIGINT and SIGTERM end it with what is known.
/// Returns why it was cut short, empty if it was not.
std::string run(probe::Session& session, std::chrono::milliseconds time) {
    std::atomic<bool> over = false;
    std::atomic<bool> interrupted = false;
    bool complete = false;
    std::jthread signals([&] {
        while (!over) {
            if (!end_wanted(std::chrono::milliseconds(100))) continue;
            interrupted = true;
            session.loop().stop();
            return;
        }
    });
    net::Loop& loop = session.loop();
    net::TaskSet tasks;
    const auto examining = [](probe::Session& one, bool& done) -> net::Task<void> {
        co_await probe::examine(one);
        done = true;
        one.loop().stop();
    };
    const auto timing = [](net::Loop& one, std::chrono::milliseconds limit) -> net::Task<void> {
        co_await one.sleep_until(base::Deadline::after(one.clock().now(), limit));
        one.stop();
    };
    loop.post([&] {
        tasks.spawn(examining(session, complete));
        tasks.spawn(timing(loop, time));
    });
    loop.run();
    tasks.cancel_all();
    over = true;
    if (complete) return {};
    return interrupted ? "it was interrupted" : "its time was over (--time gives more)";
}

int write_html(const DoctorReport& report, const std::string& path) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << doctor_html(report);
    file.close();
    if (file) return kFine;
    complain(path + ": cannot be written");
    return kUsage;
}

int usage(const std::string& why) {
    complain(why);
    return kUsage;
}

}  // namespace

int run_doctor(const DoctorFlags& flags) {
    auto options = options_of(flags);
    if (!options) return usage(options.error());
    if (flags.requests == 0 || flags.requests > kMostRequests || flags.rate == 0 ||
        flags.rate > kMostPerSecond) {
        return usage(
            fmt::format("--requests takes 1 to {}, --rate 1 to {}", kMostRequests, kMostPerSecond));
    }
    auto logs = DoctorLogs::look_at(flags);
    if (!logs) return usage(logs.error());
    block_signals();
    const base::SystemClock clock;
    std::optional<ProgressLine> line;
    if (is_watched()) {
        line.emplace();
        note(fmt::format(
            "edgecase: examining {} with at most {} requests, {} a second, {} in all\n",
            one_line(record::redact_uri(flags.url)), flags.requests, flags.rate, flags.time));
        options->progress = [&](std::string_view what) { line->show(what, 0, 0); };
    }
    const std::string target = options->target;
    const std::chrono::milliseconds time = options->budget.time;
    auto session = probe::Session::create(std::move(*options), clock);
    if (!session) return usage(session.error());
    const base::SteadyTime begin = clock.now();
    std::string cut_short = run(**session, time);
    if (cut_short.empty() && (*session)->budget().ran_out()) {
        cut_short = "its requests were used up (--requests gives more)";
    }
    line.reset();
    probe::conclude(**session);
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - begin);
    auto said = logs->read(**session, flags.show_secrets);
    if (!said) {
        complain(said.error());
        said = DoctorLogs::Said();
    }
    const auto shown = [&](const std::string& uri) {
        return flags.show_secrets ? uri : record::redact_uri(uri);
    };
    const diagnose::Examination examination{(*session)->facts(), (*session)->trials(),
                                            (*session)->settings(), shown(target), said->causes};
    const DoctorReport report{
        .url = shown(flags.url),
        .facts = (*session)->facts(),
        .trials = (*session)->trials(),
        .verdict = diagnose::judge(examination),
        .elapsed = elapsed,
        .budget = flags.requests,
        .cut_short = cut_short,
        .log_lines = std::move(said->lines),
        .secrets = flags.show_secrets ? record::Secrets::shown : record::Secrets::redacted};
    const int written = flags.html.empty() ? kFine : write_html(report, flags.html);
    print(flags.json       ? doctor_json(report)
          : flags.markdown ? doctor_markdown(report)
                           : doctor_text(report, wants_colour()));
    if (written != kFine) return written;
    return report.verdict.findings.empty() && !report.trials.empty() ? kFine : kWrongOrMissing;
}

}  // namespace edgecase::cli
