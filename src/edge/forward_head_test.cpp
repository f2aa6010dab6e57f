#include "edge/forward_head.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace edgecase::edge {
namespace {

struct Request {
    std::vector<http::FieldView> fields;
    http::RequestHeadView head;
    void add(std::string_view name, std::string_view value) {
        fields.push_back({name, value, http::classify(name)});
        head.fields = fields;
    }
};

const RequestAdditions kAdditions{"0123456789abcdef-LAB", "192.0.2.7", "http",
                                  "edgecase; id=abc",     "app.test",  ""};

std::string written(Request& request, const RequestAdditions& additions = kAdditions) {
    request.head.method = "GET";
    request.head.path = "/x";
    base::ByteBuffer out;
    write_request_head(out, request.head, additions);
    return std::string(out.view());
}

TEST(ForwardHead, a_clients_own_words_about_itself_are_replaced) {
    Request request;
    request.add("Host", "evil.test");
    request.add("CF-Connecting-IP", "10.0.0.1");
    request.add("X-Forwarded-Proto", "https");
    request.add("X-Forwarded-For", "203.0.113.1");
    const std::string head = written(request);
    EXPECT_TRUE(head.starts_with("GET /x HTTP/1.1\r\nHost: app.test\r\n"));
    EXPECT_NE(head.find("CF-Connecting-IP: 192.0.2.7\r\n"), std::string::npos);
    EXPECT_EQ(head.find("10.0.0.1"), std::string::npos);
    EXPECT_NE(head.find("X-Forwarded-For: 203.0.113.1, 192.0.2.7\r\n"), std::string::npos);
    EXPECT_NE(head.find("X-Forwarded-Proto: http\r\n"), std::string::npos);
    EXPECT_NE(head.find("CDN-Loop: edgecase; id=abc\r\n"), std::string::npos);
    EXPECT_TRUE(head.ends_with("Connection: Keep-Alive\r\n\r\n"));
}

TEST(ForwardHead, hop_by_hop_fields_and_those_connection_names_are_dropped) {
    Request request;
    request.add("Connection", "close, X-Hop");
    request.add("X-Hop", "1");
    request.add("Keep-Alive", "timeout=5");
    request.add("Proxy-Authorization", "Basic x");
    request.add("X-Kept", "2");
    const std::string head = written(request);
    EXPECT_EQ(head.find("X-Hop"), std::string::npos);
    EXPECT_EQ(head.find("timeout=5"), std::string::npos);
    EXPECT_EQ(head.find("Basic"), std::string::npos);
    EXPECT_NE(head.find("X-Kept: 2\r\n"), std::string::npos);
}

TEST(ForwardHead, the_trace_is_the_edges_and_its_state_goes_with_a_continued_one_only) {
    Request request;
    request.add("TraceParent", "00-aa-bb-01");
    request.add("Tracestate", "vendor=1");
    request.add("tracestate", "other=2");
    EXPECT_NE(written(request).find("TraceParent: 00-aa-bb-01\r\n"), std::string::npos) << "off";
    RequestAdditions additions = kAdditions;
    additions.traceparent = "00-cc-dd-01";
    std::string head = written(request, additions);
    EXPECT_EQ(head.find("00-aa"), std::string::npos);
    EXPECT_NE(head.find("traceparent: 00-cc-dd-01\r\n"), std::string::npos);
    EXPECT_NE(head.find("Tracestate: vendor=1\r\ntracestate: other=2\r\n"), std::string::npos);
    additions.drop_tracestate = true;
    head = written(request, additions);
    EXPECT_EQ(head.find("vendor=1"), std::string::npos);
    EXPECT_EQ(head.find("other=2"), std::string::npos);
}

TEST(ForwardHead, te_trailers_is_passed_on_and_other_codings_are_not) {
    Request request;
    request.add("TE", "gzip, trailers");
    const std::string head = written(request);
    EXPECT_NE(head.find("TE: trailers\r\nConnection: Keep-Alive, TE\r\n"), std::string::npos);
    EXPECT_EQ(head.find("gzip"), std::string::npos);
}

TEST(ForwardHead, an_upgrade_to_h2c_never_passes) {
    Request request;
    request.head.wants_upgrade = true;
    request.add("Upgrade", "h2c");
    EXPECT_EQ(forwardable_upgrade(request.head), "");
    Request websocket;
    websocket.head.wants_upgrade = true;
    websocket.add("Upgrade", "websocket");
    EXPECT_EQ(forwardable_upgrade(websocket.head), "websocket");
}

TEST(ForwardHead, loops_are_counted_over_all_lines) {
    Request request;
    request.add("CDN-Loop", "cloudflare, edgecase; id=abc");
    request.add("CDN-Loop", "edgecase; id=xyz");
    const LoopCount count = count_loop(request.head.fields, "edgecase; id=abc");
    EXPECT_EQ(count.own, 1u);
    EXPECT_EQ(count.all, 3u);
}

TEST(ForwardHead, a_response_keeps_content_length_only_where_it_describes_an_absent_body) {
    std::vector<http::FieldView> fields{{"Content-Length", "5", http::FieldName::content_length},
                                        {"Set-Cookie", "a=b", http::FieldName::set_cookie}};
    http::ResponseHeadView head;
    head.status = 200;
    head.reason_phrase = "OK";
    head.fields = fields;
    base::ByteBuffer to_head;
    write_response_head(to_head, head, {"r-LAB", http::Framing::empty(), false, false, ""});
    EXPECT_NE(to_head.view().find("Content-Length: 5"), std::string_view::npos);
    base::ByteBuffer chunked;
    write_response_head(chunked, head, {"r-LAB", http::Framing::chunked(), true, false, ""});
    EXPECT_EQ(chunked.view().find("Content-Length"), std::string_view::npos);
    EXPECT_NE(chunked.view().find("Connection: close\r\n\r\n"), std::string_view::npos);
}

}  // namespace
}  // namespace edgecase::edge
