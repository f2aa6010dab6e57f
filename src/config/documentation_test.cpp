#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "config/keys.hpp"
#include "config/load.hpp"
#include "config/nearest.hpp"
#include "config/settings.hpp"
#include "config/test_settings.hpp"

namespace edgecase::config {
namespace {

TEST(ConfigDocumentation, EveryKeyIsDescribed) {
    const std::string text = read_text(EDGECASE_DOCS "/configuration.md");
    for (const Key& key : keys()) {
        EXPECT_NE(text.find("| `" + key.path() + "` |"), std::string::npos) << key.path();
    }
}

TEST(ConfigDocumentation, EveryExampleLoads) {
    std::istringstream text(read_text(EDGECASE_DOCS "/configuration.md"));
    const TestFolder folder{"site.pem", "site.key", "shop.pem", "shop.key", "origin-ca.pem"};
    std::string block;
    bool inside = false;
    int examples = 0;
    for (std::string line; std::getline(text, line);) {
        if (inside && line == "```") {
            const auto settings = load(block, folder / "example.toml", {});
            EXPECT_TRUE(settings) << error_of(settings) << "\n" << block;
            ++examples;
            inside = false;
        }
        if (inside) block += line + "\n";
        if (line == "```toml") {
            inside = true;
            block.clear();
        }
    }
    EXPECT_GE(examples, 2);
}

TEST(ConfigSeeds, EverySeedEndsInSettingsOrOneError) {
    int seeds = 0;
    for (const auto& seed : std::filesystem::directory_iterator(EDGECASE_SEEDS "/config")) {
        const auto result = load(read_text(seed.path()), "seed", {});
        EXPECT_TRUE(result || !result.error().message.empty()) << seed.path();
        ++seeds;
    }
    EXPECT_GE(seeds, 5);
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
    const std::vector<std::string_view> choices{"connect", "read"};
    EXPECT_EQ(nearest("raed", choices), "read");
    EXPECT_EQ(nearest("banana", choices), "");
    EXPECT_EQ(nearest(std::string(1000, 'a'), choices), "");
}

}  // namespace
}  // namespace edgecase::config
