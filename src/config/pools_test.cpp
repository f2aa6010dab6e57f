#include "config/pools.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "config/settings.hpp"
#include "config/test_settings.hpp"

namespace edgecase::config {
namespace {

using std::chrono::seconds;

/// An error in a [[pool]] named `a`: its keys begin on line 4.
std::string pool_error(const std::string& keys) {
    return error_of("[[pool]]\nname = \"a\"\n" + keys);
}

TEST(ConfigPools, EveryKeyOfAPoolArrives) {
    const auto settings = load(R"(
[[pool]]
name = "api"
balance = "consistent_hash"
origins = [
  "http://10.0.0.1:8080",
  { url = "https://b.example", weight = 1000 },
]
[pool.health]
path = "/healthz?deep=1"
host = "API.example"
expected = [204, 200]
interval = "4s"
timeout = "3s"
unhealthy_after = 1
healthy_after = 5
[pool.ejection]
failures = 0
time = "1m"
bad_answers = 7
[[route]]
pool = "api"
)",
                               "edge.toml", {});
    ASSERT_TRUE(settings) << error_of(settings);
    ASSERT_EQ(settings->pools.size(), 1u);
    Pool right;
    right.name = "api";
    right.balance = Balance::consistent_hash;
    right.origins = {{*http::OriginUrl::parse("http://10.0.0.1:8080"), 1},
                     {*http::OriginUrl::parse("https://b.example"), 1000}};
    right.health = {"/healthz?deep=1", "api.example", {204, 200}, seconds(4), seconds(3), 1, 5};
    right.ejection = {0, seconds(60), 7};
    EXPECT_EQ(settings->pools[0], right);
    EXPECT_EQ(settings->routes[0].pool, 0u);
}

TEST(ConfigPools, APoolHasNoChecksUnlessTold) {
    const auto settings = with_origin("[[pool]]\nname = \"a\"\norigins = [\"http://x\"]");
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->pools[0].health, HealthCheck{});
    EXPECT_EQ(settings->pools[0].ejection, Ejection{});
    EXPECT_EQ(settings->pools[0].balance, Balance::round_robin);
    EXPECT_EQ(settings->pools[0].origins[0].weight, 1);
}

TEST(ConfigPools, EqualUrlsShareOnePoolWhoseNameIsTheUrl) {
    const auto settings = with_origin(R"(
[[route]]
path = "/a"
origin = "http://x:80/"
[[route]]
path = "/b"
origin = "http://x"
[[route]]
path = "/c"
origin = "https://x"
)");
    ASSERT_TRUE(settings) << error_of(settings);
    std::vector<std::string> names;
    for (const Pool& pool : settings->pools) names.push_back(pool.name);
    EXPECT_EQ(names, (std::vector<std::string>{"http://x", "https://x", "http://127.0.0.1:3000"}));
    EXPECT_EQ(settings->routes[0].pool, settings->routes[1].pool);
    EXPECT_FALSE(is_named(settings->pools[0]));
}

TEST(ConfigPools, NamedPoolsComeFirstAndOthersOnlyWhileARouteUsesThem) {
    Overrides overrides;
    overrides.origin = "http://new";
    const auto settings = with_origin(
        "[[pool]]\nname = \"spare\"\norigins = [\"http://x\"]\n"
        "[[pool]]\nname = \"b\"\norigins = [\"http://y\"]\n"
        "[[route]]\nhost = \"b\"\npool = \"b\"\n",
        overrides);
    ASSERT_TRUE(settings) << error_of(settings);
    ASSERT_EQ(settings->pools.size(), 3u);
    EXPECT_EQ(settings->pools[0].name, "spare");
    EXPECT_EQ(settings->pools[settings->routes[0].pool].name, "b");
    EXPECT_EQ(settings->pools[2].name, "http://new");
    EXPECT_EQ(first_origin(*settings, settings->routes[1]).host, "new");
}

TEST(ConfigPools, APoolsUrlIsNotTheUnnamedPoolOfTheSameUrl) {
    const auto settings = with_origin(
        "[[pool]]\nname = \"a\"\norigins = [\"http://127.0.0.1:3000\"]\n"
        "[[route]]\npath = \"/a\"\npool = \"a\"\n");
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->pools.size(), 2u);
    EXPECT_NE(settings->routes[0].pool, settings->routes[1].pool);
}

TEST(ConfigPools, ARouteHasAPoolOrAnOrigin) {
    const std::string pool = "[[pool]]\nname = \"api\"\norigins = [\"http://x\"]\n[[route]]\n";
    EXPECT_EQ(error_of(pool + "host = \"a\"\npool = \"api\"\norigin = \"http://x\""),
              "edge.toml:8:1: `route.origin` cannot stand beside `pool`; give one of them");
    EXPECT_EQ(
        error_of(pool + "host = \"a\"\npool = \"apy\""),
        "edge.toml:7:8: `route.pool` is wrong: \"apy\" is not the name of a [[pool]]; did you "
        "mean `api`?");
    EXPECT_EQ(error_of(pool + "host = \"a\"\npool = \"http://127.0.0.1:3000\""),
              "edge.toml:7:8: `route.pool` is wrong: \"http://127.0.0.1:3000\" is not the name of "
              "a [[pool]]");
    EXPECT_EQ(error_of(pool + "host = \"a\"\npool = 1"),
              "edge.toml:7:8: `route.pool` must be a string, not an integer");
}

TEST(ConfigPools, AMissingPartIsTold) {
    EXPECT_EQ(error_of("[[pool]]\norigins = [\"http://x\"]"),
              "edge.toml:2:1: this [[pool]] has no `name`");
    EXPECT_EQ(pool_error(""), "edge.toml:2:1: this [[pool]] has no `origins`");
    EXPECT_EQ(pool_error("origins = []"),
              "edge.toml:4:11: `pool.origins` must have at least one origin");
    EXPECT_EQ(pool_error("origins = [{ weight = 2 }]"), "edge.toml:4:12: this origin has no `url`");
    EXPECT_EQ(pool_error("origins = [\"http://x\"]\n[pool.health]\ninterval = \"2s\""),
              "edge.toml:5:1: this [pool.health] has no `path`");
    EXPECT_EQ(error_of("[pool]\nname = \"a\""),
              "edge.toml:2:1: `pool` must be written as [[pool]] tables, not a table");
}

TEST(ConfigPools, ASecondPoolOfTheNameIsAnError) {
    EXPECT_EQ(pool_error("origins = [\"http://x\"]\n[[pool]]\nname = \"a\"\norigins = "
                         "[\"http://y\"]\n"),
              "edge.toml:5:1: a second pool named `a`; the first is on line 2");
}

TEST(ConfigPools, WrongOriginsAreToldAtTheirPlace) {
    EXPECT_EQ(pool_error("origins = [\"http://x\",\n  \"http://X/y\"]"),
              "edge.toml:5:3: `pool.origins` is wrong: \"http://X/y\" is not an origin URL: a path "
              "is not allowed here; requests keep their own");
    EXPECT_EQ(pool_error("origins = [\"http://x\", { url = \"http://x:80\" }]"),
              "edge.toml:4:24: `pool.origins` names http://x twice; give it a `weight` if it can "
              "take more");
    EXPECT_EQ(pool_error("origins = [\n  { url = \"http://x\", weight = 1001 }]"),
              "edge.toml:5:32: `pool.origins.weight` must be from 1 to 1000, not 1001");
    EXPECT_EQ(pool_error("origins = [{ url = \"http://x\", weight = 0 }]"),
              "edge.toml:4:41: `pool.origins.weight` must be from 1 to 1000, not 0");
    EXPECT_EQ(pool_error("origins = [{ url = \"http://x\", wieght = 2 }]"),
              "edge.toml:4:32: unknown key `wieght` in an origin of a [[pool]]; did you mean "
              "`weight`?");
    EXPECT_EQ(pool_error("origins = [80]"),
              "edge.toml:4:12: `pool.origins` must be a URL such as \"http://10.0.0.1:8080\", not "
              "an integer");
    EXPECT_NE(pool_error("origins = \"http://x\"").find("must be a list such as"),
              std::string::npos);
}

TEST(ConfigPools, WrongKeysAreToldAtTheirPlace) {
    EXPECT_EQ(pool_error("orgins = []"),
              "edge.toml:4:1: unknown key `orgins` in [[pool]]; did you mean `origins`?");
    EXPECT_EQ(pool_error("balance = \"random\""),
              "edge.toml:4:11: `pool.balance` must be one of round_robin, least_requests, "
              "consistent_hash, not \"random\"");
    EXPECT_EQ(pool_error("health = \"/x\""),
              "edge.toml:4:10: `pool.health` must be a table, not a string");
    EXPECT_EQ(pool_error("[pool.health]\npaht = \"/x\""),
              "edge.toml:5:1: unknown key `paht` in [pool.health]; did you mean `path`?");
    EXPECT_EQ(pool_error("[pool.health]\npath = \"x\""),
              "edge.toml:5:8: `pool.health.path` must be a path as a request carries it, such as "
              "\"/healthz\"");
    EXPECT_EQ(pool_error("[pool.health]\nexpected = [200,\n  99]"),
              "edge.toml:6:3: `pool.health.expected` must be from 200 to 599, not 99");
    EXPECT_EQ(pool_error("[pool.health]\nexpected = [200, 200]"),
              "edge.toml:5:18: `pool.health.expected` names 200 twice");
    EXPECT_EQ(pool_error("[pool.health]\nhealthy_after = 0"),
              "edge.toml:5:17: `pool.health.healthy_after` must be from 1 to 1000, not 0");
    EXPECT_EQ(pool_error("[pool.ejection]\ntime = 30"),
              "edge.toml:5:8: `pool.ejection.time` must be a duration such as \"2s\" or \"500ms\", "
              "not 30");
    EXPECT_EQ(pool_error("[pool.ejection]\nfailure = 3"),
              "edge.toml:5:1: unknown key `failure` in [pool.ejection]; did you mean `failures`?");
    EXPECT_NE(error_of("[[pool]]\nname = \"a/b\"").find("letters, digits"), std::string::npos);
    EXPECT_NE(error_of("[[pool]]\nname = \"\\u001b\"").find("letters, digits"), std::string::npos);
}

TEST(ConfigPools, ACheckEndsBeforeTheNextBegins) {
    const std::string pool = "origins = [\"http://x\"]\n[pool.health]\npath = \"/\"\n";
    EXPECT_EQ(
        pool_error(pool + "interval = \"2s\"\ntimeout = \"3s\""),
        "edge.toml:8:11: `pool.health.timeout` contradicts: a check must end before the next, "
        "after `interval`");
    const auto settings = with_origin("[[pool]]\nname = \"a\"\n" + pool + "interval = \"2s\"");
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->pools[0].health.timeout, seconds(2));
}

TEST(ConfigPools, TooManyAreAnError) {
    std::string origins;
    for (int i = 0; i < 65; ++i) origins += "\"http://x:" + std::to_string(i + 1) + "\",";
    EXPECT_NE(pool_error("origins = [" + origins + "]").find("has more than 64 origins"),
              std::string::npos);
    std::string pools;
    for (int i = 0; i < 257; ++i) {
        pools += "[[pool]]\nname = \"p" + std::to_string(i) + "\"\norigins = [\"http://x\"]\n";
    }
    EXPECT_EQ(error_of(pools), "edge.toml:770:1: more than 256 pools");
}

}  // namespace
}  // namespace edgecase::config
