#include "edge/link_memory.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace edgecase::edge {
namespace {

using http::FieldName;
using http::FieldView;

constexpr std::string_view kStyle = "</a.css>; rel=preload; as=style";

class LinkMemoryTest : public testing::Test {
  protected:
    void learn(std::string_view path, std::vector<FieldView> more, std::string_view method = "GET",
               uint16_t status = 200) {
        response_fields = std::move(more);
        response_fields.push_back({"Content-Type", type, FieldName::content_type});
        http::ResponseHeadView response;
        response.status = status;
        response.fields = response_fields;
        memory.learn(request(path, method), response, now);
    }
    http::RequestHeadView request(std::string_view path, std::string_view method = "GET") {
        http::RequestHeadView head;
        head.method = method;
        head.host = "a.test";
        head.path = path;
        head.fields = request_fields;
        return head;
    }
    std::string_view find(std::string_view path) { return memory.find(request(path), now); }

    std::string_view type = "text/html; charset=utf-8";
    std::vector<FieldView> request_fields;
    std::vector<FieldView> response_fields;
    base::SteadyTime now{};
    LinkMemory memory;
};

TEST_F(LinkMemoryTest, a_page_s_links_serve_every_query_and_are_replaced) {
    learn("/page?q=1", {{"Link", kStyle}});
    EXPECT_EQ(memory.pages(), 0u) << "they may be about the query";
    learn("/page", {{"Link", kStyle}});
    EXPECT_EQ(find("/page"), kStyle);
    EXPECT_EQ(find("/page?other"), kStyle);
    EXPECT_EQ(find("/pag"), "");
    learn("/page", {{"link", "</b.js>; rel=modulepreload"}, {"Link", "<//c.test>;rel=preconnect"}});
    EXPECT_EQ(find("/page"), "</b.js>; rel=modulepreload, <//c.test>;rel=preconnect");
    learn("/page", {});
    EXPECT_EQ(find("/page"), "");
    EXPECT_EQ(memory.pages(), 0u);
}

TEST_F(LinkMemoryTest, only_pages_for_everybody_count) {
    learn("/a", {{"Link", kStyle}, {"Cache-Control", "max-age=0, private"}});
    learn("/b", {{"Link", kStyle}, {"Cache-Control", "No-Store"}});
    learn("/c", {{"Link", kStyle}}, "POST");
    learn("/d", {{"Link", kStyle}}, "GET", 404);
    type = "application/json";
    learn("/e", {{"Link", kStyle}});
    type = "text/html";
    request_fields = {{"Authorization", "Basic abc"}};
    learn("/f", {{"Link", kStyle}});
    request_fields.clear();
    learn("/h", {{"Link", kStyle}, {"Set-Cookie", "a=b"}});
    learn("/i", {{"Link", kStyle}, {"Vary", "Accept-Encoding, Cookie"}});
    learn("/j", {{"Link", kStyle}, {"Vary", "*"}});
    request_fields = {{"Cookie", "session=1"}};
    learn("/k", {{"Link", kStyle}});
    EXPECT_EQ(memory.pages(), 0u);
    learn("/l", {{"Link", kStyle}, {"Cache-Control", "public, max-age=60"}});
    request_fields.clear();
    learn("/m", {{"Link", kStyle}, {"vary", "accept-encoding"}});
    EXPECT_EQ(memory.pages(), 2u);
}

TEST_F(LinkMemoryTest, what_a_page_has_become_makes_it_forgotten) {
    for (const uint16_t status : std::initializer_list<uint16_t>{301, 401, 404, 500}) {
        learn("/page", {{"Link", kStyle}});
        learn("/page", {{"Link", kStyle}}, "GET", 304);
        EXPECT_EQ(find("/page"), kStyle);
        learn("/page", {{"Link", kStyle}}, "GET", status);
        EXPECT_EQ(memory.pages(), 0u) << status;
    }
    learn("/page", {{"Link", kStyle}});
    learn("/page", {{"Link", kStyle}, {"Cache-Control", "private"}});
    EXPECT_EQ(memory.pages(), 0u);
}

TEST_F(LinkMemoryTest, a_page_nobody_visits_is_not_hinted_for_ever) {
    learn("/page", {{"Link", kStyle}});
    now += LinkMemory::kMaximumAge;
    EXPECT_EQ(find("/page"), kStyle);
    now += std::chrono::seconds(1);
    EXPECT_EQ(find("/page"), "");
    learn("/page", {{"Link", kStyle}});
    EXPECT_EQ(find("/page"), kStyle);
}

TEST_F(LinkMemoryTest, what_is_not_a_navigation_gets_no_hint) {
    learn("/page", {{"Link", kStyle}});
    request_fields = {{"Sec-Fetch-Mode", "cors"}};
    EXPECT_EQ(find("/page"), "");
    request_fields = {{"sec-fetch-mode", "navigate"}};
    EXPECT_EQ(find("/page"), kStyle);
    EXPECT_EQ(memory.find(request("/page", "HEAD"), now), "");
}

TEST_F(LinkMemoryTest, the_page_asked_for_longest_ago_goes_first) {
    learn("/first", {{"Link", kStyle}});
    learn("/second", {{"Link", kStyle}});
    EXPECT_EQ(find("/first"), kStyle);
    for (size_t i = 2; i < LinkMemory::kMaximumPages + 1; ++i) {
        learn("/" + std::to_string(i), {{"Link", kStyle}});
    }
    EXPECT_EQ(memory.pages(), LinkMemory::kMaximumPages);
    EXPECT_EQ(find("/first"), kStyle);
    EXPECT_EQ(find("/second"), "");
}

TEST_F(LinkMemoryTest, too_many_links_are_none) {
    const std::string long_link =
        "</" + std::string(LinkMemory::kMaximumBytes, 'a') + ">;rel=preload";
    learn("/page", {{"Link", long_link}});
    EXPECT_EQ(memory.pages(), 0u);
}

TEST(HintableLinks, those_that_help_before_the_page_is_there) {
    EXPECT_EQ(hintable_links("</a,b.css>; rel=preload; as=style, </next>; rel=next"),
              "</a,b.css>; rel=preload; as=style");
    EXPECT_EQ(hintable_links(R"(</a>; title="x, y; rel=preload"; rel="next")"), "");
    EXPECT_EQ(hintable_links(R"(</a>; REL="prefetch PreLoad")"), R"(</a>; REL="prefetch PreLoad")");
    EXPECT_EQ(hintable_links("</a>; rel=next; rel=preload"), "");
    for (const auto* broken : {"", ",", ";", "<", "</a", "\"", "\\", "</a>; rel", "</a>; rel=\"",
                               "a; rel=preload", "</a>; x=\"\\"}) {
        EXPECT_EQ(hintable_links(broken), "") << broken;
    }
}

}  // namespace
}  // namespace edgecase::edge
