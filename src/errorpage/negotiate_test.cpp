#include <gtest/gtest.h>

#include <array>
#include <string>

#include "errorpage/error_page.hpp"

namespace edgecase::errorpage {
namespace {

struct Case {
    std::string_view accept;
    MediaType expected;
};

using enum MediaType;
constexpr std::array kCases{
    Case{"", html},
    Case{"*/*", html},
    Case{"text/html", html},
    Case{"application/json", json},
    Case{"application/problem+json", problem_json},
    Case{"text/markdown", markdown},
    Case{"text/*", markdown},
    Case{"application/*", problem_json},
    Case{"Application/JSON", json},
    Case{"application/json; charset=utf-8", json},
    // unknown types alone
    Case{"image/png", html},
    Case{"text/plain, application/xml", html},
    Case{",,;q=1, ", html},
    // unknown types beside known ones
    Case{"image/avif,image/webp,application/json;q=0.1", json},
    // weights
    Case{"text/html;q=0.5, application/json;q=0.9", json},
    Case{"text/html;q=0.5, application/json", json},
    Case{"application/json;q=0.5, */*;q=0.8", html},
    Case{"application/json;q=0.123, text/markdown;q=0.124", markdown},
    Case{"text/markdown;variant=GFM;Q=0.9, text/html;q=0.8", markdown},
    Case{"text/markdown ; q=0.9 , text/html ; q=1.000", html},
    // ties go to the first listed
    Case{"application/json, application/problem+json", json},
    Case{"application/problem+json, application/json", problem_json},
    Case{"application/json, text/plain, */*", json},
    Case{"text/markdown;q=0.5,text/html;q=0.5", markdown},
    // refusals
    Case{"application/json;q=0", html},
    Case{"text/html;q=0, */*", problem_json},
    Case{"text/*, text/markdown;q=0", html},
    Case{"*/*;q=0", html},
    Case{"text/html;q=0, application/json;q=0.0, */*;q=0.1, application/problem+json;q=0",
         markdown},
    // malformed weights: the element does not count
    Case{"application/json;q=2", html},
    Case{"application/json;q=1.001, text/markdown;q=0.1", markdown},
    Case{"application/json;q=-1, text/markdown;q=0.1", markdown},
    Case{"application/json;q=0.1234, text/markdown;q=0.1", markdown},
    Case{"application/json;q=, text/markdown;q=0.1", markdown},
    Case{"application/json;q=0,5", html},
    // quoted parameters may hold separators
    Case{"application/json;profile=\"a,b;q=1\";q=0.1, text/markdown;q=0.2", markdown},
    Case{"application/json;p=\"\\\",text/html\"", json},
    Case{"application/json;p=\"never closed, text/html", json},
    // real clients
    Case{"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
         html},
    Case{"application/json, text/javascript, */*; q=0.01", json},
};

TEST(Negotiate, gives_the_type_that_each_accept_field_asks_for) {
    for (const Case& c : kCases) EXPECT_EQ(negotiate(c.accept), c.expected) << c.accept;
}

TEST(Negotiate, survives_a_field_of_nothing_but_separators) {
    EXPECT_EQ(negotiate(std::string(100'000, ',')), html);
    EXPECT_EQ(negotiate(std::string(100'000, ';')), html);
    EXPECT_EQ(negotiate(std::string(99'999, '"')), html);
    EXPECT_EQ(negotiate("\\"), html);
}

}  // namespace
}  // namespace edgecase::errorpage
