#include "diagnose/remedy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace edgecase::diagnose {
namespace {

/// `server` is that of probe::Server::name or ::behind; empty: for every other. Braces are doubled
/// where they are meant.
struct Row {
    Topic topic;
    std::string_view server;
    std::string_view text;
};

constexpr std::array kRows{
    Row{Topic::crash, "nginx",
        "Look why the answer was cut: journalctl -u nginx -n 200, and nginx's error log for "
        "\"exited on signal\" or \"upstream prematurely closed connection\". `return 444;` closes "
        "without an answer on purpose: look for it in the server block that this Host reaches "
        "(nginx -T | grep -n 444)."},
    Row{Topic::crash, "apache",
        "Look for \"exit signal\" in Apache's error log (tail -n 200 /var/log/apache2/error.log); "
        "a module or script crashes. Disable third-party modules one by one, and let CGI and PHP "
        "run outside of Apache (mod_proxy_fcgi with PHP-FPM), so that a crash becomes a 503."},
    Row{Topic::crash, "php",
        "Look into PHP-FPM's log for \"exited on signal\" or \"execution timed out\". In the pool: "
        "`catch_workers_output = yes`, `request_slowlog_timeout = 5s`, and in php.ini a "
        "`memory_limit` below what the machine has; grep -i \"killed process\" in the kernel log "
        "(journalctl -k) for workers that ran out of memory."},
    Row{Topic::crash, "node",
        "An exception nobody catches ends the process with every request in it. Let a supervisor "
        "start it again at once and keep its last words:\n"
        "  [Service]\n"
        "  ExecStart=/usr/bin/node server.js\n"
        "  Restart=always\n"
        "  RestartSec=200ms\n"
        "and find the cause with: journalctl -u YOUR-SERVICE -n 200. Listen to "
        "'uncaughtException' only to log and exit."},
    Row{Topic::crash, "gunicorn",
        "Look for \"WORKER TIMEOUT\" or \"was sent SIGKILL\" in gunicorn's log: a worker that "
        "needs longer than `--timeout` (30 s by default) is killed with its request. Raise it to "
        "what {target} needs, or move the work out of the request; `--max-requests` with "
        "`--max-requests-jitter` against leaks."},
    Row{Topic::crash, "",
        "Run the process under a supervisor that starts it again, and read its last words:\n"
        "  [Service]\n"
        "  Restart=always\n"
        "  RestartSec=200ms\n"
        "then journalctl -u YOUR-SERVICE -n 200, and journalctl -k | grep -i \"killed process\" "
        "for want of memory. If its log has the request as answered, look at what stands between: "
        "a firewall, a security module, a load balancer."},
    Row{Topic::headers, "nginx",
        "Its answers have {header_bytes} bytes of header, the edge takes {limit_bytes}. Remove "
        "what "
        "browsers do not need before it leaves:\n"
        "  proxy_hide_header X-Debug-Trace;\n"
        "  proxy_buffer_size 16k; proxy_buffers 4 16k;\n"
        "and put session data behind one short cookie instead of many."},
    Row{Topic::headers, "apache",
        "Its answers have {header_bytes} bytes of header, the edge takes {limit_bytes}:\n"
        "  Header always unset X-Debug-Trace\n"
        "  Header always unset Link\n"
        "for those that browsers do not need, and one session cookie instead of many."},
    Row{Topic::headers, "php",
        "Its answers have {header_bytes} bytes of header, the edge takes {limit_bytes}. Keep "
        "session data on the server (session.save_handler) and call setcookie() once per name: a "
        "repeated call adds a line instead of replacing it (header_remove('Set-Cookie') first)."},
    Row{Topic::headers, "",
        "Its answers have {header_bytes} bytes of header, the edge takes {limit_bytes}. Remove "
        "debug fields, set each cookie once, keep session data on the server, and send large Link "
        "preloads as 103 Early Hints."},
    Row{Topic::request_headers, "nginx",
        "  large_client_header_buffers 4 {limit_kib}k;\nin the http block (nginx answers 400 or "
        "494 above 4 x 8 KiB, or one line above 8 KiB)."},
    Row{Topic::request_headers, "apache",
        "  LimitRequestFieldSize {limit_bytes}\n  LimitRequestLine 16384\nin the server's "
        "configuration (8190 bytes by default)."},
    Row{Topic::request_headers, "node",
        "http.createServer({{ maxHeaderSize: {limit_bytes} }}, ...), or node "
        "--max-http-header-size={limit_bytes} (16 KiB by default, then 431)."},
    Row{Topic::request_headers, "gunicorn",
        "gunicorn --limit-request-field_size {limit_bytes} (8190 by default)."},
    Row{Topic::request_headers, "",
        "Raise the server's limit for request headers to {limit_bytes} bytes, as much as the edge "
        "passes on, or keep cookies small."},
    Row{Topic::keep_alive, "nginx",
        "  keepalive_timeout {idle_s}s;\n  keepalive_requests 10000;\nin the http block (75 s and "
        "1000 by default)."},
    Row{Topic::keep_alive, "apache",
        "  KeepAlive On\n  KeepAliveTimeout {idle_s}\n  MaxKeepAliveRequests 10000\nwith "
        "mpm_event, "
        "which holds idle connections cheaply (5 s and 100 by default)."},
    Row{Topic::keep_alive, "node",
        "server.keepAliveTimeout = {idle_ms}; server.headersTimeout = {headers_ms};\n(5 s by "
        "default; headersTimeout must be longer)."},
    Row{Topic::keep_alive, "gunicorn",
        "gunicorn --keep-alive {idle_s} with threaded or async workers (2 s by default; sync "
        "workers close after each answer)."},
    Row{Topic::keep_alive, "uvicorn", "uvicorn --timeout-keep-alive {idle_s} (5 s by default)."},
    Row{Topic::keep_alive, "waitress",
        "waitress-serve --channel-timeout={idle_s} (120 s by default)."},
    Row{Topic::keep_alive, "hypercorn", "hypercorn --keep-alive {idle_s} (5 s by default)."},
    Row{Topic::keep_alive, "puma",
        "persistent_timeout {idle_s} in config/puma.rb (20 s by default)."},
    Row{Topic::keep_alive, "caddy",
        "  {{\n    servers {{\n      timeouts {{\n        idle {idle_s}s\n      }}\n    }}\n  "
        "}}\nthe Caddyfile's global options, at its top (5 min by default)."},
    Row{Topic::keep_alive, "haproxy",
        "  timeout http-keep-alive {idle_s}s\nin defaults or the frontend."},
    Row{Topic::keep_alive, "iis",
        "connectionTimeout=\"{idle_hms}\" in the site's <limits> (2 min by default)."},
    Row{Topic::keep_alive, "kestrel",
        "options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds({idle_s}); (130 s by default)."},
    Row{Topic::keep_alive, "",
        "Set the server's idle timeout for keep-alive connections to {idle_s} s, more than the "
        "edge keeps them ({edge_s} s), or the edge's `pool_idle` below the server's."},
    Row{Topic::down, "",
        "Start the server and see that it listens there: ss -ltn 'sport = :{port}'; systemctl "
        "status YOUR-SERVICE. A process bound to 127.0.0.1 is not reached from outside. If it "
        "does listen, a firewall rejects with a reset: edgecase ranges check --live."},
    Row{Topic::firewall, "",
        "Let every edge range in and keep the list fresh: edgecase ranges check --live --port "
        "{port} names the rule that decides, edgecase ranges render --format nft (or iptables, "
        "ufw, aws-prefix-list...) writes the allow-list, edgecase ranges sync renews it. Look at "
        "Fail2Ban too: fail2ban-client status."},
    Row{Topic::timeout, "nginx",
        "Find out what {target} waits for (log $request_time and $upstream_response_time). "
        "proxy_read_timeout and fastcgi_read_timeout must be below the edge's read timeout, so "
        "that nginx gives a 504 of its own; work that needs longer belongs into a queue with a "
        "status page to poll."},
    Row{Topic::timeout, "php",
        "Find out what {target} waits for: request_slowlog_timeout = 5s and slowlog in the FPM "
        "pool. If all workers are busy, pm.max_children is too small. Work that needs longer than "
        "the edge waits belongs into a queue."},
    Row{Topic::timeout, "",
        "Find out what {target} waits for: a lock, a database, a call to another service, or "
        "workers that are all busy. Work that needs longer than the edge waits belongs into a job "
        "queue, with a status page to poll; or send the first bytes early."},
    Row{Topic::script_timeout, "php",
        "The script stops after its headers went out. Raise max_execution_time and the pool's "
        "request_terminate_timeout above {needed_s} s for this script, or move the work into a "
        "job; fastcgi_read_timeout in nginx must be longer than both."},
    Row{Topic::script_timeout, "nginx",
        "The upstream stops in the middle of its answer. proxy_read_timeout {needed_s}s; (or "
        "fastcgi_read_timeout) in the location of {target}, and the application's own timeout "
        "above what it needs; better, move the work into a job."},
    Row{Topic::script_timeout, "apache",
        "Timeout and ProxyTimeout above {needed_s} s, and the script's own limit above what "
        "{target} needs; better, move the work into a job."},
    Row{Topic::script_timeout, "gunicorn",
        "gunicorn --timeout {needed_s} (30 s by default), or async workers for long answers; "
        "better, move the work into a job."},
    Row{Topic::script_timeout, "node",
        "Look for a timeout in the application or server.requestTimeout and server.setTimeout; a "
        "stream that waits needs a byte now and then, and an 'error' handler that ends the "
        "response."},
    Row{Topic::script_timeout, "",
        "Something at the origin gives up after {needed_s} s. Raise that timeout above what "
        "{target} needs, send data steadily, or move the work into a job with a status page."},
    Row{Topic::status_line, "",
        "Ask the origin from its own machine (curl -v --http1.1 http://127.0.0.1:PORT{target}) and "
        "compare: if the answer is right there, a proxy, WAF or load balancer between rewrites it; "
        "if not, the application writes the status line itself."},
    Row{Topic::syntax, "",
        "The application or a module writes header fields by hand. Let the framework encode names "
        "and values (no control characters, no line breaks, no space before the colon), and trim "
        "what comes from users."},
    Row{Topic::framing, "",
        "Exactly one of Content-Length and Transfer-Encoding, and the first right to the byte: do "
        "not set Content-Length by hand when something behind it compresses or rewrites the body."},
    Row{Topic::http2, "nginx",
        "Until it is mended, turn HTTP/2 to the origin off (edgecase serve --origin-http2 off; in "
        "Cloudflare's dashboard Speed, Protocol Optimization). Update nginx to 1.25 or later, and "
        "hide HTTP/1.1 fields of upstreams: proxy_hide_header Upgrade;"},
    Row{Topic::http2, "apache",
        "Until it is mended, turn HTTP/2 to the origin off (edgecase serve --origin-http2 off). "
        "Update mod_http2, and `Header unset Upgrade` keeps HTTP/1.1's field out of HTTP/2."},
    Row{Topic::http2, "",
        "Until it is mended, turn HTTP/2 to the origin off (edgecase serve --origin-http2 off; in "
        "Cloudflare's dashboard Speed, Protocol Optimization), then update the server."},
    Row{Topic::certificate, "nginx",
        "  ssl_certificate /etc/letsencrypt/live/{name}/fullchain.pem;\n  ssl_certificate_key "
        "/etc/letsencrypt/live/{name}/privkey.pem;\n(the full chain, for the name {name}), then "
        "nginx -t && nginx -s reload; renew with certbot renew."},
    Row{Topic::certificate, "apache",
        "  SSLCertificateFile /etc/letsencrypt/live/{name}/fullchain.pem\n  SSLCertificateKeyFile "
        "/etc/letsencrypt/live/{name}/privkey.pem\n(the full chain, for the name {name}), then "
        "apachectl configtest && apachectl graceful."},
    Row{Topic::certificate, "",
        "Install a certificate for {name} with its whole chain, from a CA that the edge trusts, "
        "and let it renew by itself (certbot, or Caddy); openssl s_client -connect HOST:{port} "
        "-servername {name} -showcerts shows what is sent."},
    Row{Topic::link, "",
        "Send the preloads as 103 Early Hints instead of in the final response (edgecase serve "
        "makes them of Link fields with `early_hints = true`), and only those that the page needs "
        "first."},
    Row{Topic::health, "",
        "Give health checks a path that is cheap and tells the truth (200 when requests can be "
        "served, 503 otherwise), for example /healthz."},
};

}  // namespace

Topic topic_of(cause::Cause cause) {
    const std::string_view name = cause::row(cause).name;
    const std::string_view phase = cause::row(cause).phase();
    const auto begins = [&](std::string_view text) { return name.starts_with(text); };
    if (begins("resp.empty") || begins("resp.truncated") || begins("resp.reset") ||
        begins("resp.connection_lost") || begins("body.short") || begins("body.chunk_truncated") ||
        begins("body.chunk_reset") || begins("body.close_delimited") ||
        begins("body.connection_lost") || begins("request.write")) {
        return Topic::crash;
    }
    if (begins("resp.headers_too_large") || begins("resp.header_line") ||
        begins("resp.too_many_headers") || begins("h2.header_list")) {
        return Topic::headers;
    }
    if (phase == "reuse") return Topic::keep_alive;
    if (name == "connect.refused") return Topic::down;
    if (phase == "connect" || begins("request.not_acked")) return Topic::firewall;
    if (name == "time.first_byte") return Topic::timeout;
    if (phase == "time") return Topic::script_timeout;
    if (begins("resp.bad_status") || begins("resp.not_http") || begins("resp.bad_version") ||
        begins("resp.bad_reason") || begins("resp.status_line")) {
        return Topic::status_line;
    }
    if (begins("resp.bad_header") || begins("resp.no_colon") || begins("resp.obs_fold") ||
        begins("resp.bare")) {
        return Topic::syntax;
    }
    if (phase == "resp" || phase == "body") return Topic::framing;
    if (begins("tls.cert")) return Topic::certificate;
    if (begins("tls.client_cert")) return Topic::client_certificate;
    if (phase == "tls") return Topic::tls;
    if (phase == "h2") return Topic::http2;
    if (phase == "dns") return Topic::dns;
    return Topic::other;
}

std::string remedy(Topic topic, const probe::Server& server, const RemedyValues& values) {
    const auto find = [&](std::string_view name) {
        return std::ranges::find_if(
            kRows, [&](const Row& row) { return row.topic == topic && row.server == name; });
    };
    // The application first, where the server before it only passes on.
    const bool of_the_front = topic == Topic::keep_alive || topic == Topic::http2 ||
                              topic == Topic::certificate || topic == Topic::tls ||
                              topic == Topic::request_headers;
    const std::string_view first = of_the_front ? server.name : server.behind;
    const std::string_view second = of_the_front ? server.behind : server.name;
    auto row = first.empty() ? kRows.end() : find(first);
    if (row == kRows.end() && !second.empty()) row = find(second);
    if (row == kRows.end()) row = find("");
    if (row == kRows.end()) return {};
    using std::chrono::duration_cast;
    constexpr std::chrono::seconds kMore{10};  // than the edge's, so that the edge is first
    const auto edge_s = duration_cast<std::chrono::seconds>(values.edge_idle);
    const auto idle_s = edge_s + kMore;
    const auto needed =
        std::max(duration_cast<std::chrono::seconds>(values.needed) * 2, std::chrono::seconds(60));
    return fmt::format(
        fmt::runtime(row->text), fmt::arg("header_bytes", values.header_bytes),
        fmt::arg("limit_bytes", values.limit_bytes),
        fmt::arg("limit_kib", values.limit_bytes / 1024), fmt::arg("idle_s", idle_s.count()),
        fmt::arg("idle_ms", idle_s.count() * 1000),
        fmt::arg("headers_ms", idle_s.count() * 1000 + 1000),
        fmt::arg("idle_hms", fmt::format("{:02}:{:02}:{:02}", idle_s.count() / 3600,
                                         idle_s.count() / 60 % 60, idle_s.count() % 60)),
        fmt::arg("edge_s", edge_s.count()), fmt::arg("needed_s", needed.count()),
        fmt::arg("target", values.target), fmt::arg("port", values.port),
        fmt::arg("name", values.name));
}

}  // namespace edgecase::diagnose
