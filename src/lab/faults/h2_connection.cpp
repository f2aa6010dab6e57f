// An HTTP/2 connection is none, or ends with streams in flight.
#include <array>
#include <string>

#include "lab/faults/faults.hpp"
#include "lab/h2_exchange.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;
using namespace std::string_view_literals;

bool take_preface(Connection& connection) {
    return connection.read_until(h2::kPreface, 1024).has_value();
}

void speak_http1(Connection& connection) {
    if (!take_preface(connection)) return;
    connection.send(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n"
        "Content-Length: 0\r\n\r\n");
    connection.finish();
}

void speak_nonsense(Connection& connection) {
    if (!take_preface(connection)) return;
    connection.send("\xde\xad\xbe\xef\x00\x01\x02\x03\xfe\xfd\xfc\xfb\x80\x81\x82\x83"sv);
    connection.finish();
}

void say_nothing(Connection& connection) {
    connection.pause(kPatience);
}

void allow_no_stream(Connection& connection) {
    H2Connection h2(connection);
    if (!h2.begin({{h2::kMaxConcurrentStreams, 0}})) return connection.finish();
    while (const auto request = h2.next_request()) {
        h2.send(h2::rst_stream(request->stream_id, h2::kRefusedStream));
    }
    connection.finish();
}

template <uint32_t Code>
void leave(H2Exchange& exchange) {
    exchange.send(h2::goaway(0, Code));
    exchange.finish();
}

void leave_midway(H2Exchange& exchange) {
    exchange.send(h2::goaway(exchange.stream_id(), h2::kInternalError, "out of memory"));
    exchange.finish();
}

void leave_before_end(H2Exchange& exchange) {
    exchange.send(h2::goaway(exchange.stream_id(), h2::kNoError));
    exchange.finish();
}

bool begin_response(H2Exchange& exchange) {
    return exchange.send(
        h2::headers(exchange.stream_id(), {{":status", "200"}, {"content-length", "1000"}}) +
        h2::data(exchange.stream_id(), "hello"));
}

constexpr Scenario own(std::string_view name, Cause cause, std::string_view description,
                       void (*admit)(Connection&)) {
    return {.name = name,
            .cause = cause,
            .description = description,
            .target = Target::own,
            .tls = {.alpn = Alpn::h2_only, .admit = admit}};
}

constexpr Scenario fault(std::string_view name, Cause cause, std::string_view description,
                         void (*serve)(H2Exchange&)) {
    return {.name = name,
            .cause = cause,
            .description = description,
            .target = Target::own,
            .tls = {.alpn = Alpn::h2_only},
            .serve_h2 = serve};
}

constexpr std::array kScenarios{
    own("h2.not_spoken", Cause::h2_not_spoken,
        "Agrees on h2 by ALPN, and answers the preface with 400 in HTTP/1.1.", speak_http1),
    own("h2.not_spoken-binary", Cause::h2_not_spoken,
        "Agrees on h2 by ALPN, and answers the preface with bytes of no known protocol.",
        speak_nonsense),
    Scenario{.name = "h2.settings_timeout",
             .cause = Cause::h2_settings_timeout,
             .status = 524,
             .description = "Agrees on h2 by ALPN and never says anything.",
             .target = Target::own,
             .tls = {.alpn = Alpn::h2_only, .admit = say_nothing}},
    own("h2.max_streams_zero", Cause::h2_max_streams_zero,
        "Allows no stream: SETTINGS_MAX_CONCURRENT_STREAMS is 0.", allow_no_stream),
    fault("h2.goaway_unprocessed", Cause::h2_goaway_unprocessed,
          "Says GOAWAY with INTERNAL_ERROR and last stream 0, and closes.",
          leave<h2::kInternalError>),
    fault("h2.goaway", Cause::h2_goaway,
          "Says GOAWAY with INTERNAL_ERROR and the stream as last, and closes.", leave_midway),
    fault("h2.goaway_unprocessed-no_error", Cause::h2_goaway_unprocessed,
          "Says GOAWAY with NO_ERROR and last stream 0, each time, and closes.",
          leave<h2::kNoError>),
    fault("h2.goaway_graceful", Cause::h2_goaway_graceful,
          "Says GOAWAY with NO_ERROR and the stream as last, and closes without an answer, each "
          "time.",
          leave_before_end),
    fault("h2.goaway_unprocessed-enhance_your_calm", Cause::h2_goaway_unprocessed,
          "Says GOAWAY with ENHANCE_YOUR_CALM and last stream 0, and closes.",
          leave<h2::kEnhanceYourCalm>),
    Scenario{.name = "h2.ping_timeout",
             .cause = Cause::h2_ping_timeout,
             .description = "Reads the request and answers nothing any more, not even PING.",
             .target = Target::own,
             .edge_config = "timeouts.h2_ping = \"200ms\"\n",
             .tls = {.alpn = Alpn::h2_only},
             .serve_h2 = [](H2Exchange& exchange) { exchange.fall_silent(); }},
    fault("h2.connection_fin", Cause::h2_connection_fin,
          "Closes the connection (close_notify and FIN) instead of answering.",
          [](H2Exchange& exchange) { exchange.finish(); }),
    fault("h2.connection_fin-cut", Cause::h2_connection_fin,
          "Sends FIN instead of an answer, without close_notify, as a crash does.",
          [](H2Exchange& exchange) { exchange.cut(); }),
    fault("h2.connection_fin-mid_body", Cause::h2_connection_fin,
          "Closes the connection after 5 of 1000 bytes.",
          [](H2Exchange& exchange) {
              if (begin_response(exchange)) exchange.finish();
          }),
    fault("h2.connection_rst", Cause::h2_connection_rst,
          "Resets the connection instead of answering.",
          [](H2Exchange& exchange) { exchange.reset(); }),
    fault("h2.connection_rst-mid_body", Cause::h2_connection_rst,
          "Resets the connection after 5 of 1000 bytes.",
          [](H2Exchange& exchange) {
              if (begin_response(exchange)) exchange.reset();
          }),
};

}  // namespace

std::span<const Scenario> h2_connection() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
