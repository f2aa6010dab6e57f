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

}  // namespace
}  // namespace edgecase::cli
