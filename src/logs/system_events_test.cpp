#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "logs/read_event_for_tests.hpp"

namespace edgecase::logs {
namespace {

std::string journal_line(std::string_view identifier, std::string_view message) {
    return R"({"__REALTIME_TIMESTAMP":"1793527200123456","_PID":"77","PRIORITY":"3",)"
           R"("SYSLOG_IDENTIFIER":")" +
           std::string(identifier) + R"(","MESSAGE":")" + std::string(message) + "\"}";
}

TEST(KernelLog, a_process_killed_for_memory_is_named) {
    for (const std::string_view message :
         {"Out of memory: Killed process 123 (php-fpm) total-vm:1kB, anon-rss:1kB",
          "Memory cgroup out of memory: Killed process 123 (node) total-vm:1kB",
          "Out of memory: Kill process 123 (php-fpm) score 900 or sacrifice child",
          "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=php-fpm,pid=123,uid=33"}) {
        const ReadEvent read("kernel", "[12345.678901] " + std::string(message),
                             {.near = kTen, .boot = kTen});
        ASSERT_EQ(read.parsed, Parsed::entry);
        EXPECT_EQ(read->time, kTen + 12'345'678'901);
        EXPECT_EQ(read->kind, EventKind::out_of_memory) << message;
        EXPECT_EQ(read->pid, 123);
        EXPECT_EQ(read->system, "kernel");
        EXPECT_EQ(read->message, message);
    }
}

TEST(KernelLog, a_process_that_failed_is_named) {
    for (const std::string_view message :
         {"php-fpm[123]: segfault at 0 ip 00007f1234567890 sp 00007ffc12345678 error 4 in x.so",
          "traps: php-fpm[123] general protection fault ip:7f12 sp:7ffc error:0 in x.so",
          "traps: node[123] trap invalid opcode ip:1 sp:2 error:0 in node"}) {
        const ReadEvent read("kernel", "[Sun Nov  1 10:00:00 2026] " + std::string(message));
        EXPECT_EQ(read->time, kTen);
        EXPECT_EQ(read->kind, EventKind::segfault) << message;
        EXPECT_EQ(read->pid, 123);
        EXPECT_EQ(read->ray, 0u) << "an address is no Ray ID";
    }
}

TEST(KernelLog, times_are_read_as_dmesg_writes_them) {
    EXPECT_EQ(ReadEvent("kernel", "[    0.000000] Linux version 6.1")->time, kNoTime);
    EXPECT_EQ(ReadEvent("kernel", "[    0.000000] Linux version 6.1")->kind, EventKind::restarted);
    EXPECT_EQ(ReadEvent("kernel", "2026-11-01T10:00:00,123456+00:00 eth0: up")->time,
              kTen + 123'456);
    EXPECT_EQ(ReadEvent("kernel", "<4>[    1.000000] x")->severity, "warning");
    EXPECT_EQ(ReadEvent("kernel", "[x] y").parsed, Parsed::failed);
}

TEST(Journal, an_entry_is_read_by_the_rules_of_its_program) {
    const ReadEvent kernel(
        "journal", journal_line("kernel", "Out of memory: Killed process 123 (php-fpm) total-vm"));
    ASSERT_EQ(kernel.parsed, Parsed::entry);
    EXPECT_EQ(kernel->time, kTen + 123'456);
    EXPECT_EQ(kernel->resolution_us, 1);
    EXPECT_EQ(kernel->severity, "err");
    EXPECT_EQ(kernel->kind, EventKind::out_of_memory);
    EXPECT_EQ(kernel->pid, 123);
    const ReadEvent child("journal",
                          journal_line("php-fpm8.2",
                                       "[01-Nov-2026 09:00:00] WARNING: [pool www] child 5 "
                                       "exited on signal 9 (SIGKILL) after 1.0 seconds"));
    EXPECT_EQ(child->system, "php-fpm");
    EXPECT_EQ(child->kind, EventKind::worker_exited);
    EXPECT_EQ(child->time, kTen + 123'456) << "the journal's time";
    EXPECT_EQ(child->pid, 5);
    EXPECT_EQ(child->signal, 9);
    EXPECT_EQ(child->severity, "WARNING");
    const ReadEvent program("journal", journal_line("python3",
                                                    "[2026-11-01 10:00:00 +0000] [1] [CRITICAL] "
                                                    "WORKER TIMEOUT (pid:6)"));
    EXPECT_EQ(program->system, "gunicorn");
    EXPECT_EQ(program->kind, EventKind::script_timeout);
    EXPECT_EQ(program->pid, 6);
    const ReadEvent other("journal",
                          journal_line("shop", "[01-Nov] paid, ray \\\"8f0c1e2d3b4a5968\\\""));
    EXPECT_EQ(other->system, "shop");
    EXPECT_EQ(other->pid, 77);
    EXPECT_EQ(other->ray, 0x8f0c1e2d3b4a5968u);
}

TEST(Journal, systemd_tells_how_a_service_ended) {
    const ReadEvent killed(
        "journal",
        journal_line("systemd", "x.service: Main process exited, code=killed, status=9/KILL"));
    EXPECT_EQ(killed->kind, EventKind::worker_exited);
    EXPECT_EQ(killed->signal, 9);
    EXPECT_EQ(killed->exit_code, -1);
    EXPECT_EQ(killed->pid, -1);
    const ReadEvent ended(
        "journal",
        journal_line("systemd", "x.service: Main process exited, code=exited, status=1/FAILURE"));
    EXPECT_EQ(ended->exit_code, 1);
    EXPECT_EQ(ended->signal, 0);
    for (const std::string_view message :
         {"Started nginx.service - A high performance web server.",
          "Stopped The PHP 8.2 FastCGI "
          "Process Manager.",
          "Stopping x.service - X...",
          "x.service: Scheduled restart job, restart counter is at 1."}) {
        EXPECT_EQ(ReadEvent("journal", journal_line("systemd", message))->kind,
                  EventKind::restarted);
    }
    EXPECT_EQ(ReadEvent("journal",
                        journal_line("systemd",
                                     "x.service: A process of this unit has been killed by the "
                                     "OOM killer."))
                  ->kind,
              EventKind::out_of_memory);
}

TEST(Journal, housekeeping_near_a_failure_is_no_restart_of_the_origin) {
    for (const std::string_view message :
         {"Started Session 5 of User root.", "Started Clean php session files.",
          "phpsessionclean.service: Deactivated successfully.", "Starting Rotate log files...",
          "logrotate.service: Main process exited, code=exited, status=1/FAILURE",
          "Stopping User Manager for UID 1000...", "Stopping user@1000.service - User Manager...",
          "Started x.service - X."}) {
        EXPECT_EQ(ReadEvent("journal", journal_line("systemd", message))->kind, EventKind::other)
            << message;
    }
}

TEST(Journal, a_stack_trace_of_node_is_a_crash) {
    const auto kind = [](std::string_view message) {
        return ReadEvent("journal", journal_line("node", message))->kind;
    };
    EXPECT_EQ(kind("Node.js v20.20.2"), EventKind::worker_exited);
    EXPECT_EQ(kind("Error: boom in handler"), EventKind::script_failed);
    EXPECT_EQ(kind("TypeError [ERR_INVALID_ARG_TYPE]: no"), EventKind::script_failed);
    EXPECT_EQ(kind("panic: runtime error: index out of range"), EventKind::worker_exited);
    EXPECT_EQ(kind("    at Timeout._onTimeout (/srv/server.js:10:113)"), EventKind::other);
    EXPECT_EQ(kind("No Error: all is well"), EventKind::other);
    EXPECT_EQ(kind("Error page shown"), EventKind::other);
}

TEST(Journal, a_message_of_bytes_is_put_together) {
    const ReadEvent read("journal",
                         R"({"__REALTIME_TIMESTAMP":"1793527200123456","MESSAGE":[104,105,255],)"
                         R"("_TRANSPORT":"stdout","_COMM":"shop"})");
    ASSERT_EQ(read.parsed, Parsed::entry);
    EXPECT_EQ(read->message, "hi\xFF");
    EXPECT_EQ(read->system, "shop");
}

TEST(Journal, an_entry_without_words_is_nothing_and_one_without_time_fails) {
    EXPECT_EQ(ReadEvent("journal", R"({"__REALTIME_TIMESTAMP":"1793527200123456","MESSAGE":null})")
                  .parsed,
              Parsed::nothing);
    EXPECT_EQ(ReadEvent("journal", R"({"MESSAGE":"x"})").parsed, Parsed::failed);
    EXPECT_EQ(ReadEvent("journal", R"({"MESSAGE":[1,256]})").parsed, Parsed::failed);
    EXPECT_EQ(ReadEvent("journal", R"({"MESSAGE":)").parsed, Parsed::failed);
    EXPECT_EQ(ReadEvent("journal", "").parsed, Parsed::nothing);
}

TEST(Syslog, both_kinds_of_time_and_both_standards_are_read) {
    const ReadEvent old("syslog",
                        "Nov  1 10:00:00 web1 nginx[77]: 1024 worker_connections are not enough");
    ASSERT_EQ(old.parsed, Parsed::entry);
    EXPECT_EQ(old->time, kTen);
    EXPECT_EQ(old->system, "nginx");
    EXPECT_EQ(old->pid, 77);
    EXPECT_EQ(old->kind, EventKind::workers_exhausted);
    const ReadEvent fine("syslog",
                         "2026-11-01T11:00:00.123456+01:00 web1 kernel: [12345.678901] Out of "
                         "memory: Killed process 123 (php-fpm)");
    EXPECT_EQ(fine->time, kTen + 123'456);
    EXPECT_EQ(fine->resolution_us, 1);
    EXPECT_EQ(fine->message, "Out of memory: Killed process 123 (php-fpm)");
    EXPECT_EQ(fine->kind, EventKind::out_of_memory);
    const ReadEvent rfc5424("syslog",
                            "<11>1 2026-11-01T10:00:00Z web1 shop 77 - [a b=\"c\"] words");
    EXPECT_EQ(rfc5424->severity, "err");
    EXPECT_EQ(rfc5424->system, "shop");
    EXPECT_EQ(rfc5424->pid, 77);
    EXPECT_EQ(rfc5424->message, "words");
}

TEST(Syslog, an_apache_line_within_is_read_as_one) {
    const ReadEvent read("syslog",
                         "Nov  1 10:00:00 web1 apache2[77]: [Sun Nov 01 10:00:00.5 2026] "
                         "[mpm_event:error] [pid 1:tid 2] AH00484: server reached "
                         "MaxRequestWorkers setting");
    EXPECT_EQ(read->system, "apache");
    EXPECT_EQ(read->kind, EventKind::workers_exhausted);
    EXPECT_EQ(read->severity, "error");
}

TEST(Pm2, an_end_by_signal_is_told_from_an_end_with_a_code) {
    const ReadEvent killed("pm2",
                           "2026-11-01T10:00:00: PM2 log: App [api:0] exited with code [0] via "
                           "signal [SIGSEGV]");
    ASSERT_EQ(killed.parsed, Parsed::entry);
    EXPECT_EQ(killed->time, kTen);
    EXPECT_EQ(killed->kind, EventKind::worker_exited);
    EXPECT_EQ(killed->signal, 11);
    EXPECT_EQ(killed->exit_code, -1);
    const ReadEvent ended("pm2",
                          "2026-11-01T10:00:00: PM2 log: App [api:0] exited with code [1] via "
                          "signal [SIGINT]");
    EXPECT_EQ(ended->signal, 0);
    EXPECT_EQ(ended->exit_code, 1);
    EXPECT_EQ(ReadEvent("pm2", "2026-11-01T10:00:00: PM2 log: App [api:0] online")->kind,
              EventKind::restarted);
    EXPECT_EQ(
        ReadEvent("pm2", "2026-11-01T10:00:00: PM2 log: App [api:0] starting in -fork mode-")->kind,
        EventKind::restarted);
}

TEST(Supervisor, a_program_that_ended_is_named_with_signal_or_code) {
    const ReadEvent ended("supervisor",
                          "2026-11-01 10:00:00,123 INFO exited: web (exit status 1; not expected)");
    ASSERT_EQ(ended.parsed, Parsed::entry);
    EXPECT_EQ(ended->time, kTen + 123'000);
    EXPECT_EQ(ended->resolution_us, 1000);
    EXPECT_EQ(ended->severity, "INFO");
    EXPECT_EQ(ended->exit_code, 1);
    const ReadEvent killed("supervisor",
                           "2026-11-01 10:00:00,123 WARN exited: web (terminated by SIGKILL; not "
                           "expected)");
    EXPECT_EQ(killed->signal, 9);
    const ReadEvent started("supervisor",
                            "2026-11-01 10:00:00,123 INFO spawned: 'web' with pid 12");
    EXPECT_EQ(started->kind, EventKind::restarted);
    EXPECT_EQ(started->pid, 12);
}

TEST(GunicornError, a_worker_that_was_silent_or_killed_is_named) {
    const ReadEvent silent("gunicorn-error",
                           "[2026-11-01 10:00:00 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:123)");
    ASSERT_EQ(silent.parsed, Parsed::entry);
    EXPECT_EQ(silent->time, kTen);
    EXPECT_EQ(silent->kind, EventKind::script_timeout);
    EXPECT_EQ(silent->pid, 123);
    const ReadEvent killed("gunicorn-error",
                           "[2026-11-01 11:00:00 +0100] [1] [ERROR] Worker (pid:123) was sent "
                           "SIGKILL! Perhaps out of memory?");
    EXPECT_EQ(killed->time, kTen);
    EXPECT_EQ(killed->kind, EventKind::worker_exited);
    EXPECT_EQ(killed->signal, 9);
}

TEST(FindRay, only_a_whole_token_is_taken) {
    const auto ray = [](std::string_view words) {
        return ReadEvent("syslog", "Nov  1 10:00:00 web1 shop: " + std::string(words))->ray;
    };
    constexpr uint64_t kRay = 0x8f0c1e2d3b4a5968;
    for (const std::string_view words :
         {"8f0c1e2d3b4a5968", "a 8f0c1e2d3b4a5968 b", "ray=8f0c1e2d3b4a5968-FRA",
          "\"8f0c1e2d3b4a5968\"", "a:8f0c1e2d3b4a5968.", "a,8f0c1e2d3b4a5968,b"}) {
        EXPECT_EQ(ray(words), kRay) << words;
    }
    EXPECT_EQ(ray("1234567890123456-FRA"), 0x1234567890123456u);
    for (const std::string_view words :
         {"8f0c1e2d3b4a596", "8f0c1e2d3b4a59681", "x8f0c1e2d3b4a5968", "8f0c1e2d3b4a5968x",
          "8F0C1E2D3B4A5968", "8f0c1e2d3b4a5968-fra", "1793527200123456", "0000000000000000",
          "/8f0c1e2d3b4a5968"}) {
        EXPECT_EQ(ray(words), 0u) << words;
    }
    EXPECT_EQ(ray("aaaaaaaaaaaaaaaa 8f0c1e2d3b4a5968-FRA"), kRay) << "its colo makes it sure";
}

TEST(RecogniseEvents, names_the_format_of_each_kind_of_line) {
    struct Case {
        std::string_view format;
        std::string line;
    };
    for (const Case& each : std::vector<Case>{
             {"nginx-error", "2026/11/01 10:00:00 [error] 12#12: *1 x"},
             {"apache-error", "[Sun Nov 01 10:00:00.123456 2026] [core:error] [pid 1] AH00126: x"},
             {"php-fpm", "[01-Nov-2026 10:00:00] NOTICE: fpm is running, pid 1"},
             {"php", "[01-Nov-2026 10:00:00 UTC] PHP Warning:  x"},
             {"journal", journal_line("x", "y")},
             {"syslog", "Nov  1 10:00:00 web1 x: y"},
             {"syslog", "2026-11-01T10:00:00.1+00:00 web1 x: y"},
             {"kernel", "[    1.000000] x"},
             {"kernel", "[Sun Nov  1 10:00:00 2026] x"},
             {"pm2", "2026-11-01T10:00:00: PM2 log: x"},
             {"supervisor", "2026-11-01 10:00:00,123 INFO x"},
             {"gunicorn-error", "[2026-11-01 10:00:00 +0000] [1] [INFO] x"}}) {
        const PaddedLine line(each.line);
        const PaddedLine indented("    in between");
        const PaddedLine other("words");
        EXPECT_EQ(recognise_events(std::vector<std::string_view>{line, indented, indented, other}),
                  each.format)
            << each.line;
        EXPECT_EQ(recognise_events(std::vector<std::string_view>{line, other, other}), "");
        EXPECT_EQ(event_reader(each.format, {})->format(), each.format);
    }
    EXPECT_EQ(recognise_events({}), "");
    EXPECT_EQ(event_reader("nonsense", {}), nullptr);
}

TEST(TextEvents, lines_of_pm2_and_of_containers_are_read_with_their_times) {
    struct Row {
        const char* line;
        const char* system;
        const char* message;
        LogTime after;  // of kTen
    };
    const Row rows[] = {
        {"2026-11-01T10:00:00: Error: boom", "app", "Error: boom", 0},
        {"2026-11-01 10:00:00 +00:00: Error: boom", "app", "Error: boom", 0},
        {"2026-11-01 11:00:00 +01:00: Error: boom", "app", "Error: boom", 0},
        {"0|shop  | 2026-11-01T10:00:00: Error: boom", "shop", "Error: boom", 0},
        {"web-1  | 2026-11-01T10:00:00.250Z Error: boom", "web-1", "Error: boom", 250'000},
        {"2026-11-01T10:00:00.123456789Z stderr F Error: boom", "app", "Error: boom", 123'456},
        {"[2026-11-01 10:00:00] ERROR: Error: boom", "app", "Error: boom", 0},
        {"2026-11-01 10:00:00,250 ERROR Error: boom", "app", "Error: boom", 250'000},
    };
    for (const Row& row : rows) {
        const ReadEvent read("text", row.line);
        ASSERT_EQ(read.parsed, Parsed::entry) << row.line;
        EXPECT_EQ(read->time, kTen + row.after) << row.line;
        EXPECT_EQ(read->system, row.system) << row.line;
        EXPECT_EQ(read->message, row.message) << row.line;
        EXPECT_EQ(read->kind, EventKind::script_failed) << row.line;
    }
    EXPECT_EQ(ReadEvent("text", "2026-11-01T10:00:00:     at Timeout._onTimeout (a.js:1)").parsed,
              Parsed::nothing);
    EXPECT_EQ(ReadEvent("text", "2026-11-01T10:00:00: ").parsed, Parsed::nothing);
    for (const char* other :
         {"Error: boom", "a|b", "2026", "[", "web-1  | no time", "9999-99-99T9"}) {
        EXPECT_EQ(ReadEvent("text", other).parsed, Parsed::failed) << other;
    }
    const ReadEvent nested(
        "text", "web-1  | 2026/11/01 10:00:00 [error] 1#1: *1 connect() failed (111: x) while");
    EXPECT_EQ(nested->system, "nginx");
    EXPECT_EQ(nested->kind, EventKind::upstream_refused);
}

TEST(JsonEvents, the_error_log_of_caddy_names_the_request) {
    const ReadEvent read(
        "json",
        R"({"level":"error","ts":1793527200.25,"logger":"http.log.error","msg":"EOF","request":)"
        R"({"method":"GET","host":"h","uri":"/gone","headers":{"Cf-Ray":["8f0c1e2d3b4a5968-LAB"],)"
        R"("Cookie":["a=0123456789abcdef"]}},"status":502})");
    ASSERT_EQ(read.parsed, Parsed::entry);
    EXPECT_EQ(read->time, kTen + 250'000);
    EXPECT_EQ(read->system, "caddy");
    EXPECT_EQ(read->kind, EventKind::upstream_closed);
    EXPECT_EQ(read->uri, "/gone");
    EXPECT_EQ(read->method, "GET");
    EXPECT_EQ(read->ray, 0x8f0c1e2d3b4a5968u);
    const ReadEvent both("json",
                         R"({"level":"error","ts":1793527200,"logger":"http.handlers",)"
                         R"("msg":"aborting with incomplete response","error":"unexpected EOF"})");
    EXPECT_EQ(both->message, "aborting with incomplete response: unexpected EOF");
    EXPECT_EQ(both->ray, 0u);
}

TEST(JsonEvents, loggers_of_node_and_python_are_read) {
    const ReadEvent pino("json",
                         R"({"level":50,"time":1793527200000,"pid":7,"hostname":"h","req":)"
                         R"({"method":"GET","url":"/a"},"err":{"type":"TypeError","message":)"
                         R"("Uncaught x","stack":"TypeError: x\n at"},"msg":"request failed"})");
    ASSERT_EQ(pino.parsed, Parsed::entry);
    EXPECT_EQ(pino->time, kTen);
    EXPECT_EQ(pino->pid, 7);
    EXPECT_EQ(pino->uri, "/a");
    EXPECT_EQ(pino->message, "request failed: Uncaught x");
    EXPECT_EQ(pino->kind, EventKind::script_failed);
    EXPECT_EQ(ReadEvent("json", R"({"timestamp":"2026-11-01T10:00:00Z","level":"info"})").parsed,
              Parsed::nothing);
    for (const char* broken : {"", "{", "{}", "[]", R"({"msg":"no time"})", R"({"ts":1,"msg":)"}) {
        EXPECT_NE(ReadEvent("json", broken).parsed, Parsed::entry) << broken;
    }
}

TEST(JsonEvents, lines_that_docker_kept_are_read_as_what_wrote_them) {
    const auto kept = [](std::string_view log) {
        return R"({"log":")" + std::string(log) +
               R"(\n","stream":"stderr","time":"2026-11-01T10:00:00.5Z"})";
    };
    const ReadEvent error("json", kept("Error: boom"));
    ASSERT_EQ(error.parsed, Parsed::entry);
    EXPECT_EQ(error->time, kTen + 500'000);
    EXPECT_EQ(error->kind, EventKind::script_failed);
    EXPECT_EQ(error->system, "container");
    EXPECT_EQ(ReadEvent("json", kept("2026/11/01 10:00:00 [error] 1#1: *1 connect() failed (111)"))
                  ->system,
              "nginx");
    const ReadEvent caddy(
        "json",
        kept(R"({\"level\":\"error\",\"ts\":1793527200,\"logger\":\"http\",\"msg\":\"EOF\"})"));
    EXPECT_EQ(caddy->system, "caddy");
    EXPECT_EQ(caddy->kind, EventKind::upstream_closed);
}

TEST(JsonEvents, json_within_the_journal_is_read) {
    const ReadEvent read(
        "journal",
        R"({"__REALTIME_TIMESTAMP":"1793527200123456","SYSLOG_IDENTIFIER":"caddy","_PID":"9",)"
        R"("MESSAGE":"{\"level\":\"error\",\"ts\":1.5,\"logger\":\"http.log.error\",)"
        R"(\"msg\":\"EOF\",\"request\":{\"method\":\"GET\",\"uri\":\"/gone\"}}"})");
    ASSERT_EQ(read.parsed, Parsed::entry);
    EXPECT_EQ(read->time, 1'793'527'200'123'456);
    EXPECT_EQ(read->uri, "/gone");
    EXPECT_EQ(read->pid, 9);
    EXPECT_EQ(read->message, "EOF");
}

TEST(EventFormats, logs_without_times_or_requests_are_told_so) {
    const std::string_view raw[] = {"/srv/server.js:10", "Error: boom", "    at f (/a.js:10:113)"};
    EXPECT_TRUE(have_no_times(raw));
    const std::string_view haproxy[] = {
        "Nov 28 18:13:12 web1 haproxy[1]: Connect from 127.0.0.1:1 to 127.0.0.1:2 (fe/HTTP)"};
    EXPECT_TRUE(is_haproxy_without_requests(haproxy));
    const std::string_view timed[] = {"it is 10:00:00 and all is well"};
    EXPECT_FALSE(have_no_times(timed) || is_haproxy_without_requests(timed));
}

}  // namespace
}  // namespace edgecase::logs
