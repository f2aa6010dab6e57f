#include "base/secrets.hpp"

#include <gtest/gtest.h>

#include "base/sample.hpp"

namespace edgecase::base {
namespace {

using namespace std::string_literals;

const std::string kSecret = "hunter2";

TEST(SensitiveName, is_one_for_headers_and_parameters_however_it_is_written) {
    for (const std::string& name : {"Cookie"s,
                                    "set-cookie"s,
                                    "SET-COOKIE2"s,
                                    "Authorization"s,
                                    "Proxy-Authorization"s,
                                    "WWW-Authenticate"s,
                                    "X-Auth-Key"s,
                                    "X-Authorization"s,
                                    "X-Forwarded-Authorization"s,
                                    "apikey"s,
                                    "X-Api-Key"s,
                                    "X-Signature"s,
                                    "Cf-Access-Jwt-Assertion"s,
                                    "PHPSESSID"s,
                                    "jsessionid"s,
                                    "ticket"s,
                                    "pw"s,
                                    "passcode"s,
                                    "bearer"s,
                                    "privatekey"s,
                                    "p%61ssword"s,
                                    "p%2561ssword"s,
                                    "Set-Cookie\x01"s,
                                    "Coo\xffkie"s,
                                    "X-K\x01"s + "ey",
                                    "auth[key]"s,
                                    "password2"s,
                                    "key2"s,
                                    "api_key"s,
                                    "accessKeyId"s}) {
        EXPECT_TRUE(is_sensitive_name(name)) << name;
    }
    for (const std::string& name :
         {"Server"s, "Host"s, "X-Trace"s, "ETag"s, "Content-Length"s, "Location"s, "monkey"s,
          "design"s, "zipcode"s, "Author"s, "tickets"s, "compass"s, ""s, "\x01"s, "%"s, "%zz"s}) {
        EXPECT_FALSE(is_sensitive_name(name)) << name;
    }
}

TEST(SensitiveField, authenticates_or_holds_state_and_is_no_signature) {
    for (const char* name : {"Cookie", "Authorization", "X-Auth-Token", "x-api-key"}) {
        EXPECT_TRUE(is_sensitive_field(name)) << name;
    }
    for (const char* name : {"x-amz-trailer-signature", "X-Error-Code", "ETag"}) {
        EXPECT_FALSE(is_sensitive_field(name)) << name;
    }
}

TEST(WithoutSecrets, hides_values_and_userinfo_and_nothing_else) {
    const std::pair<const char*, const char*> rows[] = {
        {"/x;jsessionid=S/y?a=1", "/x;jsessionid=[redacted]/y?a=1"},
        {"/x;jsessionid=S?a=1", "/x;jsessionid=[redacted]?a=1"},
        {"/?PHPSESSID=S&a=1", "/?PHPSESSID=[redacted]&a=1"},
        {"/?q=https://h/%3Ftoken%3DS%26a%3D1&b=2",
         "/?q=https://h/%3Ftoken%3D[redacted]%26a%3D1&b=2"},
        {"/?q=%253Ftoken%253DS", "/?q=%253Ftoken%253D[redacted]"},
        {"/?token=S%26S&b=2", "/?token=[redacted]&b=2"},
        {"/?password=a;b", "/?password=[redacted]"},
        {"http://u:S@h/p", "http://[redacted]@h/p"},
        {"http://S@h/p", "http://[redacted]@h/p"},
        {"https%3A%2F%2Fu%3AS%40h", "https%3A%2F%2F[redacted]%40h"},
        {"http://u:S/S@h/p", "http://[redacted]@h/p"},
        {"u:S@a", "[redacted]@a"},
        {"S@a:443", "[redacted]@a:443"},
        {"host=db password = S user=x", "host=db password = [redacted] user=x"},
        {R"({"a":1,"password": "S S","b":2})", R"({"a":1,"password": [redacted],"b":2})"},
        {"GET /?token=S S HTTP/1.1", "GET /?token=[redacted] HTTP/1.1"},
        {"zzpassword=S", "zzpassword=[redacted]"},
    };
    for (const auto& [line, hidden] : rows) EXPECT_EQ(without_secrets(line), hidden);
    for (const char* plain : {"",
                              "/",
                              "/a?token=",
                              "/a?token= HTTP/1.1",
                              "http://127.0.0.1:3000",
                              "http://[::1]:3000/a",
                              "[::1]:3000",
                              "2001:db8::1",
                              "127.0.0.53:53",
                              "shop.example:8080",
                              "chunked, gzip",
                              "/@scope/package@1",
                              "mail bob@example.com",
                              "100%",
                              "%",
                              "=",
                              "a=b",
                              "//",
                              "@",
                              "12:30"}) {
        EXPECT_EQ(without_secrets(plain), plain);
    }
}

TEST(WithoutSecrets, hides_headers_as_log_lines_and_json_have_them) {
    const std::pair<const char*, const char*> rows[] = {
        {R"({"Authorization":["Bearer S"],"a":1})", R"({"Authorization":[redacted],"a":1})"},
        {R"({"headers":{"Cookie":["x=1; y=S"],"Host":["h"]}})",
         R"({"headers":{"Cookie":[redacted],"Host":["h"]}})"},
        {R"({"Cookie":["a]b=S","c=\"S"],"a":1})", R"({"Cookie":[redacted],"a":1})"},
        {R"({"log":"{\"Cookie\":[\"x=S]\"],\"a\":1}"})",
         R"({"log":"{\"Cookie\":[redacted],\"a\":1}"})"},
        {R"({"log":"{\"token\":\"S\",\"a\":1}"})", R"({"log":"{\"token\":[redacted],\"a\":1}"})"},
        {R"({"session":{"id":"S","b":[1]},"a":1})", R"({"session":[redacted],"a":1})"},
        {R"({"pin":1234,"a":1})", R"({"pin":[redacted],"a":1})"},
        {R"("Authorization":["Bearer S)", R"("Authorization":[redacted])"},
        {"Authorization: Bearer S.S.S rest", "Authorization: [redacted] rest"},
        {"Authorization: Basic S rest", "Authorization: [redacted] rest"},
        {"authorization: basic S", "authorization: [redacted]"},
        {"Authorization: S rest", "Authorization: [redacted] rest"},
        {"Authorization=Bearer S rest", "Authorization=[redacted] rest"},
        {"[Authorization] => Bearer S", "[Authorization] => [redacted]"},
        {"'password' => 'S S', 'a' => 1", "'password' => [redacted], 'a' => 1"},
        {"Authorization: Digest username=\"S\", response=\"S\"", "Authorization: [redacted]"},
        {"\"Authorization: Bearer S\" 200", "\"Authorization: [redacted]\" 200"},
        {"{ authorization: 'Bearer S', a: 1 }", "{ authorization: [redacted], a: 1 }"},
        {"X-Api-Key: S rest", "X-Api-Key: [redacted] rest"},
        {"X-Auth-Key: S", "X-Auth-Key: [redacted]"},
        {"got X-Api-Key:S rest", "got X-Api-Key:[redacted] rest"},
        {"Cookie: a=S; c=S", "Cookie: [redacted]"},
        {"Cookie: a=S; c=S rest", "Cookie: [redacted] rest"},
        {"got Cookie: a=S; c=S, host: \"h\"", "got Cookie: [redacted], host: \"h\""},
        {"passwd: S rest", "passwd: [redacted] rest"},
        {"Nov 28 web1 node[1]: token: S, user: bob",
         "Nov 28 web1 node[1]: token: [redacted], user: bob"},
        {R"({"url":"/gone?token=S","status":200,"code":"ECONNRESET"})",
         R"({"url":"/gone?token=[redacted]","status":200,"code":"ECONNRESET"})"},
        {R"({"log":"{\"url\":\"/gone?token=S\",\"status\":200}\n"})",
         R"({"log":"{\"url\":\"/gone?token=[redacted]\",\"status\":200}\n"})"},
        {"{ url: '/x?token=S', status: 200 }", "{ url: '/x?token=[redacted]', status: 200 }"},
        {"token=S, user=bob", "token=[redacted], user=bob"},
        {"token=S,user=bob", "token=[redacted],user=bob"},
        {"token=S,S==", "token=[redacted]"},
        {"GET /x?code=S&state=1 HTTP/1.1", "GET /x?code=[redacted]&state=1 HTTP/1.1"},
        {"/cb#code=S", "/cb#code=[redacted]"},
        {"code=S&grant_type=authorization_code", "code=[redacted]&grant_type=authorization_code"},
        {"192.0.2.1 - - [1] \"GET /?token=S HTTP/1.1\" 200 5 \"https://h/?sid=S\" \"UA\"",
         "192.0.2.1 - - [1] \"GET /?token=[redacted] HTTP/1.1\" 200 5 "
         "\"https://h/?sid=[redacted]\" \"UA\""},
    };
    for (const auto& [line, hidden] : rows) {
        EXPECT_EQ(without_secrets(line), hidden);
        EXPECT_EQ(without_secrets(hidden), hidden) << "once hidden, it stays as it is";
    }
}

TEST(WithoutSecrets, keeps_what_says_why_it_failed) {
    for (const char* line :
         {"x.service: Main process exited, code=killed, status=9/KILL",
          "app exit code=1 status_code=502 err", R"({"statusCode":200},"next":1)",
          R"({"code":"ECONNRESET","errno":-104,"syscall":"read"})",
          R"("errorCode":"E1","msg":"hello world")", "Error code: ECONNRESET",
          "/x?errorCode=E1&status_code=502",
          "Access denied for user 'root'@'localhost' (using password: YES)",
          "FATAL:  password authentication failed for user \"bob\"", "session closed",
          "token expired", "Session::start(): failed",
          "upstream: \"http://127.0.0.1:3000/a\", host: \"shop.example:8080\"", "auth: failed",
          "key: 5", "[28-Nov-2026 18:13:27 UTC] PHP Fatal error:  Uncaught Error: x in /a.php:1",
          "2026-11-28T18:13:36: Error: boom"}) {
        EXPECT_EQ(without_secrets(line), line);
    }
}

struct SampleRow {
    std::string message;
    size_t error;
    size_t line_start;
    std::string stays;  // visible, as it is
};

std::vector<SampleRow> sample_rows() {
    const std::string& s = kSecret;
    const std::string far(300, 'a');
    const auto at = [](std::string message, std::string_view error, std::string stays = "",
                       std::string_view line = "") {
        const size_t offset = message.find(error);
        const size_t start = line.empty() ? 0 : message.find(line);
        return SampleRow{std::move(message), offset, start, std::move(stays)};
    };
    const std::string nul(1, '\0');
    return {
        at("Set-Cookie sid=" + s + "\r\nServer: x\r\n", "\r", "Set-Cookie<"),
        at("Authorization Bearer " + s + "\r\nServer: x\r\n", "\r", "Server: x"),
        at("Authorization Bearer a:" + s + "\r\n", "\r", "Authorization<"),
        at("Set-Cookie : sid=" + s + "\r\n", " ", "Set-Cookie :<"),
        at("Set-Cookie\x01: sid=" + s + "\r\n", "\x01", "Set-Cookie\x01:<"),
        at("Cookie\xff: " + s + "\r\n", "\xff", "Cookie\xff:<"),
        at("Two Cookie: " + s + "\r\n", " ", "Two Cookie:<"),
        at("Authorization: a\r\n " + s + "\r\nServer: x\r\n", " " + s, "Server: x", " " + s),
        at("Cookie:\r\n a\r\n " + s + "\r\nServer: x\r\n", " a", "Server: x", " a"),
        at("X: \x01\r\nCookie:\r\n " + s + "\r\n", "\x01", "X: \x01"),
        at("X: \x01\r\nCookie: a\r" + s + "\r\n", "\x01", "X: \x01"),
        at("X: a\rCookie: " + s + "\r\n", "\r", "X: a\rCookie:<"),
        at("Referer: http://h/?token=a\r\n " + s + "\r\n", " " + s, "", " " + s),
        at("X-Auth-Key: " + s + nul + "\r\n", nul, "X-Auth-Key:<"),
        at("X-Forwarded-Authorization: " + s + nul + "\r\n", nul),
        at("apikey: " + s + nul + "\r\n", nul),
        at("X-Signature: " + s + nul + "\r\n", nul),
        at("Location: /?" + far + "&token=" + s + "\x01&b=1\r\n", "\x01", "a&token="),
        at("Location: /?token=" + far + s + "\x01" + s + "\r\nServer: x\r\n", "\x01", "Server: x"),
        at("GET /?" + far + "&token=" + s + "\x01 HTTP/1.1\r\n", "\x01", "a&token="),
        at("GET /?token=" + far + s + "\x01 HTTP/1.1\r\n", "\x01"),
        at("GET /?token=a " + s + " HTTP/1.1\r\n", s, " HTTP/1.1"),
        at("X-" + far + "-Token: " + s + "\x01\r\n", "\x01"),
        at("Cookie: " + far + s + "\x01\r\n", "\x01"),
        at("http://u:" + s + "@h/\x01", "\x01", "@h/\x01"),
        at("Referer: http://u:" + s + "@h/\x01\r\n", "\x01", "@h/\x01"),
        at("Referer: http://u:" + s + "\x01" + far + "@h/\r\n", "\x01"),
        at("Referer: http://u:" + far + s + "\x01@h/\r\n", "\x01"),
        at("Host: u:" + s + "@a\r\n", s, "@a"),
        at("Host: u:" + s + far + "@a\r\n", s, "Host: "),
        at("CONNECT u:" + s + far + "@a HTTP/1.1\r\n", s, "CONNECT "),
        at("GET /x;jsessionid=" + s + "\x01 HTTP/1.1\r\n", "\x01", "/x;jsessionid="),
        at("GET /?q=https://h/%3Ftoken%3D" + s + "\x01 HTTP/1.1\r\n", "\x01", "%3Ftoken%3D"),
        at("hello password=" + s + "\nbye\n", "h", "hello password=*******\nbye\n"),
        at("zzpassword=" + s + "\r\n", "z", "zzpassword=*******\r\n"),
        at("{\"user\":\"x\",\"password\":\"" + s + "\"}", "{", "{\"user\":\"x\",\"password\":"),
    };
}

TEST(Redact, hides_each_secret_wherever_it_stands_in_a_sample) {
    for (const SampleRow& row : sample_rows()) {
        ASSERT_NE(row.error, std::string::npos);
        const Sample original = cut_sample(row.message, row.error, row.line_start);
        const Sample shown = redact(original);
        EXPECT_NE(original.bytes.find(kSecret), std::string::npos) << caret_lines(original);
        EXPECT_EQ(shown.bytes.find(kSecret), std::string::npos) << caret_lines(shown);
        EXPECT_NE(shown.bytes.find(row.stays), std::string::npos) << caret_lines(shown);
        // The caret points at the byte, at what hides it, or one past the end.
        const size_t caret = shown.error_offset - shown.first_offset;
        ASSERT_LE(caret, shown.bytes.size());
        const char there = caret < shown.bytes.size() ? shown.bytes[caret] : '\0';
        const bool right = there == row.message[row.error] || there == '<' || there == '*';
        EXPECT_TRUE(right) << caret_lines(shown);
    }
}

TEST(Redact, leaves_what_is_no_secret_as_it_is) {
    const std::string far(100, 'a');
    for (const std::string& message :
         {"Server: x\x01\r\nETag: \"5\"\r\n"s,
          "X-Trace: a\x01"
          "b\r\n"s,
          "X-Trace: " + far + "\x01\r\n", "GET /a?b=c\x01 HTTP/1.1\r\nHost: shop.example:8080\r\n"s,
          "GET /" + far + "\x01\r\n", "Location: https://h.example:8443/a?b=c\x01\r\n"s,
          "\x01<html>\n<body class=\"a\">"s, "Date: Tue, 24 Nov 2026 13:38:07 GMT\x01\r\n"s,
          "X: a\r\n \x01"
          "b\r\n"s}) {
        const Sample sample = cut_sample(message, message.find('\x01'), 0);
        EXPECT_EQ(redact(sample), sample) << caret_lines(redact(sample));
    }
}

TEST(Redact, takes_time_in_proportion_to_the_text) {
    for (const char* part : {"token=", "//u:p", "=", ";a", "%25", "\"password\":\"", "@:", "\r "}) {
        std::string text;
        while (text.size() < 100'000) text += part;
        (void)secret_spans(text);
        (void)redact(cut_sample(text, text.size(), 0));
    }
}

}  // namespace
}  // namespace edgecase::base
