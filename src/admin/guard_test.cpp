#include "admin/guard.hpp"

#include <gtest/gtest.h>

namespace edgecase::admin {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const std::string kToken = "0123456789abcdef0123456789abcdef";
const Guard::Time kNow{hours(1000)};

Request get(std::string host) {
    Request request;
    request.method = "GET";
    request.host = std::move(host);
    return request;
}

std::string cookie_of(const Response& response) {
    for (const auto& [name, value] : response.fields) {
        if (name == "Set-Cookie") return value.substr(0, value.find(';'));
    }
    return {};
}

TEST(AdminGuard, only_the_same_text_is_equal) {
    EXPECT_TRUE(equal_in_constant_time(kToken, kToken));
    for (const std::string& wrong :
         {std::string(), kToken + kToken, kToken.substr(1), kToken + "x", kToken.substr(0, 16)}) {
        EXPECT_FALSE(equal_in_constant_time(wrong, kToken)) << wrong;
    }
    EXPECT_FALSE(equal_in_constant_time("x", ""));
}

TEST(AdminGuard, without_a_token_only_names_of_this_machine_are_answered) {
    Guard guard("");
    EXPECT_TRUE(guard.admits(get("localhost"), kNow));
    for (const char* host : {"localhost", "127.0.0.1:80", "[::1]:1", "[::1]"}) {
        EXPECT_FALSE(guard.refuse_page(get(host))) << host;
    }
    for (const char* host : {"evil.test", "", "localhost.evil.test", "127.0.0.1.evil.test"}) {
        EXPECT_TRUE(guard.refuse_page(get(host))) << host;
    }
}

TEST(AdminGuard, another_sites_page_may_link_here_and_ask_nothing) {
    Guard guard("");
    Request request = get("localhost");
    request.fetch_site = "cross-site";
    request.path = "/ray/0011223344556677";
    EXPECT_FALSE(guard.refuse_page(request));
    request.path = "/api/traffic";
    EXPECT_TRUE(guard.refuse_page(request));
    request.fetch_site = "same-origin";
    EXPECT_FALSE(guard.refuse_page(request));
}

TEST(AdminGuard, another_sites_page_changes_nothing) {
    Guard guard(kToken);
    Request request = get("edge.test:8521");
    request.method = "PUT";
    request.origin = "https://edge.test:8521";
    EXPECT_FALSE(guard.refuse_page(request));
    for (const char* origin :
         {"https://evil.test", "null", "https://edge.test", "edge.test:8521"}) {
        request.origin = origin;
        EXPECT_TRUE(guard.refuse_page(request)) << origin;
    }
    request.method = "POST";
    request.origin.clear();
    request.content_type = "text/plain";
    EXPECT_TRUE(guard.refuse_page(request));
    request.content_type = "application/json";
    EXPECT_FALSE(guard.refuse_page(request));
}

TEST(AdminGuard, a_token_opens_and_so_does_its_session) {
    Guard guard(kToken);
    Request request = get("edge.test");
    EXPECT_FALSE(guard.admits(request, kNow));
    request.authorization = "Bearer " + kToken;
    EXPECT_TRUE(guard.admits(request, kNow));
    request.authorization = "Basic " + kToken;
    EXPECT_FALSE(guard.admits(request, kNow));
    request.authorization = "Bearer " + kToken.substr(1);
    EXPECT_FALSE(guard.admits(request, kNow));

    request.authorization.clear();
    const Response in = guard.log_in(kToken, "192.0.2.1", kNow);
    EXPECT_EQ(in.status, 204);
    request.cookie = "other=1; " + cookie_of(in) + "; more=2";
    EXPECT_TRUE(guard.admits(request, kNow + hours(11)));
    EXPECT_FALSE(guard.admits(request, kNow + hours(13)));
    EXPECT_EQ(guard.log_out(request).status, 204);
    EXPECT_FALSE(guard.admits(request, kNow));
    request.cookie = "edgecase_admin=";
    EXPECT_FALSE(guard.admits(request, kNow));
}

TEST(AdminGuard, wrong_tokens_soon_meet_a_pause) {
    Guard guard(kToken);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(guard.log_in("wrong", "192.0.2.1", kNow).status, 401);
    EXPECT_EQ(guard.log_in(kToken, "192.0.2.1", kNow).status, 429);
    EXPECT_EQ(guard.log_in(kToken, "192.0.2.2", kNow).status, 204);  // not for others
    EXPECT_EQ(guard.log_in(kToken, "192.0.2.1", kNow + minutes(1)).status, 204);
}

TEST(AdminGuard, wrong_tokens_in_a_field_meet_the_same_pause) {
    Guard guard(kToken);
    Request request = get("edge.test");
    request.peer = "192.0.2.1";
    request.authorization = "Bearer wrong";
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(guard.admits(request, kNow));
    request.authorization = "Bearer " + kToken;
    EXPECT_FALSE(guard.admits(request, kNow));
    EXPECT_EQ(guard.log_in(kToken, "192.0.2.1", kNow).status, 429);
    EXPECT_TRUE(guard.admits(request, kNow + minutes(1)));
    request.peer = "192.0.2.2";
    EXPECT_TRUE(guard.admits(request, kNow));
}

TEST(AdminGuard, very_many_peers_share_one_pause) {
    Guard guard(kToken);
    for (int i = 0; i < 2000; ++i) {
        (void)guard.log_in("wrong", "2001:db8::" + std::to_string(i), kNow);
    }
    EXPECT_EQ(guard.log_in("wrong", "2001:db8::9999", kNow).status, 429);
    Request request = get("edge.test");
    request.peer = "2001:db8::9999";
    request.authorization = "Bearer " + kToken;
    EXPECT_TRUE(guard.admits(request, kNow)) << "who has the token is not shut out by others";
}

}  // namespace
}  // namespace edgecase::admin
