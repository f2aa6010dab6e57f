#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <string>

#include "errorpage/error_page.hpp"

namespace edgecase::errorpage {
namespace {

using cause::Cause;

TEST(ProxyStatus, names_the_edge_and_the_error_type) {
    EXPECT_EQ(proxy_status(cause::row(Cause::connect_refused), "LAB", 0, 0),
              "edgecase-LAB; error=connection_refused");
    EXPECT_EQ(proxy_status(cause::row(Cause::connect_refused), "", 0, 0),
              "edgecase; error=connection_refused");
}

TEST(ProxyStatus, carries_the_status_the_origin_sent_if_it_sent_one) {
    EXPECT_EQ(proxy_status(cause::row(Cause::body_short_rst), "LAB", 200, 0),
              "edgecase-LAB; error=" + std::string(cause::row(Cause::body_short_rst).proxy_error) +
                  "; received-status=200");
}

TEST(ProxyStatus, an_error_of_the_origins_own_has_no_error_type) {
    EXPECT_EQ(proxy_status(cause::row(Cause::none), "LAB", 503, 0),
              "edgecase-LAB; received-status=503");
}

TEST(ProxyStatus, tells_the_section_size_only_where_that_parameter_belongs) {
    EXPECT_EQ(proxy_status(cause::row(Cause::resp_headers_too_large), "LAB", 0, 40'960),
              "edgecase-LAB; error=http_response_header_section_size; header-section-size=40960");
    EXPECT_EQ(proxy_status(cause::row(Cause::resp_headers_too_large), "LAB", 0, 0),
              "edgecase-LAB; error=http_response_header_section_size");
    EXPECT_EQ(proxy_status(cause::row(Cause::connect_refused), "LAB", 0, 40'960),
              "edgecase-LAB; error=connection_refused");
}

TEST(ProxyStatus, a_request_error_repeats_the_status_line_the_client_gets) {
    EXPECT_EQ(proxy_status(cause::row(Cause::client_headers_too_large), "LAB", 0, 0),
              "edgecase-LAB; error=http_request_error; status-code=431; "
              "status-phrase=\"Request Header Fields Too Large\"");
}

TEST(ProxyStatus, quotes_a_name_that_is_no_token) {
    const cause::Row& row = cause::row(Cause::connect_refused);
    EXPECT_EQ(proxy_status(row, "rack 7", 0, 0), "\"edgecase-rack 7\"; error=connection_refused");
    EXPECT_EQ(proxy_status(row, "a\"b\\c", 0, 0),
              "\"edgecase-a\\\"b\\\\c\"; error=connection_refused");
    EXPECT_EQ(proxy_status(row, "x,y; error=dns_error", 0, 0),
              "\"edgecase-x,y; error=dns_error\"; error=connection_refused");
    EXPECT_EQ(proxy_status(row, "a\r\nX: \xc3\xa9", 0, 0),
              "\"edgecase-a??X: ??\"; error=connection_refused");
    EXPECT_LT(proxy_status(row, std::string(10'000, 'A'), 0, 0).size(), 200u);
}

TEST(ProxyStatus, every_row_gives_a_structured_field_without_details_or_cause) {
    const std::regex item(
        R"(edgecase-LAB(; [a-z][a-z-]*=([a-z][a-z_]*|[0-9]{1,15}|"[ !#-\[\]-~]*"))*)");
    for (const cause::Row& row : cause::table()) {
        const std::string member = proxy_status(row, "LAB", 200, 33'000);
        EXPECT_TRUE(std::regex_match(member, item)) << member;
        EXPECT_FALSE(member.contains("details")) << member;
        if (row.name.contains('.')) EXPECT_FALSE(member.contains(row.name)) << member;
    }
}

}  // namespace
}  // namespace edgecase::errorpage
