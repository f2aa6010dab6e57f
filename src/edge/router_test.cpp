#include "edge/router.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace edgecase::edge {
namespace {

config::Route route(std::string host, std::string path, size_t pool) {
    return {std::move(host), std::move(path), pool};
}

TEST(Router, the_first_route_that_matches_host_and_path_wins) {
    const std::vector routes{route("a.test", "/api", 1), route("a.test", "", 2),
                             route("", "/api", 3)};
    EXPECT_EQ(match_route(routes, "a.test", "/api/x"), 0u);
    EXPECT_EQ(match_route(routes, "A.TEST:8080", "/"), 1u);
    EXPECT_EQ(match_route(routes, "b.test", "/api?x"), 2u);
    EXPECT_EQ(match_route(routes, "b.test", "/apiary"), std::nullopt);
    EXPECT_EQ(match_route(routes, "[::1]:80", "/api"), 2u);
}

}  // namespace
}  // namespace edgecase::edge
