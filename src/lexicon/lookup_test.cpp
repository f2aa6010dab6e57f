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

TEST(Lexicon, ordinary_words_in_capitals_are_no_states_of_haproxy) {
    for (const char* line : {"order SHIP done", "SLID", "SCUD missile", "made in CHIN today",
                             "please STOP it", "DROP TABLE", "a PROD host", "CD-R"}) {
        EXPECT_TRUE(find_in_line(line).empty()) << line << ": " << first_word(find_in_line(line));
    }
    EXPECT_TRUE(look_up("SHIP").empty());
    EXPECT_EQ(first_word(find_in_line("ended with SH-- by itself")), "SH");
    EXPECT_EQ(first_word(find_in_line("0/0/0/-1/2 502 0 - - SHVN 1/1/0/0/+0 0/0 \"GET / \"")),
              "SH");
    EXPECT_TRUE(find_in_line("SHVN 1/1 of them").empty());
}

TEST(Lexicon, what_people_type_is_known) {
    EXPECT_TRUE(causes(look_up("Connection reset by peer")).contains("resp.empty_rst"));
    EXPECT_TRUE(causes(look_up("broken pipe")).contains("request.write_closed"));
    EXPECT_TRUE(causes(look_up("OOM")).contains("resp.empty_rst"));
    EXPECT_TRUE(first_word(look_up("AH01102")).starts_with("AH01102: "));
    EXPECT_EQ(first_word(look_up("502 Bad Gateway")), "502");
    EXPECT_EQ(first_word(look_up("HTTP/1.1 504 Gateway Timeout")), "504");
    const auto flags = look_up("UC,URX");
    ASSERT_EQ(flags.size(), 2U);
    EXPECT_EQ(flags[0].word->word, "UC");
    EXPECT_EQ(flags[1].word->word, "URX");
    EXPECT_TRUE(look_up("UC,nonsense").empty());
}

TEST(Lexicon, a_status_is_found_among_its_words) {
    for (const char* text : {"520", "error 520", "HTTP 520", "Error code: 520", "http status 520",
                             "Cloudflare error 520", " 520 ", "520 Web server"}) {
        EXPECT_EQ(status_in(text), "520") << text;
    }
    for (const char* text :
         {"", "52", "520x", "520 1/1/0", "line 520", "12345", "error", "error:"}) {
        EXPECT_EQ(status_in(text), "") << text;
    }
}

TEST(Lexicon, lines_that_were_not_explained_are) {
    EXPECT_TRUE(first_word(look_up("[cgi:warn] [pid 1] [client 127.0.0.1:2] AH01220: Timeout "
                                   "waiting for output from CGI script /cgi/hang"))
                    .starts_with("AH01220"));
    EXPECT_TRUE(first_word(look_up("(70007)The timeout specified has expired: [client 1] AH00574: "
                                   "ap_content_length_filter: apr_bucket_read() failed"))
                    .starts_with("AH00574"));
    EXPECT_EQ(first_word(look_up("[client 1] End of script output before headers: nothing")),
              "End of script output before headers");
    EXPECT_TRUE(causes(look_up("*23 upstream prematurely closed FastCGI request while reading "
                               "upstream, client: 1"))
                    .contains("body.short_fin"));
    EXPECT_TRUE(causes(look_up(R"({"level":"error","msg":"EOF","status":502})"))
                    .contains("resp.empty_fin"));
    const auto body =
        causes(look_up("recv() failed (104: Connection reset by peer) while reading "
                       "upstream, client: 127.0.0.1"));
    EXPECT_TRUE(body.contains("body.short_rst"));
    EXPECT_FALSE(body.contains("resp.empty_rst"));
    EXPECT_TRUE(causes(look_up("recv() failed (104: Connection reset by peer) while reading "
                               "response header from upstream"))
                    .contains("resp.empty_rst"));
}

TEST(Lexicon, the_status_that_go_shows_says_what_is_wrong_with_it) {
    EXPECT_EQ(causes(look_up(R"(net/http: malformed HTTP status code "abc")")),
              std::set<std::string>{"resp.bad_status_code.not_numeric"});
    EXPECT_EQ(causes(look_up(R"({"error":"malformed HTTP status code \"abc\""})")),
              std::set<std::string>{"resp.bad_status_code.not_numeric"});
    EXPECT_EQ(causes(look_up(R"(malformed HTTP status code "20000")")).size(), 2U);
}

TEST(Lexicon, a_line_with_a_phrase_is_not_told_twice_by_the_systems_text) {
    const auto matches = find_in_line(
        "connect() failed (111: Connection refused) while connecting to upstream, client: 1");
    ASSERT_EQ(matches.size(), 1U);
    EXPECT_EQ(matches.front().vocabulary->system, "nginx");
    EXPECT_EQ(find_in_line("redis: Connection refused").size(), 1U);
}

TEST(Lexicon, a_status_of_proxies_has_what_leads_to_it) {
    EXPECT_EQ(leading_to(502).size(), 15U);
    EXPECT_FALSE(leading_to(503).empty());
    EXPECT_FALSE(leading_to(504).empty());
    EXPECT_TRUE(leading_to(418).empty());
}

TEST(Lexicon, the_nearest_word_is_suggested) {
    EXPECT_EQ(nearest_word("sh--"), "SH");
    EXPECT_EQ(nearest_word("ECONRESET"), "ECONNRESET");
    EXPECT_EQ(nearest_word("entirely another thing"), "");
}

}  // namespace
}  // namespace edgecase::lexicon
