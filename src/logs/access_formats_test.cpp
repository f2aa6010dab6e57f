#include "logs/access_formats.hpp"

#include <gtest/gtest.h>

#include "logs/log_time.hpp"
#include "logs/padded_line_for_tests.hpp"

namespace edgecase::logs {
namespace {

/// One line read by a format, both ways.
struct Reading {
    explicit Reading(const AccessFormatPtr& format) : reader(format->reader()) {}
    Parsed read(std::string_view line) {
        bytes.assign(line);
        bytes.append(kLinePadding, '"');
        const std::string_view padded(bytes.data(), line.size());
        entry = quick = {};
        const Parsed quickly = reader->read_time_and_ray(padded, quick);
        const Parsed parsed = reader->read(padded, entry);
        if (parsed == Parsed::entry) {
            EXPECT_EQ(quickly, Parsed::entry);
            EXPECT_EQ(quick.time, entry.time);
            EXPECT_EQ(quick.ray, entry.ray);
        }
        return parsed;
    }
    std::string bytes;
    std::unique_ptr<AccessReader> reader;
    EntryView entry;
    EntryView quick;
};

AccessFormatPtr must(std::string_view text) {
    auto format = access_format(text);
    EXPECT_TRUE(format) << text << ": " << (format ? "" : format.error());
    return format ? *format : nullptr;
}

std::string recognised(std::string_view line) {
    std::string bytes(line);
    bytes.append(kLinePadding, '"');
    const std::string_view lines[] = {{bytes.data(), line.size()}};
    const AccessFormatPtr format = recognise_access(lines);
    return format ? std::string(format->name()) : "";
}

constexpr std::string_view kCombined =
    R"(203.0.113.45 - - [25/Apr/2026:14:22:01 +0200] "GET /api/data?x=1 HTTP/1.1" 200 0 "-" "curl \"8\"")";

TEST(AccessFormats, a_combined_line_says_what_it_says) {
    Reading reading(must("combined"));
    ASSERT_EQ(reading.read(kCombined), Parsed::entry);
    const EntryView& entry = reading.entry;
    EXPECT_EQ(entry.time, *iso_time("2026-04-25T12:22:01Z"));
    EXPECT_EQ(entry.method, "GET");
    EXPECT_EQ(entry.uri, "/api/data?x=1");
    EXPECT_EQ(entry.status, 200);
    EXPECT_EQ(entry.body_bytes, 0);
    EXPECT_EQ(entry.client, "203.0.113.45");
    EXPECT_EQ(entry.user_agent, R"(curl "8")");
    EXPECT_EQ(entry.referer, "");
    EXPECT_EQ(entry.moment, Moment::end);
    EXPECT_FALSE(reading.reader->may_have_ray());
}

TEST(AccessFormats, a_ray_is_found_at_the_end_and_elsewhere) {
    constexpr uint64_t kRay = 0x7a1b2c3d4e5f6789;
    const std::string line(kCombined);
    Reading plain(must("combined+"));
    ASSERT_EQ(plain.read(line + " 7a1b2c3d4e5f6789-FRA"), Parsed::entry);
    EXPECT_EQ(plain.entry.ray, kRay);
    ASSERT_EQ(plain.read(line + " \"7a1b2c3d4e5f6789-FRA\" 0.004"), Parsed::entry);
    EXPECT_EQ(plain.entry.ray, kRay);
    ASSERT_EQ(plain.read(line + " 0123456789abcdef 7a1b2c3d4e5f6789-FRA"), Parsed::entry);
    EXPECT_EQ(plain.entry.ray, kRay) << "one with its colo is more of a Ray ID";
    // What a visitor writes into its User-Agent is not the edge's word.
    ASSERT_EQ(plain.read(R"(192.0.2.1 - - [25/Apr/2026:14:22:01 +0200] "GET / HTTP/1.1" 200 0 )"
                         R"("-" "x 7a1b2c3d4e5f6789-FRA" -)"),
              Parsed::entry);
    EXPECT_EQ(plain.entry.ray, 0);
    Reading field(must("$remote_addr [$time_local] \"$http_user_agent\" \"$http_cf_ray\""));
    constexpr std::string_view kStart = "192.0.2.1 [25/Apr/2026:14:22:01 +0200] \"a b\" ";
    ASSERT_EQ(field.read(std::string(kStart) + "\"7a1b2c3d4e5f6789-FRA\""), Parsed::entry);
    EXPECT_EQ(field.entry.ray, kRay);
    ASSERT_EQ(field.read(std::string(kStart) + "\"7a1b2c3d4e5f6789\""), Parsed::entry);
    EXPECT_EQ(field.entry.ray, kRay);
    ASSERT_EQ(field.read(std::string(kStart) + "\"-\""), Parsed::entry);
    EXPECT_EQ(field.entry.ray, 0);
}

TEST(AccessFormats, what_is_no_request_line_is_an_entry_all_the_same) {
    Reading reading(must("combined"));
    ASSERT_EQ(
        reading.read(R"(1.2.3.4 - - [25/Apr/2026:14:22:01 +0000] "\x16\x03\x01" 400 150 "-" "-")"),
        Parsed::entry);
    EXPECT_EQ(reading.entry.method, "");
    EXPECT_EQ(reading.entry.status, 400);
    EXPECT_EQ(reading.read("nonsense"), Parsed::failed);
    EXPECT_EQ(reading.read(""), Parsed::nothing);
    EXPECT_EQ(
        reading.read(R"(1.2.3.4 - - [99/Apr/2026:14:22:01 +0000] "GET / HTTP/1.1" 200 1 "-" "-")"),
        Parsed::failed);
}

TEST(AccessFormats, a_log_format_of_nginx_is_taken_as_it_stands) {
    Reading reading(
        must("log_format edge '$remote_addr [$time_iso8601] \"$request\" $status '\n"
             "  'rt=$request_time us=\"$upstream_status\" ray=$http_cf_ray';"));
    ASSERT_EQ(
        reading.read(
            R"(10.0.0.1 [2026-11-01T10:00:00+00:00] "POST /x HTTP/2.0" 502 rt=0.250 us="502, 504" ray=7a1b2c3d4e5f6789-FRA)"),
        Parsed::entry);
    EXPECT_EQ(reading.entry.ray, 0x7a1b2c3d4e5f6789u);
    EXPECT_EQ(reading.entry.duration_us, 250'000);
    EXPECT_EQ(reading.entry.upstream_status, 504);
    EXPECT_TRUE(reading.reader->may_have_ray());
    ASSERT_EQ(
        reading.read(
            R"(10.0.0.1 [2026-11-01T10:00:00+00:00] "GET / HTTP/1.1" 200 rt=0.000 us="-" ray=-)"),
        Parsed::entry);
    EXPECT_EQ(reading.entry.ray, 0u);
}

TEST(AccessFormats, escapes_in_the_request_and_in_its_uri_do_not_share_a_room) {
    // The one that came first pointed into memory that the other had given up.
    Reading reading(must("$time_local \"$request\" $request_uri $status"));
    const std::string uri(40, 'a');
    ASSERT_EQ(reading.read("01/Nov/2026:10:00:01 +0000 \"GET /" + uri + "\\x22 HTTP/1.1\" /" + uri +
                           "\\x22 200"),
              Parsed::entry);
    EXPECT_EQ(reading.entry.method, "GET");
    EXPECT_EQ(reading.entry.uri, "/" + uri + "\"");
}

TEST(AccessFormats, a_log_format_of_apache_is_taken_as_it_stands) {
    Reading reading(must(R"(LogFormat "%h %l %u %t \"%r\" %>s %b %D \"%{CF-Ray}i\" %P %X" edge)"));
    ASSERT_EQ(
        reading.read(
            R"(10.0.0.1 - - [01/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 500 - 1234 "7a1b2c3d4e5f6789-FRA" 99 X)"),
        Parsed::entry);
    EXPECT_EQ(reading.entry.ray, 0x7a1b2c3d4e5f6789u);
    EXPECT_EQ(reading.entry.duration_us, 1234);
    EXPECT_EQ(reading.entry.body_bytes, 0);
    EXPECT_EQ(reading.entry.worker, 99);
    EXPECT_EQ(reading.entry.reason, "X");
    EXPECT_EQ(reading.entry.moment, Moment::start);
    Reading usec(must("%{usec}t %m %U%q %s"));
    ASSERT_EQ(usec.read("1793527200123456 GET /a?b=c 200"), Parsed::entry);
    EXPECT_EQ(usec.entry.time, 1793527200123456);
    EXPECT_EQ(usec.entry.uri, "/a?b=c");
}

TEST(AccessFormats, a_format_that_cannot_be_read_is_refused_with_the_reason) {
    for (const auto& [text, reason] : {std::pair{"$status $request", "no time"},
                                       {"$time_local$status", "between them"},
                                       {"${time_local", "not closed"},
                                       {"%{x", "not closed"},
                                       {"%s %r", "no time"},
                                       {"json:time", "NAME=KEY"},
                                       {"json:status=s", "time=KEY"},
                                       {"nosuch", "is none of"}}) {
        const auto format = access_format(text);
        ASSERT_FALSE(format) << text;
        EXPECT_NE(format.error().find(reason), std::string::npos) << format.error();
    }
}

TEST(AccessFormats, all_formats_of_a_configuration_are_found) {
    const auto nginx = formats_of_configuration(
        "http {\n # log_format old '$time_local';\n log_format  main escape=default '$time_local "
        "'\n"
        "   '\"$request\" $status';\n log_format j '$msec $status'; access_log /x main;\n}");
    ASSERT_TRUE(nginx);
    ASSERT_EQ(nginx->size(), 2u);
    EXPECT_EQ(nginx->front()->name(), "main");
    const auto apache = formats_of_configuration(
        "LogFormat \"%h %t \\\n \\\"%r\\\" %>s\" short\nCustomLog /x \"%t %s\"\nCustomLog /y "
        "short\n");
    ASSERT_TRUE(apache);
    EXPECT_EQ(apache->size(), 2u);
    EXPECT_FALSE(formats_of_configuration("server { listen 80; }"));
}

TEST(AccessFormats, formats_are_recognised_by_looking) {
    EXPECT_EQ(recognised(kCombined), "combined");
    EXPECT_EQ(recognised(std::string(kCombined) + " 0.012 7a1b2c3d4e5f6789-FRA"), "combined+");
    EXPECT_EQ(recognised(R"(1.2.3.4 - - [25/Apr/2026:14:22:01 +0000] "GET / HTTP/1.1" 200 12)"),
              "common");
    EXPECT_EQ(
        recognised(
            R"(a.test:443 1.2.3.4 - - [25/Apr/2026:14:22:01 +0000] "GET / HTTP/1.1" 200 12 "-" "x")"),
        "vhost_combined");
    EXPECT_EQ(
        recognised(
            R"({"level":"info","ts":1793527200.5,"logger":"http.log.access","request":{"remote_ip":"1.2.3.4","method":"GET","host":"a.test","uri":"/x","headers":{"Cf-Ray":["7a1b2c3d4e5f6789-FRA"],"User-Agent":["curl"]}},"duration":0.01,"size":12,"status":200})"),
        "caddy");
    EXPECT_EQ(
        recognised(
            R"({"ClientHost":"1.2.3.4","DownstreamContentSize":12,"DownstreamStatus":502,"Duration":1000000,"OriginStatus":502,"RequestHost":"a.test","RequestMethod":"GET","RequestPath":"/x","StartUTC":"2026-11-01T10:00:00.5Z","request_Cf-Ray":"7a1b2c3d4e5f6789"})"),
        "traefik-json");
    EXPECT_EQ(
        recognised(
            R"([2026-11-01T10:00:00.123Z] "GET /x HTTP/1.1" 503 UC upstream_reset_before_response_started{connection_termination} - "-" 0 95 3 - "-" "curl" "abc" "a.test" "10.0.0.1:80")"),
        "envoy");
    EXPECT_EQ(
        recognised(
            R"(Nov  1 10:00:00 lb haproxy[12]: 10.0.1.2:33317 [01/Nov/2026:10:00:00.655] http-in static/srv1 10/0/30/69/109 502 2750 - - SH-- 1/1/1/1/0 0/0 {7a1b2c3d4e5f6789-FRA} {} "GET /index.html HTTP/1.1")"),
        "haproxy");
    EXPECT_EQ(
        recognised(
            R"({"time":"2026-11-01T10:00:00Z","req":{"method":"GET","url":"/x"},"status":200,"cf_ray":"7a1b2c3d4e5f6789"})"),
        "json");
    EXPECT_EQ(recognised("what is this"), "");
}

TEST(AccessFormats, a_line_in_the_frame_of_a_container_or_a_journal_is_no_virtual_hosts) {
    const std::string line =
        "10.0.0.1 - - [01/Nov/2026:10:00:01 +0000] \"GET /x HTTP/1.1\" 200 5 \"-\" \"curl\"";
    std::string escaped;
    for (const char c : line) (c == '"' ? escaped += '\\' : escaped) += c;
    for (const std::string& framed_line :
         {R"({"log":")" + escaped + R"(\n","stream":"stdout","time":"2026-11-01T10:00:01Z"})",
          "2026-11-01T10:00:01.123456789Z stdout F " + line,
          "Nov  1 10:00:01 web1 nginx[123]: " + line,
          "2026-11-01T10:00:01+00:00 web1 nginx[123]: " + line}) {
        const PaddedLine padded(framed_line);
        const std::vector<std::string_view> lines{padded};
        const AccessFormatPtr format = recognise_access(lines);
        ASSERT_TRUE(format) << framed_line;
        Reading reading(format);
        ASSERT_EQ(reading.read(framed_line), Parsed::entry) << framed_line;
        EXPECT_EQ(reading.entry.client, "10.0.0.1") << format->name();
        EXPECT_EQ(reading.entry.uri, "/x");
        EXPECT_EQ(reading.entry.host, "");
    }
}

TEST(AccessFormats, a_request_that_the_client_gave_up_has_no_status_in_json) {
    Reading reading(must("caddy"));
    ASSERT_EQ(
        reading.read(R"({"ts":1793527200.5,"request":{"method":"GET","uri":"/x"},"status":0})"),
        Parsed::entry);
    EXPECT_EQ(reading.entry.uri, "/x");
    EXPECT_EQ(reading.read(R"({"ts":1793527200.5,"msg":"started"})"), Parsed::failed);
}

TEST(AccessFormats, a_time_without_a_zone_is_in_the_zone_that_was_given) {
    for (const auto& [name, line] :
         {std::pair("haproxy",
                    R"(10.0.0.1:5 [01/Nov/2026:10:00:01.000] f b/s 0/0/0/1/1 200 5 - - ---- )"
                    R"(1/1/1/1/0 0/0 "GET /x HTTP/1.1")"),
          std::pair("json", R"({"time":"2026-11-01T10:00:01","url":"/x","status":200})")}) {
        Reading plain(must(name));
        Reading zoned(must(name)->in_zone(3'600'000'000));
        ASSERT_EQ(plain.read(line), Parsed::entry);
        ASSERT_EQ(zoned.read(line), Parsed::entry);
        EXPECT_EQ(plain.entry.time - zoned.entry.time, 3'600'000'000);
    }
}

TEST(AccessFormats, haproxy_tells_its_state_and_a_captured_ray) {
    Reading reading(must("haproxy"));
    ASSERT_EQ(
        reading.read(
            R"(10.0.1.2:33317 [01/Nov/2026:10:00:00.655] http-in static/srv1 10/0/30/-1/109 -1 0 - - SH-- 1/1/1/1/0 0/0 {7a1b2c3d4e5f6789-FRA} "GET /index.html HTTP/1.1")"),
        Parsed::entry);
    EXPECT_EQ(reading.entry.reason, "SH--");
    EXPECT_EQ(reading.entry.ray, 0x7a1b2c3d4e5f6789u);
    EXPECT_EQ(reading.entry.status, 0);
    EXPECT_EQ(reading.entry.duration_us, 109'000);
}

TEST(AccessFormats, iis_goes_by_its_fields_line) {
    Reading reading(must("iis"));
    EXPECT_EQ(reading.read("2026-11-01 10:00:00 GET /x"), Parsed::failed);
    EXPECT_EQ(reading.read("#Fields: date time cs-method cs-uri-stem cs-uri-query sc-status "
                           "time-taken cs(User-Agent) cs(CF-Ray)"),
              Parsed::nothing);
    ASSERT_EQ(reading.read("2026-11-01 10:00:00 GET /x a=b 500 15 Mozilla/5.0+(X11) "
                           "7a1b2c3d4e5f6789-FRA"),
              Parsed::entry);
    EXPECT_EQ(reading.entry.uri, "/x?a=b");
    EXPECT_EQ(reading.entry.duration_us, 15'000);
    EXPECT_EQ(reading.entry.user_agent, "Mozilla/5.0 (X11)");
    EXPECT_EQ(reading.entry.ray, 0x7a1b2c3d4e5f6789u);
}

TEST(AccessFormats, json_goes_by_a_map) {
    Reading reading(must("json:time=t,ray=h.ray,status=s,uri=u,duration_ms=d"));
    ASSERT_EQ(
        reading.read(
            R"({"t":1793527200,"h":{"ray":"7a1b2c3d4e5f6789"},"s":"502","u":"/\u0061","d":1.5})"),
        Parsed::entry);
    EXPECT_EQ(reading.entry.uri, "/a");
    EXPECT_EQ(reading.entry.duration_us, 1500);
    EXPECT_EQ(reading.entry.ray, 0x7a1b2c3d4e5f6789u);
    for (const auto* broken :
         {"{", "[]", R"({"t":1})", R"({"t":"x","s":200})", "{\"t\":1,\"s\":2"}) {
        EXPECT_NE(reading.read(broken), Parsed::entry) << broken;
    }
}

TEST(LogTime, each_way_of_writing_it) {
    const LogTime time = 1793527200'000'000;
    EXPECT_EQ(clf_time("01/Nov/2026:11:00:00 +0100"), time);
    EXPECT_EQ(clf_zone("01/Nov/2026:11:00:00 +0100"), 3600'000'000);
    EXPECT_EQ(iso_time("2026-11-01T10:00:00.5Z"), time + 500'000);
    EXPECT_EQ(iso_time("2026-11-01 10:00:00,250"), time + 250'000);
    EXPECT_EQ(slash_time("2026/11/01 11:00:00", 3600'000'000), time);
    EXPECT_EQ(apache_error_time("Sun Nov 01 10:00:00.000001 2026"), time + 1);
    EXPECT_EQ(syslog_time("Nov  1 10:00:00", time + 1), time);
    EXPECT_EQ(syslog_time("Dec 31 23:59:59", *iso_time("2027-01-01T00:00:10Z")),
              *iso_time("2026-12-31T23:59:59Z"));
    EXPECT_EQ(dash_time("01-Nov-2026 10:00:00 UTC"), time);
    for (const auto* epoch : {"1793527200", "1793527200.0", "1793527200000", "1793527200000000",
                              "1793527200000000000"}) {
        EXPECT_EQ(epoch_time(epoch), time) << epoch;
    }
    for (const auto* wrong :
         {"", "1", "01/Nov/2026", "01/Nov/2026:25:00:00 +0000", "31/Foo/2026:10:00:00 +0000",
          "31/Nov/2026:10:00:00 +0000", "01/Nov/2026:10:00:00 +9900"}) {
        EXPECT_FALSE(clf_time(wrong)) << wrong;
    }
}

}  // namespace
}  // namespace edgecase::logs
