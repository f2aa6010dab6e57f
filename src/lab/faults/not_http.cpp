// The port speaks something other than HTTP/1.
#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;
using namespace std::string_view_literals;

constexpr std::array kScenarios{
    Scenario{.name = "resp.not_http.tls",
             .cause = Cause::resp_not_http_tls,
             .description = "Answers as a TLS server does to plain HTTP: an alert, "
                            "unexpected_message.",
             .bytes = "\x15\x03\x03\x00\x02\x02\x0a"sv},
    Scenario{.name = "resp.not_http.tls-protocol_version",
             .cause = Cause::resp_not_http_tls,
             .description = "Answers with the TLS alert protocol_version, as OpenSSL does.",
             .bytes = "\x15\x03\x01\x00\x02\x02\x46"sv},
    Scenario{.name = "resp.not_http.ssh",
             .cause = Cause::resp_not_http_ssh,
             .description = "Answers with an SSH banner.",
             .bytes = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"},
    Scenario{.name = "resp.not_http.smtp",
             .cause = Cause::resp_not_http_smtp,
             .description = "Answers with a mail server's greeting.",
             .bytes = "220 mail.lab.test ESMTP Postfix (Debian/GNU)\r\n"},
    Scenario{.name = "resp.not_http.smtp-ftp",
             .cause = Cause::resp_not_http_smtp,
             .description = "Answers with an FTP server's greeting.",
             .bytes = "220 (vsFTPd 3.0.3)\r\n"},
    Scenario{.name = "resp.not_http.html",
             .cause = Cause::resp_not_http_html,
             .description = "Sends an HTML page without status line or headers.",
             .bytes = "<!DOCTYPE html>\n<html><head><title>Hello</title></head>"
                      "<body>Hello</body></html>\n"},
    Scenario{.name = "resp.not_http.h2",
             .cause = Cause::resp_not_http_h2,
             .description = "Sends HTTP/2 frames: SETTINGS, then GOAWAY with PROTOCOL_ERROR.",
             .bytes = "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80"
                      "\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"sv},
    Scenario{.name = "resp.not_http.proxy_protocol",
             .cause = Cause::resp_not_http_proxy_protocol,
             .description = "Puts a PROXY protocol line before the response.",
             .bytes = "PROXY TCP4 192.0.2.1 192.0.2.2 51234 80\r\n"
                      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.not_http.proxy_protocol-v2",
             .cause = Cause::resp_not_http_proxy_protocol,
             .description = "Puts a binary PROXY protocol header before the response.",
             .bytes = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"
                      "\xc0\x00\x02\x01\xc0\x00\x02\x02\xc8\x22\x00\x50"
                      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"sv},
    Scenario{.name = "resp.not_http.text",
             .cause = Cause::resp_not_http_text,
             .description = "Prints a script's warning before the status line.",
             .bytes = "Warning: Undefined variable $user in /var/www/app.php on line 12\n"
                      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.not_http.text-icy",
             .cause = Cause::resp_not_http_text,
             .description = "Answers as a Shoutcast server: ICY 200 OK.",
             .bytes = "ICY 200 OK\r\nicy-name: lab\r\n\r\n"},
    Scenario{.name = "resp.not_http.text-json",
             .cause = Cause::resp_not_http_text,
             .description = "Sends a JSON object without status line or headers.",
             .bytes = "{\"error\": \"internal\"}\n"},
    Scenario{.name = "resp.not_http.binary",
             .cause = Cause::resp_not_http_binary,
             .description = "Sends bytes of no known protocol.",
             .bytes = "\xde\xad\xbe\xef\x00\x01\x02\x03\xfe\xfd\xfc\xfb\x80\x81\x82\x83"sv},
};

}  // namespace

std::span<const Scenario> not_http() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
