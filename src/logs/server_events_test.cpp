#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "logs/read_event_for_tests.hpp"

namespace edgecase::logs {
namespace {

struct Case {
    std::string_view message;
    EventKind kind;
};

EventKind kind(std::string_view format, std::string_view line) {
    const ReadEvent read(format, line);
    EXPECT_EQ(read.parsed, Parsed::entry) << line;
    return read->kind;
}

TEST(NginxError, a_line_of_a_request_says_who_asked_for_what) {
    const ReadEvent read(
        "nginx-error",
        "2026/11/01 10:00:00 [error] 12#13: *1 upstream prematurely closed connection while "
        "reading response header from upstream, client: 192.0.2.4, server: shop.example, request: "
        "\"GET /a?b=c HTTP/1.1\", upstream: \"http://127.0.0.1:9000/a\", host: \"shop.example\"");
    ASSERT_EQ(read.parsed, Parsed::entry);
    EXPECT_EQ(read->time, kTen);
    EXPECT_EQ(read->resolution_us, 1'000'000);
    EXPECT_EQ(read->system, "nginx");
    EXPECT_EQ(read->severity, "error");
    EXPECT_EQ(read->pid, 12);
    EXPECT_TRUE(read->message.starts_with("upstream prematurely closed")) << read->message;
    EXPECT_EQ(read->kind, EventKind::upstream_closed);
    EXPECT_EQ(read->client, "192.0.2.4");
    EXPECT_EQ(read->method, "GET");
    EXPECT_EQ(read->uri, "/a?b=c");
    EXPECT_EQ(read->host, "shop.example");
    EXPECT_EQ(read->ray, 0u);
}

TEST(NginxError, its_words_tell_the_kind) {
    for (const Case& each : {
             Case{"upstream timed out (110: Connection timed out) while connecting to upstream",
                  EventKind::upstream_timeout},
             {"connect() failed (111: Connection refused) while connecting to upstream",
              EventKind::upstream_refused},
             {"connect() to unix:/run/php.sock failed (11: Resource temporarily unavailable) while "
              "connecting to upstream",
              EventKind::upstream_refused},
             {"no live upstreams while connecting to upstream", EventKind::upstream_refused},
             {"recv() failed (104: Connection reset by peer) while reading response header from "
              "upstream",
              EventKind::upstream_closed},
             {"writev() failed (32: Broken pipe) while sending request to upstream",
              EventKind::upstream_closed},
             {"SSL_do_handshake() failed (SSL: error:1) while SSL handshaking to upstream",
              EventKind::upstream_refused},
             {"recv() failed (104: Connection reset by peer) while waiting for request",
              EventKind::client_closed},
             {"epoll_wait() reported that client prematurely closed connection, so upstream "
              "connection is closed too while sending request to upstream",
              EventKind::client_closed},
             {"client 192.0.2.4 closed keepalive connection", EventKind::client_closed},
             {"client intended to send too large body: 2097152 bytes", EventKind::bad_request},
             {"client sent too large request while reading client request headers",
              EventKind::bad_request},
             {"client sent invalid header line: \"x y: z\"", EventKind::bad_request},
             {"SSL_do_handshake() failed (SSL: error:0A00006C) while SSL handshaking",
              EventKind::tls_failed},
             {"1024 worker_connections are not enough", EventKind::workers_exhausted},
             {"accept4() failed (24: Too many open files)", EventKind::workers_exhausted},
             {"signal process started", EventKind::restarted},
             {"gracefully shutting down", EventKind::restarted},
             {"start worker process 17", EventKind::restarted},
             {"exiting", EventKind::restarted},
             {"FastCGI sent in stderr: \"PHP message: PHP Fatal error:  Maximum execution time of "
              "30 seconds exceeded in /x.php on line 3\" while reading upstream",
              EventKind::script_timeout},
             {"FastCGI sent in stderr: \"PHP message: PHP Fatal error:  Uncaught Error: x in "
              "/x.php:3\tStack trace: #0 {main}\" while reading response header from upstream",
              EventKind::script_failed},
             {"FastCGI sent in stderr: \"PHP message: PHP Warning:  x\" while reading upstream",
              EventKind::other},
             {"open() \"/srv/x\" failed (2: No such file or directory)", EventKind::other},
         }) {
        const std::string begin = "2026/11/01 10:00:00 [error] 12#12: *1 ";
        EXPECT_EQ(kind("nginx-error", begin + std::string(each.message)), each.kind)
            << each.message;
    }
}

TEST(NginxError, a_worker_that_ended_is_named_with_its_signal) {
    const ReadEvent killed("nginx-error",
                           "2026/11/01 10:00:00 [alert] 1#1: worker process 123 exited on signal "
                           "11 (core dumped)");
    EXPECT_EQ(killed->kind, EventKind::worker_exited);
    EXPECT_EQ(killed->pid, 123);
    EXPECT_EQ(killed->signal, 11);
    EXPECT_EQ(killed->exit_code, -1);
    const ReadEvent ended("nginx-error",
                          "2026/11/01 10:00:00 [notice] 1#1: worker process 124 exited with code "
                          "0");
    EXPECT_EQ(ended->kind, EventKind::worker_exited);
    EXPECT_EQ(ended->pid, 124);
    EXPECT_EQ(ended->exit_code, 0);
}

TEST(NginxError, what_a_client_sent_does_not_tell_the_kind) {
    EXPECT_EQ(kind("nginx-error",
                   "2026/11/01 10:00:00 [error] 12#12: *1 open() \"/x\" failed (2: No such file), "
                   "client: 192.0.2.4, server: x, request: \"GET /upstream timed out HTTP/1.1\""),
              EventKind::other);
}

TEST(NginxError, a_ray_id_in_the_line_is_found) {
    const ReadEvent read("nginx-error",
                         "2026/11/01 10:00:00 [error] 12#12: *1 lua: ray=8f0c1e2d3b4a5968-FRA, "
                         "client: 192.0.2.4, server: x");
    EXPECT_EQ(read->ray, 0x8f0c1e2d3b4a5968u);
}

TEST(ApacheError, a_line_is_taken_apart) {
    const ReadEvent read("apache-error",
                         "[Sun Nov 01 10:00:00.123456 2026] [proxy_http:error] [pid 123:tid 456] "
                         "(70007)The timeout specified has expired: [client 192.0.2.4:5678] "
                         "AH01102: error reading status line from remote server 127.0.0.1:8080, "
                         "referer: http://x/");
    ASSERT_EQ(read.parsed, Parsed::entry);
    EXPECT_EQ(read->time, kTen + 123'456);
    EXPECT_EQ(read->resolution_us, 1);
    EXPECT_EQ(read->system, "apache");
    EXPECT_EQ(read->severity, "error");
    EXPECT_EQ(read->pid, 123);
    EXPECT_EQ(read->client, "192.0.2.4");
    EXPECT_EQ(read->kind, EventKind::upstream_timeout);
    EXPECT_TRUE(read->message.starts_with("(70007)")) << read->message;
}

TEST(ApacheError, its_numbers_tell_the_kind) {
    for (const Case& each : {
             Case{"AH00161: server reached MaxRequestWorkers setting, consider raising it",
                  EventKind::workers_exhausted},
             {"AH00484: server reached MaxRequestWorkers setting", EventKind::workers_exhausted},
             {"AH00163: Apache/2.4.57 (Debian) configured -- resuming normal operations",
              EventKind::restarted},
             {"AH00169: caught SIGTERM, shutting down", EventKind::restarted},
             {"AH00171: Graceful restart requested, doing restart", EventKind::restarted},
             {"AH00493: SIGUSR1 received.  Doing graceful restart", EventKind::restarted},
             {"[client 192.0.2.4:5678] AH00126: Invalid URI in request GET x HTTP/1.1",
              EventKind::bad_request},
             {"(20014)Internal error (specific information not available): [client 192.0.2.4:1] "
              "AH01102: error reading status line from remote server 127.0.0.1:8080",
              EventKind::upstream_closed},
             {"[client 192.0.2.4:1] AH00898: Error reading from remote server returned by /x",
              EventKind::upstream_closed},
             {"(111)Connection refused: AH00957: HTTP: attempt to connect to 127.0.0.1:8080 failed",
              EventKind::upstream_refused},
             {"(70007)The timeout specified has expired: [client 192.0.2.4:1] AH01075: Error "
              "dispatching request to : (polling)",
              EventKind::upstream_timeout},
             {"(104)Connection reset by peer: [client 192.0.2.4:1] AH01075: Error dispatching "
              "request to : ",
              EventKind::upstream_closed},
             {"[client 192.0.2.4:1] AH01067: Failed to read FastCGI header",
              EventKind::upstream_closed},
             {"[client 192.0.2.4:1] AH01071: Got error 'PHP message: PHP Fatal error:  Uncaught "
              "Error: x in /x.php:3'",
              EventKind::script_failed},
             {"[client 192.0.2.4:1] AH01071: Got error 'Primary script unknown'", EventKind::other},
             {"[client 192.0.2.4:1] AH01276: Cannot serve directory /srv/: No matching index",
              EventKind::other},
             {"[client 192.0.2.4:1] PHP Fatal error:  Maximum execution time of 30 seconds "
              "exceeded in /x.php on line 3",
              EventKind::script_timeout},
             {"[client 192.0.2.4:1] Premature end of script headers: x.cgi",
              EventKind::script_failed},
         }) {
        const std::string begin = "[Sun Nov 01 10:00:00.123456 2026] [x:error] [pid 123:tid 456] ";
        EXPECT_EQ(kind("apache-error", begin + std::string(each.message)), each.kind)
            << each.message;
    }
}

TEST(ApacheError, a_child_that_ended_is_named_with_its_signal) {
    const ReadEvent read("apache-error",
                         "[Sun Nov 01 10:00:00.123456 2026] [core:notice] [pid 1:tid 1] AH00051: "
                         "child pid 123 exit signal Segmentation fault (11), possible coredump in "
                         "/tmp");
    EXPECT_EQ(read->kind, EventKind::worker_exited);
    EXPECT_EQ(read->pid, 123);
    EXPECT_EQ(read->signal, 11);
}

TEST(ApacheError, lines_of_2_2_and_addresses_of_ipv6_are_read) {
    const ReadEvent old("apache-error",
                        "[Sun Nov 01 10:00:00 2026] [error] [client 2001:db8::1] File does not "
                        "exist: /srv/x");
    ASSERT_EQ(old.parsed, Parsed::entry);
    EXPECT_EQ(old->severity, "error");
    EXPECT_EQ(old->client, "2001:db8::1");
    EXPECT_EQ(old->resolution_us, 1'000'000);
    const ReadEvent current("apache-error",
                            "[Sun Nov 01 10:00:00.123456 2026] [core:info] [pid 1] [client "
                            "2001:db8::1:5678] AH00128: File does not exist: /srv/x");
    EXPECT_EQ(current->client, "2001:db8::1");
}

TEST(ApacheError, the_uri_of_a_failed_backend_is_taken) {
    const ReadEvent read("apache-error",
                         "[Sun Nov 01 10:00:00.123456 2026] [proxy:error] [pid 1] [client "
                         "192.0.2.4:1] AH00898: Error reading from remote server returned by /a/b, "
                         "referer: http://x/");
    EXPECT_EQ(read->uri, "/a/b");
}

TEST(PhpFpm, a_script_that_ran_too_long_is_named_with_its_request) {
    const ReadEvent read("php-fpm",
                         "[01-Nov-2026 10:00:00] WARNING: [pool www] child 123, script '/x.php' "
                         "(request: \"GET /x.php?a=b\") execution timed out (30.1 sec), "
                         "terminating");
    ASSERT_EQ(read.parsed, Parsed::entry);
    EXPECT_EQ(read->time, kTen);
    EXPECT_EQ(read->system, "php-fpm");
    EXPECT_EQ(read->severity, "WARNING");
    EXPECT_EQ(read->kind, EventKind::script_timeout);
    EXPECT_EQ(read->pid, 123);
    EXPECT_EQ(read->method, "GET");
    EXPECT_EQ(read->uri, "/x.php?a=b");
}

TEST(PhpFpm, a_child_that_ended_is_named_with_its_signal_or_code) {
    const ReadEvent killed("php-fpm",
                           "[01-Nov-2026 10:00:00] WARNING: [pool www] child 123 exited on signal "
                           "11 (SIGSEGV - core dumped) after 12.345678 seconds from start");
    EXPECT_EQ(killed->kind, EventKind::worker_exited);
    EXPECT_EQ(killed->pid, 123);
    EXPECT_EQ(killed->signal, 11);
    const ReadEvent ended("php-fpm",
                          "[01-Nov-2026 10:00:00] WARNING: [pool www] child 124 exited with code "
                          "255 after 12.345678 seconds from start");
    EXPECT_EQ(ended->kind, EventKind::worker_exited);
    EXPECT_EQ(ended->exit_code, 255);
    EXPECT_EQ(ended->signal, 0);
}

TEST(PhpFpm, its_words_tell_the_kind) {
    for (const Case& each :
         {Case{"WARNING: [pool www] server reached pm.max_children setting (5), consider raising "
               "it",
               EventKind::workers_exhausted},
          {"NOTICE: ready to handle connections", EventKind::restarted},
          {"NOTICE: fpm is running, pid 1", EventKind::restarted},
          {"NOTICE: Terminating ...", EventKind::restarted},
          {"WARNING: [pool www] child 7, script '/x.php' (request: \"GET /Terminating ...\") "
           "executing too slow (5.1 sec), logging",
           EventKind::other},
          {"WARNING: [pool www] child 7 said into stderr: \"NOTICE: PHP message: PHP Fatal error:  "
           "Uncaught Error: x\"",
           EventKind::script_failed},
          {"NOTICE: [pool www] child 7 started", EventKind::other}}) {
        EXPECT_EQ(kind("php-fpm", "[01-Nov-2026 10:00:00] " + std::string(each.message)), each.kind)
            << each.message;
    }
}

TEST(Php, a_fatal_error_is_read_and_its_stack_trace_is_passed_over) {
    const ReadEvent read("php",
                         "[01-Nov-2026 10:00:00 UTC] PHP Fatal error:  Uncaught Exception: x in "
                         "/srv/x.php:3");
    ASSERT_EQ(read.parsed, Parsed::entry);
    EXPECT_EQ(read->time, kTen);
    EXPECT_EQ(read->system, "php");
    EXPECT_EQ(read->severity, "Fatal error");
    EXPECT_EQ(read->message, "Uncaught Exception: x in /srv/x.php:3");
    EXPECT_EQ(read->kind, EventKind::script_failed);
    EXPECT_EQ(ReadEvent("php", "Stack trace:").parsed, Parsed::nothing);
    EXPECT_EQ(ReadEvent("php", "#0 {main}").parsed, Parsed::nothing);
    EXPECT_EQ(ReadEvent("php", "  thrown in /srv/x.php on line 3").parsed, Parsed::nothing);
    EXPECT_EQ(ReadEvent("php", "words").parsed, Parsed::failed);
}

TEST(Php, words_that_a_script_logged_carry_its_ray_id) {
    const ReadEvent read("php",
                         "[01-Nov-2026 10:00:00 UTC] order failed, cf-ray: 8f0c1e2d3b4a5968");
    EXPECT_EQ(read->kind, EventKind::other);
    EXPECT_EQ(read->severity, "");
    EXPECT_EQ(read->ray, 0x8f0c1e2d3b4a5968u);
}

TEST(ServerEvents, lines_of_another_kind_fail_and_blank_ones_are_nothing) {
    for (const std::string_view format : {"nginx-error", "apache-error", "php-fpm", "php"}) {
        for (const std::string_view line :
             {"x", "[", "[]", "2026/11/01 10:00:00", "2026/11/01 10:00:00 [",
              "[Sun Nov 01 10:00:00 2026]", "[01-Nov-2026 10:00:00"}) {
            EXPECT_EQ(ReadEvent(format, line).parsed, Parsed::failed) << format << ": " << line;
        }
        EXPECT_EQ(ReadEvent(format, "").parsed, Parsed::nothing);
        EXPECT_EQ(ReadEvent(format, "\tat f (x.js:1)").parsed, Parsed::nothing);
    }
}

}  // namespace
}  // namespace edgecase::logs
