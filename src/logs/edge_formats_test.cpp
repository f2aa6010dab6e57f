#include "logs/edge_formats.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "logs/padded_line_for_tests.hpp"

namespace edgecase::logs {
namespace {

constexpr LogTime kTen = 1'793'527'200'000'000;  // 2026-11-01T10:00:00Z

/// A reader and the line its entry points into.
class Reading {
  public:
    explicit Reading(EdgeFormat format) : reader_(edge_reader(format)) {}

    Parsed operator()(std::string_view line) {
        line_ = PaddedLine(line);
        return reader_->read(line_, entry);
    }

    EdgeEntryView entry;

  private:
    std::unique_ptr<EdgeReader> reader_;
    PaddedLine line_{""};
};

EdgeFormat recognised(const std::vector<std::string>& texts) {
    std::vector<PaddedLine> padded(texts.begin(), texts.end());
    return recognise_edge(std::vector<std::string_view>(padded.begin(), padded.end()));
}

TEST(LogpushNdjson, takes_every_field_of_a_record) {
    Reading read(EdgeFormat::logpush_ndjson);
    ASSERT_EQ(
        read(R"({"RayID":"8f0c1e2d3b4a5968","ParentRayID":"00","EdgeStartTimestamp":)"
             R"("2026-11-01T10:00:00Z","EdgeEndTimestamp":"2026-11-01T10:00:01Z",)"
             R"("ClientRequestMethod":"POST","ClientRequestScheme":"https",)"
             R"("ClientRequestHost":"shop.example","ClientRequestPath":"/cart",)"
             R"("ClientRequestURI":"/cart?a=1","ClientRequestUserAgent":"curl/8",)"
             R"("ClientRequestReferer":"https://shop.example/","ClientIP":"192.0.2.7",)"
             R"("EdgeServerIP":"172.68.1.1","OriginIP":"198.51.100.3","EdgeColoCode":"FRA",)"
             R"("ClientRequestProtocol":"HTTP/2","CacheCacheStatus":"dynamic",)"
             R"("ClientRequestSource":"edgeWorkerFetch","EdgeResponseStatus":520,)"
             R"("OriginResponseStatus":0,"EdgeResponseBytes":7000,"EdgeResponseBodyBytes":6500,)"
             R"("ClientRequestBytes":900,"OriginDNSResponseTimeMs":1,)"
             R"("OriginTCPHandshakeDurationMs":2,"OriginTLSHandshakeDurationMs":3,)"
             R"("OriginResponseHeaderReceiveDurationMs":4,"OriginResponseDurationMs":5,)"
             R"("EdgeTimeToFirstByteMs":6,"OriginFailureCause":"resp.empty_fin"})"),
        Parsed::entry);
    EXPECT_EQ(read.entry.ray, 0x8f0c1e2d3b4a5968u);
    EXPECT_EQ(read.entry.parent, 0u);
    EXPECT_EQ(read.entry.start, kTen);
    EXPECT_EQ(read.entry.end, kTen + 1'000'000);
    EXPECT_EQ(read.entry.resolution_us, 1'000'000);
    EXPECT_EQ(read.entry.method, "POST");
    EXPECT_EQ(read.entry.scheme, "https");
    EXPECT_EQ(read.entry.host, "shop.example");
    EXPECT_EQ(read.entry.uri, "/cart?a=1");
    EXPECT_EQ(read.entry.user_agent, "curl/8");
    EXPECT_EQ(read.entry.referer, "https://shop.example/");
    EXPECT_EQ(read.entry.client, "192.0.2.7");
    EXPECT_EQ(read.entry.edge_address, "172.68.1.1");
    EXPECT_EQ(read.entry.origin, "198.51.100.3");
    EXPECT_EQ(read.entry.colo, "FRA");
    EXPECT_EQ(read.entry.protocol, "HTTP/2");
    EXPECT_EQ(read.entry.cache_status, "dynamic");
    EXPECT_EQ(read.entry.request_source, 5);
    EXPECT_EQ(read.entry.edge_status, 520);
    EXPECT_EQ(read.entry.origin_status, 0);
    EXPECT_EQ(read.entry.response_bytes, 7000);
    EXPECT_EQ(read.entry.response_body_bytes, 6500);
    EXPECT_EQ(read.entry.request_bytes, 900);
    EXPECT_EQ(read.entry.dns_ms, 1);
    EXPECT_EQ(read.entry.connect_ms, 2);
    EXPECT_EQ(read.entry.tls_ms, 3);
    EXPECT_EQ(read.entry.header_wait_ms, 4);
    EXPECT_EQ(read.entry.origin_ms, 5);
    EXPECT_EQ(read.entry.first_byte_ms, 6);
    EXPECT_EQ(read.entry.cause, "resp.empty_fin");
}

TEST(LogpushNdjson, takes_times_in_every_timestamp_format) {
    struct Case {
        std::string_view value;
        int64_t resolution_us;
        LogTime time;
    };
    for (const Case& each : {Case{"1793527200", 1'000'000, kTen},
                             {"1793527200123", 1000, kTen + 123'000},
                             {"1793527200123456", 1, kTen + 123'456},
                             {"1793527200123456789", 1, kTen + 123'456},
                             {"\"1793527200\"", 1'000'000, kTen},
                             {"\"2026-11-01T10:00:00Z\"", 1'000'000, kTen},
                             {"\"2026-11-01T10:00:00.123Z\"", 1000, kTen + 123'000},
                             {"\"2026-11-01T10:00:00.123456789Z\"", 1, kTen + 123'456},
                             {"\"2026-11-01T11:00:00.5+01:00\"", 100'000, kTen + 500'000}}) {
        Reading read(EdgeFormat::logpush_ndjson);
        ASSERT_EQ(read(R"({"RayID":"8f0c1e2d3b4a5968","EdgeStartTimestamp":)" +
                       std::string(each.value) + "}"),
                  Parsed::entry);
        EXPECT_EQ(read.entry.start, each.time) << each.value;
        EXPECT_EQ(read.entry.resolution_us, each.resolution_us) << each.value;
        EXPECT_EQ(read.entry.end, kNoTime);
    }
}

TEST(LogpushNdjson, the_coarser_time_gives_the_resolution) {
    Reading read(EdgeFormat::logpush_ndjson);
    ASSERT_EQ(read(R"({"EdgeEndTimestamp":1793527200,"EdgeStartTimestamp":1793527200123456789})"),
              Parsed::entry);
    EXPECT_EQ(read.entry.resolution_us, 1'000'000);
}

TEST(LogpushNdjson, a_source_is_a_word_or_a_number) {
    const auto source = [](std::string_view value) {
        Reading read(EdgeFormat::logpush_ndjson);
        const std::string line =
            R"({"RayID":"8f0c1e2d3b4a5968","ClientRequestSource":)" + std::string(value) + "}";
        EXPECT_EQ(read(line), Parsed::entry);
        return read.entry.request_source;
    };
    EXPECT_EQ(source("\"eyeball\""), 1);
    EXPECT_EQ(source("\"inBrowserChallenge\""), 12);
    EXPECT_EQ(source("6"), 6);
    EXPECT_EQ(source("\"11\""), 11);
    EXPECT_EQ(source("99"), 99);
    EXPECT_EQ(source("\"somethingNew\""), 0);
    EXPECT_EQ(source("null"), 1);
    EXPECT_EQ(source("\"\""), 1);
}

TEST(LogpushNdjson, the_uri_is_preferred_to_the_path_in_any_order) {
    Reading read(EdgeFormat::logpush_ndjson);
    ASSERT_EQ(read(R"({"ClientRequestURI":"/a?b","ClientRequestPath":"/a"})"), Parsed::entry);
    EXPECT_EQ(read.entry.uri, "/a?b");
    ASSERT_EQ(read(R"({"ClientRequestPath":"/a","ClientRequestURI":"/a?b"})"), Parsed::entry);
    EXPECT_EQ(read.entry.uri, "/a?b");
    ASSERT_EQ(read(R"({"ClientRequestPath":"/a","ClientRequestURI":""})"), Parsed::entry);
    EXPECT_EQ(read.entry.uri, "/a");
}

TEST(LogpushNdjson, values_with_escapes_are_unescaped) {
    Reading read(EdgeFormat::logpush_ndjson);
    ASSERT_EQ(read(R"({"RayID":"8f0c1e2d3b4a5968","ClientRequestUserAgent":"a \"b\" é",)"
                   R"("ClientRequestReferer":"\/x"})"),
              Parsed::entry);
    EXPECT_EQ(read.entry.user_agent, "a \"b\" \xC3\xA9");
    EXPECT_EQ(read.entry.referer, "/x");
}

TEST(LogpushNdjson, other_fields_of_any_kind_are_passed_over) {
    Reading read(EdgeFormat::logpush_ndjson);
    ASSERT_EQ(
        read(R"({"Cookies":{"RayID":"x","a":[1,{"b":2}]},"BotTags":["a"],"WorkerSubrequest":)"
             R"(true, "EdgeResponseStatus" : 524 ,"x":null,"ParentRayID":"1f0c1e2d3b4a5968"})"),
        Parsed::entry);
    EXPECT_EQ(read.entry.edge_status, 524);
    EXPECT_EQ(read.entry.ray, 0u);
    EXPECT_EQ(read.entry.parent, 0x1f0c1e2d3b4a5968u);
}

TEST(LogpushNdjson, values_of_a_wrong_kind_are_as_if_they_were_not_there) {
    Reading read(EdgeFormat::logpush_ndjson);
    ASSERT_EQ(read(R"({"RayID":17,"EdgeResponseStatus":"none","OriginResponseStatus":-1,)"
                   R"("EdgeResponseBytes":99999999999999999999,"EdgeStartTimestamp":"soon",)"
                   R"("OriginTCPHandshakeDurationMs":null,"OriginTLSHandshakeDurationMs":12.7,)"
                   R"("ClientRequestHost":["a"]})"),
              Parsed::entry);
    EXPECT_EQ(read.entry.ray, 0u);
    EXPECT_EQ(read.entry.edge_status, 0);
    EXPECT_EQ(read.entry.origin_status, 0);
    EXPECT_EQ(read.entry.response_bytes, -1);
    EXPECT_EQ(read.entry.start, kNoTime);
    EXPECT_EQ(read.entry.connect_ms, -1);
    EXPECT_EQ(read.entry.tls_ms, 12);
    EXPECT_EQ(read.entry.host, "");
}

TEST(LogpushNdjson, nothing_of_a_line_stays_for_the_next) {
    Reading read(EdgeFormat::logpush_ndjson);
    ASSERT_EQ(read(R"({"RayID":"8f0c1e2d3b4a5968","EdgeResponseStatus":520})"), Parsed::entry);
    ASSERT_EQ(read(R"({"RayID":"8f0c1e2d3b4a5969"})"), Parsed::entry);
    EXPECT_EQ(read.entry.edge_status, 0);
}

TEST(LogpushNdjson, what_is_no_record_fails) {
    Reading read(EdgeFormat::logpush_ndjson);
    for (const std::string_view line :
         {"{", "}", "{}", "[]", "null", "x", R"({"a":1})", R"({"EdgeResponseStatus":200})",
          R"({"RayID":"8f0c1e2d3b4a5968")", R"({"RayID":"8f0c1e2d3b4a5968)",
          R"({"RayID":"8f0c1e2d3b4a5968"} x)", R"({"RayID" "8f0c1e2d3b4a5968"})",
          R"({"RayID":"8f0c1e2d3b4a5968",,"a":1})", "{\"RayID\":\"\xFF\"}", R"({"RayID":"\q"})"}) {
        EXPECT_EQ(read(line), Parsed::failed) << line;
    }
    EXPECT_EQ(read(""), Parsed::nothing);
    EXPECT_EQ(read("  "), Parsed::nothing);
    EXPECT_EQ(read(R"({"RayID":"8f0c1e2d3b4a5968"})"), Parsed::entry);
}

TEST(LogpushNdjson, deep_nesting_and_a_byte_order_mark_do_no_harm) {
    Reading read(EdgeFormat::logpush_ndjson);
    const std::string deep = std::string(100'000, '[');
    EXPECT_EQ(read(R"({"x":)" + deep + R"(,"RayID":"8f0c1e2d3b4a5968"})"), Parsed::failed);
    EXPECT_EQ(read("\xEF\xBB\xBF{\"RayID\":\"8f0c1e2d3b4a5968\"}"), Parsed::entry);
}

TEST(LogpushCsv, the_heading_says_what_the_columns_are) {
    Reading read(EdgeFormat::logpush_csv);
    EXPECT_EQ(read("RayID,BotScore,EdgeResponseStatus,ClientRequestUserAgent,OriginIP"),
              Parsed::nothing);
    ASSERT_EQ(read(R"(8f0c1e2d3b4a5968,3,520,"a ""b"", c",)"), Parsed::entry);
    EXPECT_EQ(read.entry.ray, 0x8f0c1e2d3b4a5968u);
    EXPECT_EQ(read.entry.edge_status, 520);
    EXPECT_EQ(read.entry.user_agent, R"(a "b", c)");
    EXPECT_EQ(read.entry.origin, "");
    ASSERT_EQ(read(R"("8f0c1e2d3b4a5969","",524,"""",198.51.100.3)"), Parsed::entry);
    EXPECT_EQ(read.entry.ray, 0x8f0c1e2d3b4a5969u);
    EXPECT_EQ(read.entry.user_agent, "\"");
    EXPECT_EQ(read.entry.origin, "198.51.100.3");
}

TEST(LogpushCsv, every_unquoted_value_stays_valid_for_its_line) {
    Reading read(EdgeFormat::logpush_csv);
    EXPECT_EQ(read("RayID,ClientRequestUserAgent,ClientRequestReferer,ClientRequestURI"),
              Parsed::nothing);
    const std::string quotes(2000, '"');
    ASSERT_EQ(read("8f0c1e2d3b4a5968,\"" + quotes + "\",\"" + quotes + "\",\"" + quotes + "\""),
              Parsed::entry);
    EXPECT_EQ(read.entry.user_agent, std::string(1000, '"'));
    EXPECT_EQ(read.entry.referer, std::string(1000, '"'));
    EXPECT_EQ(read.entry.uri, std::string(1000, '"'));
}

TEST(LogpushCsv, another_heading_takes_the_place_of_the_first) {
    Reading read(EdgeFormat::logpush_csv);
    EXPECT_EQ(read("RayID,EdgeResponseStatus"), Parsed::nothing);
    EXPECT_EQ(read("RayID,EdgeResponseStatus"), Parsed::nothing);
    EXPECT_EQ(read("8f0c1e2d3b4a5968,520"), Parsed::entry);
    EXPECT_EQ(read("EdgeResponseStatus,RayID"), Parsed::nothing);
    ASSERT_EQ(read("524,8f0c1e2d3b4a5968"), Parsed::entry);
    EXPECT_EQ(read.entry.edge_status, 524);
}

TEST(LogpushCsv, a_request_that_names_fields_is_not_taken_for_a_heading) {
    Reading read(EdgeFormat::logpush_csv);
    EXPECT_EQ(read("RayID,EdgeResponseStatus,ClientRequestUserAgent,ClientRequestReferer"),
              Parsed::nothing);
    ASSERT_EQ(read("8f0c1e2d3b4a5968,520,RayID,EdgeResponseStatus"), Parsed::entry);
    EXPECT_EQ(read.entry.user_agent, "RayID");
    EXPECT_EQ(read("8f0c1e2d3b4a5968,520,curl,"), Parsed::entry);
}

TEST(LogpushCsv, lines_without_a_heading_fail) {
    Reading read(EdgeFormat::logpush_csv);
    EXPECT_EQ(read("8f0c1e2d3b4a5968,520"), Parsed::failed);
    EXPECT_EQ(read(""), Parsed::nothing);
    EXPECT_EQ(read(","), Parsed::failed);
}

TEST(LogpushCsv, rows_that_do_not_fit_the_heading_fail) {
    Reading read(EdgeFormat::logpush_csv);
    EXPECT_EQ(read("RayID,EdgeResponseStatus,ClientIP"), Parsed::nothing);
    for (const std::string_view line :
         {"8f0c1e2d3b4a5968,520", "8f0c1e2d3b4a5968,520,192.0.2.1,x", ",,", "\"8f0c,520,192.0.2.1",
          "\"8f0c1e2d3b4a5968\"x,520,192.0.2.1", "\""}) {
        EXPECT_EQ(read(line), Parsed::failed) << line;
    }
    EXPECT_EQ(read("8f0c1e2d3b4a5968,520,192.0.2.1"), Parsed::entry);
}

TEST(RecogniseEdge, knows_ndjson_and_csv_by_their_names) {
    EXPECT_EQ(recognised({R"({"RayID":"8f0c1e2d3b4a5968"})"}), EdgeFormat::logpush_ndjson);
    EXPECT_EQ(recognised({"", R"({"EdgeResponseStatus":200,"ClientIP":"192.0.2.1"})", "x"}),
              EdgeFormat::logpush_ndjson);
    EXPECT_EQ(recognised({"ClientIP,EdgeResponseStatus", "192.0.2.1,200"}),
              EdgeFormat::logpush_csv);
    EXPECT_EQ(recognised({"RayID", "8f0c1e2d3b4a5968"}), EdgeFormat::logpush_csv);
}

TEST(RecogniseEdge, takes_nothing_else_for_logpush) {
    EXPECT_EQ(recognised({}), EdgeFormat::unknown);
    EXPECT_EQ(recognised({""}), EdgeFormat::unknown);
    EXPECT_EQ(recognised({R"({"time":"x","status":200})"}), EdgeFormat::unknown);
    EXPECT_EQ(recognised({R"(192.0.2.1 - - [01/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1)"}),
              EdgeFormat::unknown);
    EXPECT_EQ(edge_reader(EdgeFormat::unknown), nullptr);
}

}  // namespace
}  // namespace edgecase::logs
