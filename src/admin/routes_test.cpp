#include "admin/routes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "admin/dashboard.hpp"

namespace edgecase::admin {
namespace {

using nlohmann::json;

class AdminRoutes : public testing::Test {
  protected:
    static EdgeStatus status() {
        EdgeStatus status;
        status.version = "1";
        status.profiles = {"default"};
        return status;
    }
    static Backend backend() {
        return {.metrics = [] { return std::string("edgecase_x 1\n"); },
                .origins = [] { return std::vector<OriginState>{}; },
                .switch_http2 = [](const auto&) { return false; },
                .status = [] { return status(); },
                .drain = [](bool) {},
                .set_profile = [](const auto&) { return std::expected<void, std::string>(); },
                .open_source = [] { return std::unexpected(std::string("no store")); },
                .tail = std::make_shared<TailHub>()};
    }
    static Request request(std::string method, std::string path) {
        Request one;
        one.method = std::move(method);
        one.path = std::move(path);
        one.host = "localhost";
        return one;
    }
    Router router_{backend(), ""};
    Router closed_{backend(), "0123456789abcdef"};
};

TEST_F(AdminRoutes, the_description_has_each_route_and_no_other) {
    const json description = json::parse(openapi());
    std::set<std::string> described;
    for (const auto& [path, operations] : description["paths"].items()) {
        for (const auto& [method, operation] : operations.items()) {
            std::string upper = method;
            std::ranges::transform(upper, upper.begin(),
                                   [](char c) { return char(c - 'a' + 'A'); });
            described.insert(upper + " " + path);
            EXPECT_FALSE(operation["summary"].get<std::string>().empty()) << path;
        }
    }
    std::set<std::string> served;
    for (const Route& route : routes()) {
        served.insert(std::string(route.method) + " " + std::string(route.path));
    }
    EXPECT_EQ(described, served);
}

TEST_F(AdminRoutes, without_the_token_only_what_is_open_answers) {
    for (const Route& route : routes()) {
        Request one = request(std::string(route.method), std::string(route.path));
        one.content_type = "application/json";
        const uint16_t status = closed_.answer(one).status;
        if (route.open) {
            EXPECT_NE(status, 401) << route.path;
        } else {
            EXPECT_EQ(status, 401) << route.path;
        }
    }
    const auto status = json::parse(closed_.answer(request("GET", "/api/status")).body);
    EXPECT_EQ(status.size(), 2u) << "nothing but version and that a token is needed";
}

TEST_F(AdminRoutes, every_answer_keeps_pages_in_their_place) {
    for (const char* path : {"/", "/api/cases", "/nothing.js", "/metrics", "/healthz"}) {
        const Response response = router_.answer(request("GET", path));
        const auto has = [&](std::string_view name) {
            return std::ranges::any_of(response.fields,
                                       [&](const auto& one) { return one.first == name; });
        };
        EXPECT_TRUE(has("Content-Security-Policy")) << path;
        EXPECT_TRUE(has("X-Content-Type-Options")) << path;
    }
}

TEST_F(AdminRoutes, what_is_not_there_is_said_so) {
    EXPECT_EQ(router_.answer(request("GET", "/api/nothing")).status, 404);
    EXPECT_EQ(router_.answer(request("GET", "/api/rays/")).status, 404);
    EXPECT_EQ(router_.answer(request("GET", "/api/rays/a/b")).status, 404);
    EXPECT_EQ(router_.answer(request("DELETE", "/api/cases")).status, 405);
    EXPECT_EQ(router_.answer(request("GET", "/app/../etc/passwd.txt")).status, 404);
    EXPECT_EQ(router_.answer(request("GET", "/api/cases")).status, 503) << "no store";
    EXPECT_EQ(router_.answer(request("GET", "/api/causes/resp.empty_fin")).status, 200);
    EXPECT_EQ(router_.answer(request("GET", "/api/causes/resp")).status, 404);
    EXPECT_EQ(router_.answer(request("HEAD", "/healthz")).status, 200);
}

/// A store that is missing once must not be told of for ever.
TEST_F(AdminRoutes, an_error_of_the_findings_is_not_kept) {
    int asked = 0;
    Backend backend = AdminRoutes::backend();
    backend.open_source = [&] { return std::unexpected("no store " + std::to_string(++asked)); };
    Router router(std::move(backend), "");
    const Response first = router.answer(request("GET", "/api/findings"));
    const Response second = router.answer(request("GET", "/api/findings"));
    EXPECT_EQ(first.status, 503);
    EXPECT_NE(first.body, second.body);
}

TEST(AdminTail, a_reader_without_room_is_told_how_much_it_lost) {
    TailHub hub;
    record::RecordView record;
    record.cause = cause::Cause::resp_empty_fin;
    EXPECT_FALSE(hub.is_wanted(record));
    auto watcher = hub.watch(TailHub::Wanted::cases);
    EXPECT_TRUE(hub.is_wanted(record));
    EXPECT_FALSE(hub.is_wanted(record::RecordView{}));
    for (int i = 0; i < 600; ++i) hub.publish(record);
    const auto taken = watcher->take();
    EXPECT_EQ(taken.rows.size(), 512u);
    EXPECT_EQ(taken.lost, 88u);
    EXPECT_TRUE(events_text(taken).ends_with("event: lost\ndata: {\"count\":88}\n\n"));
    watcher.reset();
    hub.publish(record);
    EXPECT_FALSE(hub.is_wanted(record));
}

TEST_F(AdminRoutes, orders_are_understood_or_refused) {
    const auto put = [&](std::string body) {
        Request one = request("PUT", "/api/switches");
        one.body = std::move(body);
        return router_.answer(one).status;
    };
    EXPECT_EQ(put(R"({"draining": true})"), 200);
    EXPECT_EQ(put(R"({"profile": "default"})"), 200);
    EXPECT_EQ(put(R"({"profile": "nothing"})"), 404);
    for (const char* wrong : {"", "{}", "[]", R"({"draining": 1})", R"({"more": true})", "\xff"}) {
        EXPECT_EQ(put(wrong), 400) << wrong;
    }
}

}  // namespace
}  // namespace edgecase::admin
