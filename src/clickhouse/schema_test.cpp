#include "clickhouse/schema.hpp"

#include <gtest/gtest.h>

namespace edgecase::clickhouse {
namespace {

TEST(Keep, raised_later_is_raised_on_servers_that_forget_by_themselves) {
    Settings settings;
    settings.database = "edge";
    settings.keep = std::chrono::hours(1000);
    EXPECT_EQ(keeping(settings, 20'003),
              (std::vector<std::string>{
                  "ALTER TABLE `edge`.`cases` MODIFY TTL EdgeStartTimestamp + 3600000",
                  "ALTER TABLE `edge`.`successes` MODIFY TTL EdgeStartTimestamp + 3600000"}));
    settings.cluster = "all";
    EXPECT_EQ(keeping(settings, 26'007).front(),
              "ALTER TABLE `edge`.`cases_local` ON CLUSTER `all` MODIFY TTL EdgeStartTimestamp + "
              "3600000");
    EXPECT_TRUE(keeping(settings, 18'016).empty());
}

}  // namespace
}  // namespace edgecase::clickhouse
