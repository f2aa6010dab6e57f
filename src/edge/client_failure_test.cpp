#include "edge/client_failure.hpp"

#include <gtest/gtest.h>

#include <string>

#include "h1/request_head.hpp"

namespace edgecase::edge {
namespace {

std::string_view cause_for(const std::string& bytes) {
    h1::RequestHeadParser parser;
    parser.reset({});
    if (parser.parse(bytes) != h1::Progress::failed) return "not failed";
    return bad_request_head(parser.error()).row().name;
}

TEST(ClientFailure, each_broken_rule_has_its_own_cause) {
    const std::string start = "GET / HTTP/1.1\r\n";
    EXPECT_EQ(cause_for(start + "\r\n"), "client.missing_host");
    EXPECT_EQ(cause_for(start + "Host: a\r\nHost: b\r\n\r\n"), "client.duplicate_host");
    EXPECT_EQ(cause_for(start + "Host : a\r\n\r\n"), "client.bad_header_name.space");
    EXPECT_EQ(cause_for("GET / HTTP/2.7\r\n"), "client.bad_version");
    EXPECT_EQ(cause_for("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n"),
              "client.cl_and_te");
    EXPECT_EQ(cause_for("GET / HTTP/1.1\nHost: a\n\n"), "client.bare_lf");
}

TEST(ClientFailure, a_request_whose_client_left_is_the_clients_and_never_a_52x) {
    const auto failure = client_left(ClientPhase::waiting, nullptr, 0, 0);
    EXPECT_EQ(failure.cause(), cause::Cause::client_abort);
    EXPECT_EQ(failure.row().status, 499);
}

}  // namespace
}  // namespace edgecase::edge
