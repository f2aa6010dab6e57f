#include <gtest/gtest.h>

#include <array>

#include "http/field_name.hpp"
#include "http/message.hpp"
#include "http/url.hpp"

namespace edgecase::http {
namespace {

TEST(FieldName, knows_each_name_in_any_case) {
    EXPECT_EQ(classify("TE"), FieldName::te);
    EXPECT_EQ(classify("Transfer-Encoding"), FieldName::transfer_encoding);
    EXPECT_EQ(classify("CONTENT-LENGTH"), FieldName::content_length);
    EXPECT_EQ(classify("CF-Visitor"), FieldName::cf_visitor);
    EXPECT_EQ(classify("Connection"), FieldName::connection);
    EXPECT_EQ(classify("X-Forwarded-Proto"), FieldName::x_forwarded_proto);
    EXPECT_EQ(classify("X-Forwarded-For"), FieldName::x_forwarded_for);
    EXPECT_EQ(classify("Proxy-Authorization"), FieldName::proxy_authorization);
    EXPECT_EQ(classify("Proxy-Authenticate"), FieldName::proxy_authenticate);
    EXPECT_EQ(classify("CDN-Loop"), FieldName::cdn_loop);
    EXPECT_EQ(classify("X-Debug-Trace"), FieldName::other);
    EXPECT_EQ(classify(""), FieldName::other);
}

TEST(Message, connection_tokens_are_found_across_lines) {
    const std::array fields{FieldView{"Connection", "keep-alive , X-Hop", FieldName::connection},
                            FieldView{"Connection", "upgrade", FieldName::connection}};
    EXPECT_TRUE(connection_lists(fields, "x-hop"));
    EXPECT_TRUE(connection_lists(fields, "Upgrade"));
    EXPECT_FALSE(connection_lists(fields, "close"));
}

TEST(OriginUrl, parses_names_addresses_and_ports) {
    EXPECT_EQ(OriginUrl::parse("http://127.0.0.1:3000")->to_string(), "http://127.0.0.1:3000");
    EXPECT_EQ(OriginUrl::parse("http://app.test/")->port, 80);
    EXPECT_EQ(OriginUrl::parse("https://[::1]")->authority(), "[::1]");
}

TEST(OriginUrl, says_what_is_wrong) {
    for (const char* bad :
         {"", "app.test", "ftp://x", "http://", "http://x:0", "http://x:70000", "http://x/path",
          "http://a@b", "http://[::1", "http://x y", "http://x:"}) {
        EXPECT_FALSE(OriginUrl::parse(bad)) << bad;
    }
}

}  // namespace
}  // namespace edgecase::http
