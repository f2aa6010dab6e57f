#include "errorpage/error_page.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/ascii.hpp"

namespace edgecase::errorpage {
namespace {

using cause::Actor;
using nlohmann::json;

constexpr std::array kTypes{MediaType::html, MediaType::problem_json, MediaType::json,
                            MediaType::markdown};
constexpr base::WallTime kTime{std::chrono::sys_days(std::chrono::year(2026) / 4 / 25) +
                               std::chrono::hours(13) + std::chrono::milliseconds(2'471'987)};
// Unquoted, YAML would read this one as a number.
constexpr record::RayId kRay(0x7000000000000e10);

PageInput input_of(const cause::Row& row, std::string_view host = "shop.example.com") {
    return {.status = row.status,
            .actor = row.actor,
            .visitor_sentence = row.visitor,
            .ray = kRay,
            .colo = "LAB",
            .host = host,
            .time = kTime};
}

PageInput input_of(cause::Cause cause, std::string_view host = "shop.example.com") {
    return input_of(cause::row(cause), host);
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    for (size_t end = 0; (end = text.find('\n')) != std::string_view::npos;) {
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    return lines;
}

/// The value of a front matter key, parsed. Errors: a discarded value.
json front_matter(std::string_view markdown, std::string_view key) {
    for (const std::string_view line : lines_of(markdown)) {
        if (line.starts_with(key) && line.substr(key.size()).starts_with(": ")) {
            return json::parse(line.substr(key.size() + 2), nullptr, false);
        }
    }
    return json(json::value_t::discarded);
}

TEST(ErrorPage, every_status_renders_in_every_type) {
    for (const cause::Status& status : cause::statuses()) {
        const PageInput input{status.code, Actor::origin,      "It failed.", kRay,
                              "LAB",       "shop.example.com", kTime};
        for (const MediaType type : kTypes) {
            const Page page = render(input, type);
            EXPECT_TRUE(page.body.contains(kRay.to_string())) << status.code;
            EXPECT_TRUE(page.body.contains(std::to_string(status.error_code))) << status.code;
            EXPECT_TRUE(page.body.contains(status.title)) << status.code;
            EXPECT_TRUE(page.body.contains("It failed.")) << status.code;
            EXPECT_TRUE(page.body.contains("edgecase ray " + kRay.to_string())) << status.code;
            EXPECT_EQ(page.retry_after_s, status.retry_after_s);
            EXPECT_LT(page.body.size(), 6'144u) << status.code;
        }
    }
}

TEST(ErrorPage, content_types_are_the_ones_asked_for) {
    const PageInput input = input_of(cause::Cause::resp_empty_fin);
    EXPECT_EQ(render(input, MediaType::html).content_type, "text/html; charset=utf-8");
    EXPECT_EQ(render(input, MediaType::problem_json).content_type, "application/problem+json");
    EXPECT_EQ(render(input, MediaType::json).content_type, "application/json");
    EXPECT_EQ(render(input, MediaType::markdown).content_type, "text/markdown; charset=utf-8");
}

TEST(ErrorPage, a_status_the_edge_never_makes_still_gets_a_page) {
    const PageInput input{599, Actor::none, "", kRay, "", "", kTime};
    for (const MediaType type : kTypes) {
        const Page page = render(input, type);
        EXPECT_TRUE(page.body.contains("599"));
        EXPECT_EQ(page.retry_after_s, 0);
    }
}

TEST(ErrorPage, json_has_the_members_of_cloudflares_structured_errors) {
    const PageInput input = input_of(cause::Cause::resp_empty_fin);
    const json body = json::parse(render(input, MediaType::problem_json).body);
    EXPECT_EQ(body, json::parse(render(input, MediaType::json).body));
    EXPECT_EQ(body["title"], "Error 520: Web server is returning an unknown error");
    EXPECT_EQ(body["status"], 520);
    EXPECT_EQ(body["detail"], input.visitor_sentence);
    EXPECT_EQ(body["ray_id"], "7000000000000e10");
    EXPECT_EQ(body["instance"], "7000000000000e10");
    EXPECT_EQ(body["error_code"], 520);
    EXPECT_EQ(body["error_name"], "unknown_error");
    EXPECT_EQ(body["error_category"], "origin");
    EXPECT_EQ(body["timestamp"], "2026-04-25T13:41:11Z");
    EXPECT_EQ(body["zone"], "shop.example.com");
    EXPECT_EQ(body["cloudflare_error"], true);
    EXPECT_EQ(body["edgecase_error"], true);
    EXPECT_EQ(body["retryable"], true);
    EXPECT_EQ(body["retry_after"], 60);
    EXPECT_EQ(body["owner_action_required"], true);
    EXPECT_TRUE(body["type"].is_string());
    EXPECT_TRUE(body["what_you_should_do"].is_string());
    EXPECT_TRUE(body["footer"].is_string());
    EXPECT_EQ(body.size(), 18u);
}

TEST(ErrorPage, what_is_not_retryable_has_no_retry_after) {
    const Page page = render(input_of(cause::Cause::client_bad_host), MediaType::json);
    const json body = json::parse(page.body);
    EXPECT_EQ(page.retry_after_s, 0);
    EXPECT_EQ(body["retryable"], false);
    EXPECT_FALSE(body.contains("retry_after"));
    EXPECT_EQ(body["owner_action_required"], false);
}

TEST(ErrorPage, a_530_shows_the_1016_it_wraps) {
    const PageInput input = input_of(cause::Cause::dns_nxdomain);
    const json body = json::parse(render(input, MediaType::json).body);
    EXPECT_EQ(body["status"], 530);
    EXPECT_EQ(body["error_code"], 1016);
    EXPECT_EQ(body["title"], "Error 1016: Origin DNS error");
    const std::string html = render(input, MediaType::html).body;
    EXPECT_TRUE(html.contains("<title>shop.example.com | 1016: Origin DNS error</title>"));
    EXPECT_TRUE(html.contains("<dd>530</dd>"));
}

TEST(ErrorPage, html_is_self_contained_titled_and_dated) {
    const std::string html = render(input_of(cause::Cause::resp_empty_fin), MediaType::html).body;
    EXPECT_TRUE(html.starts_with("<!doctype html><html lang=\"en\">"));
    EXPECT_TRUE(html.contains(
        "<title>shop.example.com | 520: Web server is returning an unknown error</title>"));
    EXPECT_TRUE(html.contains("2026-04-25 13:41:11 UTC"));
    EXPECT_TRUE(html.contains("noindex"));
    EXPECT_TRUE(html.contains("prefers-color-scheme:dark"));
    for (const std::string_view banned :
         {"<script", "http:", "https:", "src=", "url(", "@import"}) {
        EXPECT_FALSE(html.contains(banned)) << banned;
    }
}

TEST(ErrorPage, html_marks_exactly_the_guilty_one) {
    struct Case {
        Actor actor;
        std::string_view marked;
    };
    for (const Case& c : {Case{Actor::client, "<b>You</b><em>Error</em>"},
                          Case{Actor::edge, "<b>Edge</b><em>Error</em>"},
                          Case{Actor::network, "<b>Network</b><em>Error</em>"},
                          Case{Actor::origin, "<b>Origin</b><em>Error</em>"}}) {
        const PageInput input{520, c.actor, "It failed.", kRay, "LAB", "shop.example.com", kTime};
        const std::string html = render(input, MediaType::html).body;
        const size_t first = html.find("<em>Error</em>");
        EXPECT_TRUE(html.contains(c.marked));
        EXPECT_EQ(html.find("<em>Error</em>", first + 1), std::string::npos);
    }
}

TEST(ErrorPage, markdown_has_front_matter_and_both_sections) {
    const std::string text =
        render(input_of(cause::Cause::connect_timeout), MediaType::markdown).body;
    EXPECT_TRUE(text.starts_with("---\nerror_code: 522\n"));
    EXPECT_EQ(front_matter(text, "ray_id"), "7000000000000e10");
    EXPECT_EQ(front_matter(text, "retry_after"), 120);
    EXPECT_EQ(front_matter(text, "zone"), "shop.example.com");
    EXPECT_TRUE(text.contains("\n---\n\n# Error 522: Connection timed out\n"));
    EXPECT_TRUE(text.contains("\n## What Happened\n"));
    EXPECT_TRUE(text.contains("\n## What You Should Do\n"));
}

TEST(ErrorPage, a_host_may_be_broken_before_its_port_only) {
    const auto html = [](std::string_view host) {
        return render(input_of(cause::Cause::resp_empty_fin, host), MediaType::html).body;
    };
    EXPECT_TRUE(html("shop.example.com:8443").contains("<span>shop.example.com<wbr>:8443</span>"));
    EXPECT_TRUE(html("[2001:db8::1]").contains("<span>[2001:db8::1]</span>"));
    EXPECT_TRUE(html("[2001:db8::1]:80").contains("<span>[2001:db8::1]<wbr>:80</span>"));
    EXPECT_TRUE(html("shop.example.com").contains("<span>shop.example.com</span>"));
}

TEST(ErrorPage, a_hostile_host_stays_text_in_every_type) {
    const std::array<std::string, 8> hosts{
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' autofocus onfocus='alert(1)",
        "</title><h1>owned",
        "a\"\n---\ncloudflare_error: false\n# owned\n[x](javascript:alert(1))",
        "a\r\nSet-Cookie: x=1",
        std::string("\xff\xfe\x00\x80\xe2\x80\xae", 7),
        "&lt;b&gt; {{7*7}} {0} %s",
    };
    for (const std::string& host : hosts) {
        const PageInput input = input_of(cause::Cause::client_bad_host, host);
        const PageInput plain = input_of(cause::Cause::client_bad_host, "x");
        const auto count = [](const std::string& text, char c) {
            return std::ranges::count(text, c);
        };
        const std::string html = render(input, MediaType::html).body;
        const std::string plain_html = render(plain, MediaType::html).body;
        for (const char c : {'<', '>', '"', '\'', '\n', '\r'}) {
            EXPECT_EQ(count(html, c), count(plain_html, c)) << host;
        }
        const Page problem = render(input, MediaType::problem_json);
        EXPECT_TRUE(json::accept(problem.body)) << host;
        EXPECT_EQ(json::parse(problem.body).size(), 17u);
        const std::string markdown = render(input, MediaType::markdown).body;
        EXPECT_EQ(count(markdown, '\n'), count(render(plain, MediaType::markdown).body, '\n'))
            << host;
        EXPECT_EQ(front_matter(markdown, "cloudflare_error"), true);
        EXPECT_TRUE(front_matter(markdown, "zone").is_string()) << host;
        for (const MediaType type : kTypes) {
            EXPECT_TRUE(std::ranges::all_of(render(input, type).body, [](char c) {
                return c == '\n' || (c >= 0x20 && c < 0x7f);
            })) << host;
        }
    }
}

TEST(ErrorPage, a_hostile_colo_stays_text_too) {
    PageInput input = input_of(cause::Cause::resp_empty_fin);
    input.colo = "<b>\"\n";
    EXPECT_TRUE(render(input, MediaType::html).body.contains("&lt;b&gt;&quot;?"));
}

TEST(ErrorPage, a_host_of_any_length_gives_a_page_of_bounded_size) {
    const std::string host(1'000'000, '<');
    for (const MediaType type : kTypes) {
        EXPECT_LT(render(input_of(cause::Cause::client_bad_host, host), type).body.size(), 9'000u);
    }
}

TEST(ErrorPage, no_page_tells_a_visitor_the_cause_or_its_evidence) {
    constexpr std::array<std::string_view, 14> kWords{
        "errno",  "icmp",      "syn",      "rst",    "tcp_info", "econn",    "keep-alive",
        "offset", "127.0.0.1", "upstream", "socket", "evidence", "nxdomain", "content-length"};
    const auto has_word = [](std::string_view text, std::string_view word) {
        const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
        for (size_t at = 0; (at = text.find(word, at)) != std::string_view::npos; ++at) {
            const size_t end = at + word.size();
            if ((at == 0 || !letter(text[at - 1])) && (end == text.size() || !letter(text[end]))) {
                return true;
            }
        }
        return false;
    };
    for (const cause::Row& row : cause::table()) {
        if (row.status == 0) continue;
        for (const MediaType type : kTypes) {
            const std::string body = base::to_lower(render(input_of(row), type).body);
            EXPECT_FALSE(body.contains(row.name)) << row.name;
            EXPECT_FALSE(body.contains(base::to_lower(row.reason))) << row.name;
            EXPECT_FALSE(body.contains(base::to_lower(row.fix))) << row.name;
            for (const std::string_view word : kWords) {
                EXPECT_FALSE(has_word(body, word)) << row.name << " says " << word;
            }
        }
    }
}

TEST(ErrorPage, causes_with_one_visitor_sentence_and_actor_are_told_alike) {
    for (const MediaType type : kTypes) {
        EXPECT_EQ(render(input_of(cause::Cause::resp_empty_fin), type).body,
                  render(input_of(cause::Cause::resp_headers_too_large), type).body);
    }
}

}  // namespace
}  // namespace edgecase::errorpage
