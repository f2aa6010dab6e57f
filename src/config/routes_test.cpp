#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/load.hpp"
#include "config/settings.hpp"
#include "config/test_settings.hpp"

namespace edgecase::config {
namespace {

TEST(ConfigRoutes, TheMostSpecificComesFirst) {
    Overrides overrides;
    overrides.routes = {"/z=http://z", "b.example=http://b"};
    const auto settings = with_origin(R"(
[[route]]
path = "/api"
origin = "http://api"
[[route]]
host = "A.example."
origin = "http://a"
[[route]]
host = "a.example"
path = "/deep/er"
origin = "http://deep"
)",
                                      overrides);
    ASSERT_TRUE(settings) << error_of(settings);
    std::vector<std::string> order;
    for (const Route& route : settings->routes)
        order.push_back(first_origin(*settings, route).host);
    EXPECT_EQ(order, (std::vector<std::string>{"deep", "a", "b", "api", "z", "127.0.0.1"}));
}

TEST(ConfigRoutes, AnIpv6HostKeepsItsBracketsAsInAHostField) {
    const auto settings = load("[[route]]\nhost = \"[0::1]\"\norigin = \"http://a\"", "e", {});
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->routes[0].host, "[::1]");
}

TEST(ConfigRoutes, DuplicatesAreErrorsWithTheirLine) {
    EXPECT_EQ(error_of("[[route]]\nhost = \"a\"\norigin = \"http://a\"\n"
                       "[[route]]\nhost = \"A\"\npath = \"/\"\norigin = \"http://b\"\n"),
              "edge.toml:5:1: a second route for the same host and path; the first is on line 2");
    EXPECT_NE(error_of("[[route]]\norigin = \"http://b\"\n").find("the first is on line 1"),
              std::string::npos);
}

TEST(ConfigRoutes, WrongRoutesAreTold) {
    EXPECT_EQ(error_of("[[route]]\nhost = \"a\"\n"),
              "edge.toml:2:1: this [[route]] has no `origin` or `pool`");
    EXPECT_NE(error_of("[[route]]\nhost = \"*.a\"\n").find("wildcard"), std::string::npos);
    EXPECT_NE(error_of("[[route]]\nhost = \"a:80\"\n").find("without a port"), std::string::npos);
    EXPECT_NE(error_of("[[route]]\npath = \"api\"\n").find("begin with /"), std::string::npos);
    EXPECT_NE(error_of("[[route]]\npath = \"/a b\"\n").find("percent-encode"), std::string::npos);
    EXPECT_NE(error_of("[[route]]\npath = 4\n").find("must be a string"), std::string::npos);
    EXPECT_NE(error_of("route = \"x\"").find("[[route]] tables, not a string"), std::string::npos);
    EXPECT_NE(error_of("[route]\nhost = \"a\"").find("[[route]] tables, not a table"),
              std::string::npos);
}

TEST(ConfigRoutes, ARouteFlagReplacesTheFilesRoute) {
    Overrides overrides;
    overrides.routes = {"a=http://new", "=http://everything"};
    const auto settings =
        with_origin("[[route]]\nhost = \"a\"\norigin = \"http://old\"", overrides);
    ASSERT_TRUE(settings) << error_of(settings);
    ASSERT_EQ(settings->routes.size(), 2u);
    EXPECT_EQ(first_origin(*settings, settings->routes[0]).host, "new");
    EXPECT_EQ(first_origin(*settings, settings->routes[1]).host, "everything");
    overrides.routes = {"a=http://x", "a/=http://y"};
    EXPECT_EQ(error_of(with_origin("", overrides)), "--route names the same host and path twice");
    overrides.routes = {"nothing"};
    EXPECT_EQ(error_of(with_origin("", overrides)),
              "--route is wrong: \"nothing\" is not [HOST][/PATH]=URL");
}

}  // namespace
}  // namespace edgecase::config
