// The origin breaks HTTP/2's rules of frames, streams and windows.
#include <array>
#include <string>

#include "lab/faults/faults.hpp"
#include "lab/h2_exchange.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;
using namespace std::string_view_literals;

constexpr uint32_t kLargestIncrement = 0x7fffffff;
constexpr uint16_t kEnablePush = 0x2;

std::string head(uint32_t id) {
    return h2::headers(id, {{":status", "200"}, {"content-type", "text/plain"}});
}

std::string interleaved(uint32_t id) {
    return h2::frame(h2::Type::headers, h2::kNoFlags, id, hpack_block({{":status", "200"}})) +
           h2::data(id, "hello") +
           h2::frame(h2::Type::continuation, h2::kEndHeaders, id, hpack_block({{"x", "1"}}));
}

std::string push_promise(uint32_t id) {
    return h2::frame(h2::Type::push_promise, h2::kEndHeaders, id,
                     h2::u32(2) + hpack_block({{":method", "GET"},
                                               {":scheme", "https"},
                                               {":authority", "lab.test"},
                                               {":path", "/style.css"}}));
}

constexpr Scenario fault(std::string_view name, Cause cause, std::string_view description,
                         std::string (*frames)(uint32_t)) {
    return {.name = name,
            .cause = cause,
            .description = description,
            .target = Target::own,
            .tls = {.alpn = Alpn::h2_only},
            .frames = frames};
}

// Streams: the next odd number is a stream that the client has not opened.
constexpr std::array kScenarios{
    fault("h2.closed_stream", Cause::h2_closed_stream,
          "Sends DATA on a stream that was never opened, before it answers.",
          [](uint32_t id) { return h2::data(id + 2, "hello"); }),
    fault("h2.closed_stream-headers", Cause::h2_closed_stream,
          "Sends a response on a stream that was never opened.",
          [](uint32_t id) { return head(id + 2); }),
    fault("h2.closed_stream-rst_stream", Cause::h2_closed_stream,
          "Resets a stream that was never opened.",
          [](uint32_t id) { return h2::rst_stream(id + 2, h2::kInternalError); }),
    fault("h2.flow_control", Cause::h2_flow_control,
          "Raises the connection's window beyond 2^31-1.",
          [](uint32_t) { return h2::window_update(0, kLargestIncrement); }),
    fault("h2.flow_control-stream", Cause::h2_flow_control,
          "Raises the stream's window beyond 2^31-1.",
          [](uint32_t id) { return h2::window_update(id, kLargestIncrement); }),
    fault("h2.flow_control-settings", Cause::h2_flow_control,
          "Sends SETTINGS_INITIAL_WINDOW_SIZE of 2^31.",
          [](uint32_t) { return h2::settings({{h2::kInitialWindowSize, 0x80000000}}); }),
    fault("h2.frame_size", Cause::h2_frame_size, "Sends a HEADERS frame of 17,000 bytes.",
          [](uint32_t id) {
              return h2::headers(id, {{":status", "200"}, {"x-debug", std::string(17'000, 'x')}});
          }),
    fault("h2.frame_size-data", Cause::h2_frame_size, "Sends a DATA frame of 16,385 bytes.",
          [](uint32_t id) {
              return head(id) + h2::data(id, std::string(h2::kMaxFrameBytes + 1, 'x'));
          }),
    fault("h2.frame_size-settings", Cause::h2_frame_size, "Sends SETTINGS of 5 bytes.",
          [](uint32_t) { return h2::frame(h2::Type::settings, h2::kNoFlags, 0, "five."); }),
    fault("h2.frame_size-ping", Cause::h2_frame_size, "Sends PING of 7 bytes.",
          [](uint32_t) { return h2::frame(h2::Type::ping, h2::kNoFlags, 0, "7 bytes"); }),
    fault("h2.frame_size-rst_stream", Cause::h2_frame_size, "Sends RST_STREAM of 3 bytes.",
          [](uint32_t id) { return h2::frame(h2::Type::rst_stream, h2::kNoFlags, id, "abc"); }),
    fault("h2.protocol_error", Cause::h2_protocol_error, "Sends DATA on stream 0.",
          [](uint32_t) { return h2::data(0, "hello"); }),
    fault("h2.protocol_error-continuation", Cause::h2_protocol_error,
          "Sends CONTINUATION without HEADERS.",
          [](uint32_t id) {
              return h2::frame(h2::Type::continuation, h2::kEndHeaders, id,
                               hpack_block({{"x", "1"}}));
          }),
    fault("h2.protocol_error-interleaved", Cause::h2_protocol_error,
          "Sends DATA between HEADERS and CONTINUATION.", interleaved),
    fault("h2.protocol_error-padding", Cause::h2_protocol_error,
          "Sends DATA with more padding than payload.",
          [](uint32_t id) { return head(id) + h2::data(id, "\xffhello", h2::kPadded); }),
    fault("h2.protocol_error-push_promise", Cause::h2_protocol_error,
          "Pushes a stream, which the edge has forbidden.", push_promise),
    fault("h2.protocol_error-window_update_zero", Cause::h2_protocol_error,
          "Raises the connection's window by 0.", [](uint32_t) { return h2::window_update(0, 0); }),
    fault("h2.protocol_error-settings", Cause::h2_protocol_error,
          "Sends SETTINGS_ENABLE_PUSH of 7.",
          [](uint32_t) { return h2::settings({{kEnablePush, 7}}); }),
};

}  // namespace

std::span<const Scenario> h2_framing() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
