#include "cli/explain_text.hpp"

#include <gtest/gtest.h>

namespace edgecase::cli {
namespace {

TEST(Explain, the_numbers_our_own_pages_show_are_known) {
    EXPECT_EQ((*explain_json("1016"))["status"], 530);
    EXPECT_EQ((*explain_json("1000"))["status"], 403);
    EXPECT_EQ((*explain_json("1001"))["status"], 409);
    EXPECT_TRUE(explain_text("1016", false)->starts_with("530 (error 1016) "));
    EXPECT_TRUE(explain_text("530", false)->starts_with("530 (error 1016) "));
    EXPECT_TRUE(explain_text("520", false)->starts_with("520 Web server"));
    EXPECT_FALSE(explain_text("1017", false));
}

TEST(Explain, a_name_may_be_written_in_capitals) {
    EXPECT_EQ((*explain_json("RESP.EMPTY_FIN"))["name"], "resp.empty_fin");
    EXPECT_EQ(explain_json("Resp")->size(), explain_json("resp")->size());
    EXPECT_TRUE(explain_text("RESP.EMPTY_FINN", false).error().ends_with("resp.empty_fin?"));
}

TEST(Explain, a_status_that_proxies_make_is_no_dead_end) {
    const std::string text = *explain_text("502", false);
    EXPECT_TRUE(text.contains("origin.status")) << text;
    EXPECT_TRUE(text.contains("upstream sent too big header")) << text;
    EXPECT_FALSE(text.contains("No cause")) << text;
    EXPECT_FALSE((*explain_json("502"))["elsewhere"].empty());
    for (const char* asked : {"502 Bad Gateway", "HTTP 502", "error 502", " 502"}) {
        EXPECT_EQ(explain_text(asked, false), text) << asked;
    }
}

TEST(Explain, the_beginning_of_causes_is_enough) {
    EXPECT_EQ(explain_json("body.short")->size(), 2U);
    EXPECT_FALSE(explain_json("bod"));
}

TEST(Explain, what_nobody_knows_is_repeated_as_it_was_typed) {
    const std::string error = explain_text("sh--", false).error();
    EXPECT_TRUE(error.starts_with("\"sh--\" ")) << error;
    EXPECT_TRUE(error.ends_with("SH--?")) << error;
    EXPECT_TRUE(explain_text("FooBarBaz", false).error().starts_with("\"FooBarBaz\" "));
    EXPECT_TRUE(explain_text("FooBarBaz", false).error().contains("vocabularies"));
}

}  // namespace
}  // namespace edgecase::cli
