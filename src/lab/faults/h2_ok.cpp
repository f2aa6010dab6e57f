// Over HTTP/2 the origin does nothing wrong.
#include <array>
#include <string>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"
#include "lab/h2_exchange.hpp"

namespace edgecase::lab::faults {
namespace {

using std::chrono::milliseconds;

const std::vector<Field> kOk{{":status", "200"}, {"content-type", "text/plain"}};

void serve_ok(H2Exchange& exchange) {
    exchange.answer("200", "The origin is well, over HTTP/2.\n");
}

void serve_no_content(H2Exchange& exchange) {
    exchange.send(h2::headers(exchange.stream_id(), {{":status", "204"}}, h2::kEndStream));
}

void serve_trailers(H2Exchange& exchange) {
    exchange.send(h2::headers(exchange.stream_id(), kOk));
    exchange.send_data("hello");
    exchange.send(h2::headers(exchange.stream_id(), {{"x-checksum", "3610a686"}}, h2::kEndStream));
}

void serve_103(H2Exchange& exchange) {
    exchange.send(h2::headers(exchange.stream_id(),
                              {{":status", "103"}, {"link", "</style.css>; rel=preload"}}));
    exchange.answer("200", "hello");
}

void serve_no_length(H2Exchange& exchange) {
    exchange.send(h2::headers(exchange.stream_id(), kOk));
    exchange.send_data("hello", true);
}

void serve_large(H2Exchange& exchange) {
    std::vector<Field> fields = kOk;
    fields.push_back({"content-length", "1048576"});
    if (exchange.send(h2::headers(exchange.stream_id(), fields))) {
        exchange.send_filler(1'048'576, true);
    }
}

void serve_slow_body(H2Exchange& exchange) {
    exchange.send(h2::headers(exchange.stream_id(), kOk));
    for (int i = 0; i < 10 && exchange.pause(milliseconds(100)); ++i) {
        if (!exchange.send_filler(1024, i == 9)) return;
    }
}

void serve_early_reply(H2Exchange& exchange) {
    exchange.send(h2::headers(exchange.stream_id(), {{":status", "413"}, {"content-length", "9"}}));
    exchange.send_data("Too much\n", true);
    exchange.send(h2::rst_stream(exchange.stream_id(), h2::kNoError));
    exchange.drop_body();
}

void serve_padded(H2Exchange& exchange) {
    const std::string padding(100, '\0');
    exchange.send(h2::headers(exchange.stream_id(), kOk));
    exchange.send(
        h2::data(exchange.stream_id(), "\x64hello" + padding, h2::kEndStream | h2::kPadded));
}

void serve_split_headers(H2Exchange& exchange) {
    std::vector<Field> fields = kOk;
    fields.push_back({"x-debug", std::string(2000, 'd')});
    exchange.send(h2::long_headers(exchange.stream_id(), fields, 500));
    exchange.send_data("hello", true);
}

void serve_last(H2Exchange& exchange) {
    exchange.send(h2::goaway(exchange.stream_id(), h2::kNoError));
    exchange.answer("200", "The last response of this connection.\n");
    exchange.finish();
}

void refuse_if_reused(H2Exchange& exchange) {
    if (exchange.nth_request() == 1) return serve_ok(exchange);
    exchange.send(h2::rst_stream(exchange.stream_id(), h2::kRefusedStream));
}

void leave_if_reused(H2Exchange& exchange) {
    if (exchange.nth_request() == 1) return serve_ok(exchange);
    exchange.send(h2::goaway(exchange.stream_id() - 2, h2::kNoError));
    exchange.finish();
}

void close_if_reused(H2Exchange& exchange) {
    if (exchange.nth_request() == 1) return serve_ok(exchange);
    exchange.finish();
}

void demand_http11(H2Exchange& exchange) {
    exchange.send(h2::rst_stream(exchange.stream_id(), h2::kHttp11Required));
}

constexpr Scenario good(std::string_view name, std::string_view description,
                        void (*serve)(H2Exchange&)) {
    return {.name = name,
            .status = 200,
            .description = description,
            .target = Target::h2,
            .serve_h2 = serve};
}

constexpr Scenario with(Scenario scenario, std::string_view method, uint64_t body_bytes) {
    scenario.method = method;
    scenario.request_body_bytes = body_bytes;
    return scenario;
}

constexpr Scenario with(Scenario scenario, uint16_t status) {
    scenario.status = status;
    return scenario;
}

constexpr Scenario reused(Scenario scenario) {
    scenario.warmup_path = "/ok-h2";
    return scenario;
}

/// Over HTTP/1.1 as another scenario says.
constexpr Scenario downgraded(Scenario scenario, std::string_view as, cause::Cause cause,
                              uint16_t status) {
    scenario.target = Target::own;  // an edge may remember what a port wants
    scenario.tls.alpn = Alpn::h2;
    scenario.as = as;
    scenario.cause = cause;
    scenario.status = status;
    return scenario;
}

constexpr std::array kScenarios{
    good("ok-h2", "Answers 200 with content-length.", serve_ok),
    with(good("ok-h2-head", "Answers HEAD without a body.", serve_ok), "HEAD", 0),
    with(good("ok-h2-post", "Reads a 4 KiB body and answers 200.", serve_ok), "POST", 4096),
    with(good("ok-h2-upload", "Reads an 8 MiB body and answers 200.", serve_ok), "POST",
         8ULL * 1024 * 1024),
    with(good("ok-h2-204", "Answers 204.", serve_no_content), 204),
    good("ok-h2-trailers", "Answers with a body and a trailer field.", serve_trailers),
    good("ok-h2-103", "Sends 103 Early Hints before the final response.", serve_103),
    good("ok-h2-no_length", "Answers without content-length.", serve_no_length),
    good("ok-h2-large", "Answers with 1 MiB.", serve_large),
    good("ok-h2-slow_body", "Sends its body in ten parts, 100 ms apart.", serve_slow_body),
    with(with(good("ok-h2-early_reply",
                   "Answers 413 to an 8 MiB upload at once and resets the stream with NO_ERROR.",
                   serve_early_reply),
              "POST", 8ULL * 1024 * 1024),
         413),
    good("ok-h2-padding", "Sends its body with padding.", serve_padded),
    good("ok-h2-continuation", "Sends its headers in five frames.", serve_split_headers),
    good("ok-h2-goaway", "Says GOAWAY with NO_ERROR, answers, and closes.", serve_last),
    reused(good("ok-h2-reused", "Answers two requests on one connection.", serve_ok)),
    reused(good("ok-h2-retried",
                "Refuses the stream on a reused connection, and answers on a new one.",
                refuse_if_reused)),
    reused(good("ok-h2-goaway_retried",
                "Says GOAWAY instead of answering on a reused connection, and answers on a new "
                "one.",
                leave_if_reused)),
    reused(good("ok-h2-fin_retried",
                "Closes a reused connection instead of answering, and answers on a new one.",
                close_if_reused)),
    downgraded(good("ok-h2-downgrade",
                    "Demands HTTP/1.1 (RST_STREAM with HTTP_1_1_REQUIRED), and answers over it.",
                    demand_http11),
               "ok", cause::Cause::none, 200),
    downgraded(good("resp.empty_fin-h2_downgrade",
                    "Demands HTTP/1.1, and over it sends FIN instead of an answer.", demand_http11),
               "resp.empty_fin", cause::Cause::resp_empty_fin, 520),
};

}  // namespace

std::span<const Scenario> h2_ok() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
