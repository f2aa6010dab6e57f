// Owns the command line: the flags of every subcommand, and which function each one starts.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <span>
#include <sstream>
#include <string>

#include "cli/check.hpp"
#include "cli/console.hpp"
#include "cli/demo.hpp"
#include "cli/doctor.hpp"
#include "cli/exit_status.hpp"
#include "cli/findings.hpp"
#include "cli/ledger_flags.hpp"
#include "cli/queries.hpp"
#include "cli/ranges_flags.hpp"
#include "cli/serve.hpp"
#include "cli/terminal_flags.hpp"
#include "cli/trace.hpp"

namespace {

using namespace edgecase;

void add_serve(CLI::App& app, int& status) {
    struct Flags {
        std::string config;
        config::Overrides values;
    };
    auto flags = std::make_shared<Flags>();
    CLI::App* const serve = app.add_subcommand("serve", "Run the edge in front of an origin");
    serve->add_option("--config", flags->config, "TOML file; flags override it");
    const auto option = [&](const char* name, std::optional<std::string>& value, const char* text) {
        serve->add_option(name, value, text);
    };
    option("--listen", flags->values.listen, "HOST:PORT for clients; port 0 takes a free one");
    option("--origin", flags->values.origin, "URL of the origin, e.g. http://127.0.0.1:3000");
    option("--admin", flags->values.admin, "HOST:PORT or unix:PATH of dashboard, API and metrics");
    option("--admin-token-file", flags->values.admin_token_file, "What admin clients must show");
    option("--data-dir", flags->values.data_dir, "Where records are kept");
    option("--profile", flags->values.profile,
           "default, cloudflare-2026, cloudflare-2025 or cloudflare-legacy");
    option("--connect-timeout", flags->values.connect_timeout, "SYN to SYN-ACK, e.g. 2s");
    option("--ack-timeout", flags->values.ack_timeout, "Request bytes not acknowledged");
    option("--read-timeout", flags->values.read_timeout, "Between two reads from the origin");
    option("--write-timeout", flags->values.write_timeout, "Origin does not read the request");
    option("--workers", flags->values.workers, "Threads; default one per core");
    option("--resolver", flags->values.resolver, "ADDRESS:PORT of the name server to ask");
    option("--colo", flags->values.colo, "Three letters behind every Ray ID");
    option("--ssl-mode", flags->values.ssl_mode,
           "To https origins: strict (default), full (certificate not checked), flexible or off "
           "(plain)");
    option("--origin-name", flags->values.origin_name, "SNI and certificate name of the origin");
    option("--origin-ca", flags->values.origin_ca,
           "PEM file of CAs for origins' certificates; default the system's");
    option("--origin-client-cert", flags->values.origin_client_cert,
           "PEM file of the certificate shown to origins");
    option("--origin-client-key", flags->values.origin_client_key, "PEM file of its key");
    option("--origin-http2", flags->values.origin_http2,
           "on (default) or off: whether HTTP/2 is offered to https origins");
    option("--tls-cert", flags->values.tls_cert,
           "PEM file of the certificate for clients, and its chain; makes --listen speak TLS");
    option("--tls-key", flags->values.tls_key, "PEM file of its key");
    option("--listen-plain", flags->values.listen_plain,
           "HOST:PORT of a second listener without TLS");
    option("--traceparent", flags->values.traceparent,
           "Traces of clients: continue (default), always or off");
    option("--access-log", flags->values.access_log, "File for a line for each request");
    option("--access-log-format", flags->values.access_log_format,
           "Of that file: json or combined");
    serve->add_option("--egress", flags->values.egress,
                      "Address to connect to origins from, may be repeated; taken in turn");
    serve->add_option("--route", flags->values.routes,
                      "[HOST][/PATH]=URL, may be repeated; the most specific one wins");
    serve->callback([flags, &status] { status = cli::run_serve(flags->config, flags->values); });
}

void add_lab_and_demo(CLI::App& app, int& status) {
    auto lab_flags = std::make_shared<cli::LabFlags>();
    CLI::App* const lab = app.add_subcommand("lab", "Run an origin that fails on request");
    lab->add_option("--listen", lab_flags->listen, "HOST:PORT of its main port")
        ->capture_default_str();
    lab->add_flag("--list", lab_flags->list, "Print every scenario with its true cause, and end");
    lab->add_flag("--json", lab_flags->json, "Machine-readable listing");
    lab->callback([lab_flags, &status] { status = cli::run_lab(*lab_flags); });

    auto demo_flags = std::make_shared<cli::DemoFlags>();
    CLI::App* const demo =
        app.add_subcommand("demo", "The lab, the edge before it, and a tour of every failure");
    demo->add_option("--listen", demo_flags->listen, "HOST:PORT of the edge")
        ->capture_default_str();
    demo->add_option("--data-dir", demo_flags->data_dir,
                     "Keep the records here instead of a temporary directory");
    demo->add_flag("--once", demo_flags->once,
                   "End after the tour; exit 1 if a cause was misnamed");
    demo->add_flag("--json", demo_flags->json, "The tour as JSON");
    demo->callback([demo_flags, &status] { status = cli::run_demo(*demo_flags); });
}

void add_queries(CLI::App& app, int& status) {
    auto ray_flags = std::make_shared<cli::RayFlags>();
    CLI::App* const ray = app.add_subcommand("ray", "Show what happened to one request");
    ray->add_option("RAY", ray_flags->ray, "Ray ID, with or without -COLO")->required();
    cli::add_ledger(*ray, ray_flags->ledger);
    ray->add_flag("--json", ray_flags->json, "The case as one JSON object");
    ray->add_flag("--show-secrets", ray_flags->show_secrets,
                  "Do not redact cookies, credentials and tokens");
    ray->callback([ray_flags, &status] { status = cli::run_ray(*ray_flags); });

    auto cases_flags = std::make_shared<cli::CasesFlags>();
    CLI::App* const cases = app.add_subcommand("cases", "List failures, newest first");
    cli::add_ledger(*cases, cases_flags->ledger);
    cases->add_option("--since", cases_flags->since, "How far back, e.g. 15m or 2h");
    cases->add_option("--status", cases_flags->status, "Only this edge status")
        ->check(CLI::Range(100, 599));
    cases->add_option("--cause", cases_flags->cause, "Only this cause, or a phase: resp, connect");
    cases->add_option("--host", cases_flags->host, "Only this host");
    cases->add_option("--path", cases_flags->path, "Only paths that begin so");
    cases->add_option("--limit", cases_flags->limit, "At most so many")
        ->check(CLI::Range(1, 10000))
        ->capture_default_str();
    cases->add_flag("--json", cases_flags->json, "An array of cases");
    cases->add_flag("--show-secrets", cases_flags->show_secrets,
                    "Do not redact cookies, credentials and tokens");
    cases->callback([cases_flags, &status] { status = cli::run_cases(*cases_flags); });

    auto explain_flags = std::make_shared<cli::ExplainFlags>();
    CLI::App* const explain =
        app.add_subcommand("explain", "What a status, a cause or another system's word means");
    explain->add_option("WORD", explain_flags->what,
                        "520, resp.empty_fin, resp; UC, SH--, ECONNRESET, ERR_READ_ERROR ...;\n"
                        "a whole log line; or - to annotate the lines of standard input");
    explain->add_flag("--list", explain_flags->list,
                      "Every cause; in JSON with everybody's words for it");
    explain->add_flag("--words", explain_flags->words, "With --list: everybody's words instead");
    explain->add_flag("--json", explain_flags->json, "Machine-readable");
    explain->callback([explain_flags, &status] { status = cli::run_explain(*explain_flags); });

    struct CheckFlags {
        std::string file;
        bool json = false;
    };
    auto check_flags = std::make_shared<CheckFlags>();
    CLI::App* const config = app.add_subcommand("config", "Configuration files");
    config->require_subcommand(1);
    CLI::App* const check = config->add_subcommand("check", "Check a file without running it");
    check->add_option("--config,FILE", check_flags->file, "The TOML file")->required();
    check->add_flag("--json", check_flags->json, "Machine-readable");
    check->callback([check_flags, &status] {
        status = cli::run_config_check(check_flags->file, check_flags->json);
    });
}

void add_trace(CLI::App& app, int& status) {
    auto flags = std::make_shared<cli::TraceFlags>();
    CLI::App* const trace =
        app.add_subcommand("trace", "Find what an origin's logs say of the edge's failed requests");
    trace->add_option("--edge-log", flags->edge_logs,
                      "Cloudflare Logpush http_requests, NDJSON or CSV; - is standard input");
    trace->add_option("--data-dir", flags->data_dir, "Records of Edgecase instead of an edge log");
    trace->add_option("--config", flags->config, "The same, of the edge or ledger in a TOML file");
    trace->add_option("--origin-log", flags->origin_logs,
                      "Access logs: nginx, Apache, Caddy, Traefik, Envoy, HAProxy, IIS, JSON;\n"
                      "rotated, gzip and zstd files too");
    trace->add_option("--origin-format", flags->origin_format,
                      "Its format if it is not recognised: a name, the server's log_format or\n"
                      "LogFormat string, json:time=KEY,ray=KEY,... or @FILE, its configuration");
    trace->add_option("--error-log", flags->error_logs,
                      "Logs that say why: nginx, Apache, PHP, PHP-FPM, journalctl -o json,\n"
                      "syslog, kernel, PM2, supervisor");
    trace->add_option("--zone", flags->zone,
                      "Zone of logs that name none, as +0100; default that of the access log");
    trace->add_option("--ray", flags->ray, "This request alone, failed or not");
    trace->add_flag("--all", flags->all, "Successes too, not failures alone");
    trace->add_flag("--json", flags->json, "Machine-readable");
    trace->add_option("--html", flags->html, "Write a report with plots to this file as well");
    trace->add_flag("--show-secrets", flags->show_secrets, "Do not redact tokens and passwords");
    trace->callback([flags, &status] { status = cli::run_trace(*flags); });
}

void add_findings(CLI::App& app, int& status) {
    auto flags = std::make_shared<cli::FindingsFlags>();
    CLI::App* const findings = app.add_subcommand(
        "findings",
        "What the failures in the records have in common, and what the successes have not");
    cli::add_ledger(*findings, flags->ledger);
    findings->add_option("--since", flags->since, "How far back, e.g. 15m or 2h");
    findings->add_flag("--json", flags->json, "Machine-readable");
    findings->callback([flags, &status] { status = cli::run_findings(*flags); });
}

void add_doctor(CLI::App& app, int& status) {
    auto flags = std::make_shared<cli::DoctorFlags>();
    CLI::App* const doctor =
        app.add_subcommand("doctor", "Examine an origin as an edge would, and say what is wrong");
    doctor->add_option("URL", flags->url, "What to ask, e.g. https://origin.example/api/data")
        ->required();
    doctor
        ->add_option("--method", flags->method,
                     "Of the requests; one that may change something "
                     "is sent once or twice, no more")
        ->capture_default_str();
    doctor->add_option("--header", flags->fields, "A further field, \"Name: value\"; repeatable");
    doctor->add_option("--host", flags->host, "The Host field, when it is not the URL's");
    doctor->add_option("--data", flags->data, "Body of the requests; @FILE takes it from there");
    doctor->add_option("--patience", flags->patience, "For an idle connection, to see it closed")
        ->capture_default_str();
    doctor->add_option("--requests", flags->requests, "At most so many")->capture_default_str();
    doctor->add_option("--rate", flags->rate, "At most so many a second")->capture_default_str();
    doctor->add_option("--time", flags->time, "At most so long")->capture_default_str();
    const auto option = [&](const char* name, std::optional<std::string>& value, const char* text) {
        doctor->add_option(name, value, text);
    };
    option("--connect-timeout", flags->values.connect_timeout, "SYN to SYN-ACK; default 5s");
    option("--ack-timeout", flags->values.ack_timeout, "Bytes not acknowledged; default 10s");
    option("--read-timeout", flags->values.read_timeout, "Between two reads; default 20s");
    option("--write-timeout", flags->values.write_timeout, "Request not read; default 10s");
    option("--profile", flags->values.profile, "Limits of which edge, as of serve");
    option("--ssl-mode", flags->values.ssl_mode, "strict (default), full, flexible or off");
    option("--origin-name", flags->values.origin_name, "SNI and certificate name");
    option("--origin-ca", flags->values.origin_ca, "PEM file of trusted CAs");
    option("--origin-client-cert", flags->values.origin_client_cert, "PEM file to show");
    option("--origin-client-key", flags->values.origin_client_key, "PEM file of its key");
    option("--origin-http2", flags->values.origin_http2, "on (default) or off");
    option("--resolver", flags->values.resolver, "ADDRESS:PORT of the name server to ask");
    doctor->add_option("--egress", flags->values.egress,
                       "Address to connect from; several are compared");
    doctor->add_option("--config", flags->config,
                       "An edge's TOML file, for its limits and timeouts");
    doctor->add_option("--access-log", flags->access_logs,
                       "The origin's, joined with what was asked");
    doctor->add_option("--error-log", flags->error_logs, "The origin's, of any kind trace reads");
    doctor->add_option("--edge-log", flags->edge_logs, "Logpush files: failures of visitors too");
    doctor->add_option("--origin-format", flags->origin_format, "Of the access log, as of trace");
    doctor->add_flag("--json", flags->json, "Machine-readable");
    doctor->add_flag("--markdown", flags->markdown, "For a ticket");
    doctor->add_option("--html", flags->html, "Write a report to this file as well");
    doctor->add_flag("--show-secrets", flags->show_secrets, "Do not redact tokens and passwords");
    doctor->callback([flags, &status] { status = cli::run_doctor(*flags); });
}

void add_check(CLI::App& app, int& status) {
    auto flags = std::make_shared<cli::CheckFlags>();
    CLI::App* const check = app.add_subcommand(
        "check", "For CI: an origin's paths through an edge; fails on what would be a 52x");
    check->add_option("ORIGIN", flags->origin, "Its URL, e.g. http://127.0.0.1:3000")->required();
    check->add_option("PATH", flags->paths, "What to ask for; default /");
    check->add_option("--paths", flags->paths_file,
                      "File of paths, one a line; - is standard input");
    check
        ->add_option("--header-share", flags->header_share,
                     "Fail on response heads above so many percent of the limit")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    check->add_option("--patience", flags->patience, "For an idle connection, to see it closed")
        ->capture_default_str();
    check
        ->add_option("--path-time", flags->path_time,
                     "For one path; a stream that has begun passes")
        ->capture_default_str();
    check->add_option("--wait", flags->wait, "For the origin to take connections, as after a start")
        ->capture_default_str();
    check->add_option("--skip", flags->skip, "status, headers or keep-alive; repeatable");
    check->add_option("--config", flags->config, "TOML file of the edge, as of serve");
    check->add_option("--profile", flags->values.profile, "Limits of which edge, as of serve");
    check->add_option("--read-timeout", flags->values.read_timeout, "Between two reads");
    check->add_option("--ssl-mode", flags->values.ssl_mode,
                      "strict (default), full, flexible, off");
    check->add_option("--origin-name", flags->values.origin_name, "SNI and certificate name");
    check->add_option("--origin-ca", flags->values.origin_ca, "PEM file of trusted CAs");
    check->add_option("--junit", flags->junit, "Write a JUnit report to this file as well");
    check->add_flag("--github", flags->github, "Annotations for GitHub Actions as well");
    check->add_flag("--json", flags->json, "Machine-readable");
    check->callback([flags, &status] { status = cli::run_check(*flags); });
}

/// What is wrong with the first words, which name a command and perhaps one of its own; empty if
/// nothing. CLI11 would say that a command is missing.
std::string unknown_command(const CLI::App& app, std::span<char* const> words) {
    const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
    if (commands.empty() || words.size() < 2 || *words[1] == '-') return {};
    const auto named = [&](const CLI::App* command) { return command->check_name(words[1]); };
    const auto found = std::ranges::find_if(commands, named);
    if (found != commands.end()) return unknown_command(**found, words.subspan(1));
    std::string asked;  // the whole line so far
    for (const CLI::App* one = &app; one != nullptr; one = one->get_parent()) {
        asked.insert(0, one->get_name() + ' ');
    }
    return "there is no command \"" + asked.substr(asked.find(' ') + 1) + words[1] + "\" (" +
           asked + "--help says what there is)";
}

int run(int argc, char** argv) {
    CLI::App app("Edgecase: an edge that says exactly why the origin failed", "edgecase");
    app.set_version_flag("--version", "edgecase " EDGECASE_VERSION);
    app.require_subcommand(1);
    app.footer(
        "Exit status: 0 fine, 1 the thing asked about is wrong or missing, 2 usage or\n"
        "configuration error.");
    int status = cli::kFine;
    add_serve(app, status);
    add_lab_and_demo(app, status);
    add_queries(app, status);
    add_trace(app, status);
    cli::add_terminal(app, status);
    add_findings(app, status);
    add_doctor(app, status);
    add_check(app, status);
    cli::add_ranges(app, status);
    cli::add_ledger_command(app, status);
    if (const std::string trouble =
            unknown_command(app, std::span(argv, static_cast<size_t>(argc)));
        !trouble.empty()) {
        cli::complain(trouble);
        return cli::kUsage;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) {  // --help, --version
            std::ostringstream text;
            const int code = app.exit(error, text, text);
            cli::print(text.str());
            return code;
        }
        cli::complain(std::string(error.what()) + " (edgecase --help says what there is)");
        return cli::kUsage;
    }
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    int status = cli::kUsage;
    try {
        status = run(argc, argv);
    } catch (const std::exception& error) {  // a bug, or no memory; never a core dump for it
        cli::complain(std::string("gave up: ") + error.what());
    }
    return status == cli::kFine && cli::output_failed() ? cli::kUsage : status;
}
