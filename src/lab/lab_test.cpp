#include "lab/lab.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "lab/list.hpp"
#include "lab/scenario.hpp"

namespace edgecase::lab {
namespace {

using namespace std::chrono_literals;

constexpr int kWaitMs = 10'000;

/// A client made of plain system calls, which notes how the connection ended.
struct Client {
    Socket socket;
    std::string received;
    bool got_fin = false;
    bool got_rst = false;

    explicit Client(const ip::Endpoint& to) : socket(begin_connect(to)) {
        pollfd polled{socket.descriptor(), POLLOUT, 0};
        poll(&polled, 1, kWaitMs);
    }

    bool wait(short events, int timeout_ms = kWaitMs) const {
        pollfd polled{socket.descriptor(), events, 0};
        return poll(&polled, 1, timeout_ms) == 1;
    }

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent =
                ::send(socket.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent >= 0) {
                bytes.remove_prefix(static_cast<size_t>(sent));
            } else if (errno != EAGAIN || !wait(POLLOUT)) {
                got_rst = errno == ECONNRESET;
                return;
            }
        }
    }

    void ask(std::string_view path, std::string_view method = "GET", uint64_t body_bytes = 0,
             std::string_view headers = "") {
        std::string text = std::string(method) + " " + std::string(path) +
                           " HTTP/1.1\r\nHost: lab.test\r\n" + std::string(headers);
        if (body_bytes > 0) text += "Content-Length: " + std::to_string(body_bytes) + "\r\n";
        send(text + "\r\n");
        send(std::string(static_cast<size_t>(body_bytes), 'u'));
    }

    /// Reads until the end, or until `enough` is there.
    void read(std::string_view enough = "") {
        std::array<char, 65536> buffer;
        while (enough.empty() || !received.contains(enough)) {
            if (!wait(POLLIN)) return;
            const ssize_t got = recv(socket.descriptor(), buffer.data(), buffer.size(), 0);
            if (got > 0) received.append(buffer.data(), static_cast<size_t>(got));
            got_fin = got == 0;
            got_rst = got_rst || (got < 0 && errno == ECONNRESET);
            if (got_fin || (got < 0 && errno != EAGAIN)) return;
        }
    }
};

class RunningLab : public testing::Test {
  protected:
    void SetUp() override {
        auto started = Lab::start({});
        ASSERT_TRUE(started) << started.error();
        lab_ = std::move(*started);
    }

    Client perform(const Scenario& scenario) {
        Client client(lab_->ports().origin(scenario));
        client.ask(scenario.request_path(), scenario.method, scenario.request_body_bytes,
                   scenario.request_headers);
        client.read();
        return client;
    }

    Client perform(std::string_view name) {
        const Scenario* const scenario = find_scenario(name);
        EXPECT_NE(scenario, nullptr) << name;
        return perform(*scenario);
    }

    std::unique_ptr<Lab> lab_;
};

TEST(Scenarios, there_is_one_named_after_every_cause_an_origin_can_have) {
    // Clients and the edge itself need no lab; every other phase does, those still to come too.
    const std::set<std::string_view> others{"none", "client", "edge"};
    for (const cause::Row& row : cause::table()) {
        // It takes a pool, not an origin.
        if (row.cause == cause::Cause::connect_no_healthy_origin) continue;
        if (others.contains(row.phase())) continue;
        const Scenario* const scenario = find_scenario(row.name);
        ASSERT_NE(scenario, nullptr) << row.name << " has no scenario";
        EXPECT_EQ(scenario->cause, row.cause) << row.name;
    }
}

TEST(Scenarios, are_named_after_their_cause_and_once) {
    std::set<std::string_view> names;
    for (const Scenario& scenario : scenarios()) {
        EXPECT_TRUE(names.insert(scenario.name).second) << scenario.name;
        const std::string_view plain = scenario.name.substr(0, scenario.name.find('-'));
        const bool is_good = scenario.cause == cause::Cause::none;
        EXPECT_EQ(plain, is_good ? "ok" : cause::row(scenario.cause).name) << scenario.name;
    }
}

TEST(Scenarios, expect_the_status_of_their_cause_unless_it_was_already_sent) {
    for (const Scenario& scenario : scenarios()) {
        const uint16_t status = cause::row(scenario.cause).status;
        if (status == 0) continue;
        EXPECT_EQ(scenario.status, scenario.aborts_client ? 200 : status) << scenario.name;
    }
}

TEST(Scenarios, are_self_describing) {
    for (const Scenario& scenario : scenarios()) {
        EXPECT_TRUE(scenario.description.ends_with('.')) << scenario.name;
        const bool needs_setup = scenario.target == Target::network;
        EXPECT_EQ(!scenario.setup.empty(), needs_setup) << scenario.name;
        if (scenario.target == Target::edge_setting) EXPECT_NE(scenario.edge_config, "");
        EXPECT_EQ(scenario.side != Side::none, needs_setup) << scenario.name;
        const bool is_http = scenario.target == Target::main || scenario.target == Target::reuse;
        if (is_http) EXPECT_TRUE(scenario.is_served()) << scenario.name;
        const bool is_h2 = scenario.target == Target::h2 ||
                           (scenario.target == Target::own && scenario.tls.takes_h2() &&
                            scenario.tls.admit == nullptr);
        EXPECT_EQ(scenario.is_served_in_h2(), is_h2) << scenario.name;
        const bool is_plain_tls =
            scenario.target == Target::tls || scenario.target == Target::tls_reuse;
        if (is_plain_tls) EXPECT_TRUE(scenario.is_served()) << scenario.name;
        EXPECT_TRUE(scenario.as.empty() || find_scenario(scenario.as)->is_served())
            << scenario.name;
        EXPECT_TRUE(scenario.warmup_path.empty() ||
                    find_scenario(scenario.warmup_path.substr(1)) != nullptr)
            << scenario.name;
    }
}

TEST_F(RunningLab, sends_exactly_the_bytes_of_a_scenario_then_ends_as_it_says) {
    for (const Scenario& scenario : scenarios()) {
        if (scenario.bytes.empty() || scenario.ending == Ending::hang) continue;
        const Client client = perform(scenario);
        EXPECT_EQ(client.received, scenario.bytes) << scenario.name;
        EXPECT_EQ(client.got_fin, scenario.ending == Ending::fin) << scenario.name;
        EXPECT_EQ(client.got_rst, scenario.ending == Ending::rst) << scenario.name;
    }
}

TEST_F(RunningLab, a_killed_process_that_read_the_request_leaves_fin) {
    for (int i = 0; i < 20; ++i) {
        const Client client = perform("body.short_fin-killed_child");
        EXPECT_TRUE(client.received.contains("Content-Length: 1000\r\n\r\nThe process"));
        EXPECT_TRUE(client.got_fin);
        EXPECT_TRUE(perform("resp.empty_fin-killed_child").got_fin);
    }
}

TEST_F(RunningLab, a_killed_process_that_left_bytes_unread_leaves_rst) {
    for (int i = 0; i < 20; ++i) {
        const Client client = perform("body.short_rst-killed_child");
        EXPECT_TRUE(client.received.contains("Content-Length: 1000\r\n\r\nThe process"));
        EXPECT_TRUE(client.got_rst);
        EXPECT_TRUE(perform("resp.empty_rst-killed_child").got_rst);
    }
}

TEST_F(RunningLab, large_variants_pass_the_hold_back_before_they_fail) {
    for (const auto name : {"body.short_fin-large", "body.short_rst-large",
                            "body.chunk_truncated-large", "body.close_delimited_rst-large"}) {
        const Client client = perform(name);
        EXPECT_GT(client.received.size(), 262'144u) << name;
        EXPECT_EQ(client.got_rst, std::string_view(name).contains("rst")) << name;
    }
}

TEST_F(RunningLab, header_sizes_are_those_that_are_claimed) {
    const auto section = [this](std::string_view name) {
        const std::string received = perform(name).received;
        const size_t first = received.find("\r\n") + 2;
        return received.substr(first, received.find("\r\n\r\n") + 2 - first);
    };
    for (const auto name : {"resp.headers_too_large", "resp.headers_too_large-set_cookie",
                            "resp.headers_too_large-x_debug", "resp.headers_too_large-link"}) {
        EXPECT_GT(section(name).size(), 36u * 1024) << name;
        EXPECT_LT(section(name).size(), 48u * 1024) << name;
    }
    EXPECT_GT(section("resp.header_line_too_large").size(), 16u * 1024);
    EXPECT_LT(section("resp.header_line_too_large").size(), 32u * 1024);
    EXPECT_LT(section("resp.too_many_headers").size(), 16u * 1024);
    EXPECT_GT(section("ok-headers_30k").size(), 30'000u);
    EXPECT_LT(section("ok-headers_30k").size(), 32u * 1024);
}

TEST_F(RunningLab, an_upload_is_refused_while_it_is_still_being_sent) {
    EXPECT_TRUE(perform("request.write_reset").got_rst);
    Client closed(lab_->ports().main);
    closed.send("POST /request.write_closed HTTP/1.1\r\nContent-Length: 8388608\r\n\r\n");
    closed.send(std::string(128ULL * 1024, 'u'));
    closed.read();
    EXPECT_TRUE(closed.got_fin);
    EXPECT_EQ(closed.received, "");
}

TEST_F(RunningLab, a_stalled_upload_fills_the_window) {
    Client client(lab_->ports().main);
    client.send("POST /request.write_stalled HTTP/1.1\r\nContent-Length: 8388608\r\n\r\n");
    const std::string block(65536, 'u');
    size_t sent = 0;
    // Half a second without room: the kernel retries a closed window far more often than that.
    while (sent < 8'388'608 && client.wait(POLLOUT, 500)) {
        const ssize_t taken =
            ::send(client.socket.descriptor(), block.data(), block.size(), MSG_NOSIGNAL);
        ASSERT_TRUE(taken >= 0 || errno == EAGAIN);
        if (taken > 0) sent += static_cast<size_t>(taken);
    }
    EXPECT_LT(sent, 8'388'608u);
}

TEST_F(RunningLab, reads_a_chunked_upload_and_answers_100_continue_when_asked) {
    Client client(lab_->ports().main);
    client.send(
        "POST /ok-post HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
        "Expect: 100-continue\r\n\r\n");
    client.read("100 Continue\r\n\r\n");
    client.send("5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n");
    client.read();
    EXPECT_TRUE(client.received.contains("HTTP/1.1 200 OK")) << client.received;
    EXPECT_TRUE(client.got_fin);
}

TEST_F(RunningLab, the_reuse_port_keeps_the_connection_and_fails_only_a_reused_one) {
    Client client(lab_->ports().reuse);
    client.ask("/ok");
    client.read("well.\n");
    client.ask("/ok-keep_alive?with=query");
    client.received.clear();
    client.read("well.\n");
    EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200 OK\r\n"));
    client.received.clear();
    client.ask("/reuse.stale", "POST", 512ULL * 1024);
    client.read();
    EXPECT_EQ(client.received, "");
    EXPECT_TRUE(client.got_fin);

    Client fresh(lab_->ports().reuse);
    fresh.ask("/ok-retried_rst");
    fresh.read("connection.\n");
    EXPECT_TRUE(fresh.received.starts_with("HTTP/1.1 200 OK\r\n"));
    fresh.received.clear();
    fresh.ask("/ok-retried_rst");
    fresh.read();
    EXPECT_EQ(fresh.received, "");
    EXPECT_TRUE(fresh.got_rst);
}

TEST_F(RunningLab, answers_head_without_a_body) {
    for (const auto path : {"/ok-head", "/ok-chunked", "/ok-103", "/ok-large", "/"}) {
        Client client(lab_->ports().main);
        client.ask(path, "HEAD");
        client.read();
        EXPECT_TRUE(client.received.contains("HTTP/1.1 200 OK")) << path;
        EXPECT_TRUE(client.received.ends_with("\r\n\r\n")) << path;
    }
}

TEST_F(RunningLab, lists_itself_and_knows_no_other_path) {
    Client list(lab_->ports().main);
    list.ask("/");
    list.read();
    EXPECT_TRUE(list.received.contains("resp.headers_too_large-set_cookie"));
    Client json(lab_->ports().main);
    json.ask("/", "GET", 0, "Accept: application/json\r\n");
    json.read();
    EXPECT_TRUE(json.received.ends_with(list_json(&lab_->ports())));
    for (const auto path : {"/no-such-scenario", "/connect.refused"}) {
        Client client(lab_->ports().main);
        client.ask(path);
        client.read();
        EXPECT_TRUE(client.received.starts_with("HTTP/1.1 404 ")) << path;
    }
}

TEST_F(RunningLab, the_closed_port_refuses) {
    Client client(lab_->ports().closed);
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(client.socket.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size);
    EXPECT_EQ(error, ECONNREFUSED);
}

TEST_F(RunningLab, the_full_queue_lets_no_connection_through) {
    for (int i = 0; i < 3; ++i) {
        const Socket socket = begin_connect(lab_->ports().full_queue);
        ASSERT_TRUE(socket.is_open());
        pollfd polled{socket.descriptor(), POLLOUT, 0};
        // Long enough for the first retransmission of the SYN (1 s).
        EXPECT_EQ(poll(&polled, 1, i == 0 ? 1500 : 0), 0);
    }
}

TEST_F(RunningLab, stops_at_once_though_clients_hang) {
    std::vector<Client> clients;
    for (const auto path : {"/time.first_byte", "/time.headers_slow", "/request.write_stalled"}) {
        clients.emplace_back(lab_->ports().main);
        clients.back().ask(path);
    }
    clients.emplace_back(lab_->ports().main);
    const auto start = std::chrono::steady_clock::now();
    lab_->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST_F(RunningLab, says_clearly_when_its_port_is_taken) {
    const auto second = Lab::start({lab_->ports().main});
    ASSERT_FALSE(second);
    EXPECT_TRUE(second.error().contains(lab_->ports().main.to_string())) << second.error();
}

TEST_F(RunningLab, lists_rows_with_ports_only_when_it_runs) {
    const auto running = nlohmann::json::parse(list_json(&lab_->ports()));
    const auto planned = nlohmann::json::parse(list_json());
    ASSERT_EQ(running.size(), scenarios().size());
    for (size_t i = 0; i < running.size(); ++i) {
        EXPECT_NE(running[i]["port"], 0);
        EXPECT_EQ(planned[i]["port"], 0);
        EXPECT_EQ(planned[i]["scenario"], scenarios()[i].name);
    }
}

}  // namespace
}  // namespace edgecase::lab
