#include "lexicon/lookup.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace edgecase::lexicon {
namespace {

std::string first_word(const std::vector<Match>& matches) {
    return matches.empty() ? "" : std::string(matches.front().word->word);
}

std::set<std::string> causes(const std::vector<Match>& matches) {
    std::set<std::string> names;
    for (const Match& match : matches) {
        for (const cause::Row* row : causes_of(*match.word)) names.emplace(row->name);
    }
    return names;
}

TEST(Lexicon, every_cause_that_a_word_names_is_in_the_table) {
    for (const Vocabulary& vocabulary : vocabularies()) {
        for (const Word& word : vocabulary.words) {
            EXPECT_TRUE(word.meaning.ends_with('.')) << word.word;
            for (std::string_view rest = word.causes; !rest.empty();) {
                const size_t space = rest.find(' ');
                const std::string_view name = rest.substr(0, space);
                EXPECT_FALSE(causes_of({.word = "", .meaning = "", .causes = name}).empty() &&
                             name != "none")
                    << vocabulary.title << ", " << word.word << ": " << name;
                rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
            }
        }
    }
}

TEST(Lexicon, no_word_stands_twice_in_a_vocabulary) {
    for (const Vocabulary& vocabulary : vocabularies()) {
        std::set<std::string_view> seen;
        for (const Word& word : vocabulary.words) {
            EXPECT_TRUE(seen.insert(word.word).second) << vocabulary.title << ", " << word.word;
            EXPECT_FALSE(word.meaning.empty()) << word.word;
        }
    }
}

TEST(Lexicon, every_word_finds_itself) {
    for (const Vocabulary& vocabulary : vocabularies()) {
        for (const Word& word : vocabulary.words) {
            const auto matches = look_up(word.word);
            EXPECT_TRUE(std::ranges::any_of(
                matches, [&](const Match& match) { return match.word == &word; }))
                << vocabulary.title << ", " << word.word;
        }
    }
}

TEST(Lexicon, a_word_of_two_systems_is_both) {
    const auto matches = look_up("UH");
    ASSERT_EQ(matches.size(), 1U);
    EXPECT_EQ(matches.front().vocabulary->system, "envoy");
    std::set<std::string_view> systems;
    for (const Match& match : look_up("DC")) systems.insert(match.vocabulary->system);
    EXPECT_EQ(systems, (std::set<std::string_view>{"envoy", "haproxy"}));
}

TEST(Lexicon, case_tells_the_states_of_haproxy_apart_and_nothing_else) {
    EXPECT_EQ(first_word(look_up("sH--")), "sH");
    EXPECT_EQ(first_word(look_up("SH--")), "SH");
    EXPECT_EQ(first_word(look_up("SHVN")), "SH");
    EXPECT_EQ(first_word(look_up("econnreset")), "ECONNRESET");
}

TEST(Lexicon, an_envoy_detail_is_read_with_its_reason) {
    const auto matches = look_up("upstream_reset_before_response_started{connection_termination}");
    ASSERT_EQ(matches.size(), 2U);
    EXPECT_EQ(matches[0].word->word, "connection_termination");
    EXPECT_EQ(matches[1].word->word, "upstream_reset_before_response_started");
    EXPECT_TRUE(causes(matches).contains("reuse.stale"));
}

TEST(Lexicon, a_line_of_nginx_is_read_with_what_it_was_doing) {
    const std::string prefix = "2026/11/24 13:38:07 [error] 812#812: *5 ";
    const std::string suffix = ", client: 192.0.2.1, server: _, request: \"GET / HTTP/1.1\"";
    const auto read = [&](const std::string& text) { return look_up(prefix + text + suffix); };
    const auto header = read(
        "upstream timed out (110: Connection timed out) while reading "
        "response header from upstream");
    EXPECT_TRUE(causes(header).contains("time.first_byte"));
    EXPECT_FALSE(causes(header).contains("connect.timeout"));
    EXPECT_EQ(causes(read("upstream timed out (110: Connection timed out) while connecting to "
                          "upstream")),
              std::set<std::string>{"connect.timeout"});
    EXPECT_TRUE(causes(read("upstream prematurely closed connection while reading response header "
                            "from upstream"))
                    .contains("resp.empty_fin"));
    EXPECT_EQ(causes(read("upstream prematurely closed connection while SSL handshaking to "
                          "upstream")),
              std::set<std::string>{"tls.fin"});
}

TEST(Lexicon, lines_of_others_are_read) {
    EXPECT_TRUE(causes(look_up("kernel: Out of memory: Killed process 812 (php-fpm) total-vm:1"))
                    .contains("resp.empty_rst"));
    EXPECT_TRUE(causes(look_up("dial tcp 127.0.0.1:1: connect: connection refused"))
                    .contains("connect.refused"));
    EXPECT_EQ(first_word(look_up("haproxy[1]: 127.0.0.1:2 [24/Nov/2026:13:38:07.123] f b/s "
                                 "0/0/0/-1/2 502 0 - - SH-- 1/1/0/0/0 0/0 \"GET / HTTP/1.1\"")),
              "SH");
    EXPECT_EQ(first_word(look_up("read ECONNRESET at TLSWrap.onStreamRead")), "ECONNRESET");
}

TEST(Lexicon, a_line_without_trouble_says_nothing) {
    for (const char* line :
         {"", "203.0.113.9 - - [24/Nov/2026:13:38:07 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"x\"",
          "haproxy[1]: 127.0.0.1:2 [24/Nov/2026:13:38:07.123] f b/s 0/0/0/1/2 200 9 - - ---- 1/1",
          "the overload of SC and UC in a sentence"}) {
        EXPECT_TRUE(find_in_line(line).empty()) << line << ": " << first_word(find_in_line(line));
    }
    EXPECT_TRUE(look_up("no such word at all").empty());
}

}  // namespace
}  // namespace edgecase::lexicon
