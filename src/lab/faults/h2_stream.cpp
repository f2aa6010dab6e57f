// The origin ends an HTTP/2 stream before its response is whole.
#include <array>
#include <string>

#include "lab/faults/faults.hpp"
#include "lab/h2_exchange.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

std::string begun(uint32_t id, std::string_view length = "1000") {
    return h2::headers(id, {{":status", "200"}, {"content-length", std::string(length)}}) +
           h2::data(id, "hello");
}

std::string interim(uint32_t id, uint8_t flags = h2::kNoFlags) {
    return h2::headers(id, {{":status", "103"}, {"link", "</style.css>; rel=preload"}}, flags);
}

template <uint32_t Code>
std::string reset_with(uint32_t id) {
    return h2::rst_stream(id, Code);
}

void serve_large_reset(H2Exchange& exchange) {
    exchange.send(
        h2::headers(exchange.stream_id(), {{":status", "200"}, {"content-length", "1048576"}}));
    if (exchange.send_filler(256ULL * 1024, false)) {
        exchange.send(h2::rst_stream(exchange.stream_id(), h2::kInternalError));
    }
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

constexpr std::array kScenarios{
    fault("h2.rst_stream", Cause::h2_rst_stream,
          "Resets the stream with INTERNAL_ERROR instead of answering.",
          reset_with<h2::kInternalError>),
    fault("h2.rst_stream-cancel", Cause::h2_rst_stream,
          "Resets the stream with CANCEL instead of answering.", reset_with<h2::kCancel>),
    fault("h2.rst_stream-enhance_your_calm", Cause::h2_rst_stream,
          "Resets the stream with ENHANCE_YOUR_CALM instead of answering.",
          reset_with<h2::kEnhanceYourCalm>),
    fault("h2.rst_stream-mid_body", Cause::h2_rst_stream,
          "Resets the stream with INTERNAL_ERROR after 5 of 1000 bytes.",
          [](uint32_t id) { return begun(id) + h2::rst_stream(id, h2::kInternalError); }),
    Scenario{.name = "h2.rst_stream-large",
             .cause = Cause::h2_rst_stream,
             .status = 200,
             .aborts_client = true,
             .description = "Resets the stream with INTERNAL_ERROR after 256 KiB of 1 MiB.",
             .target = Target::own,
             .tls = {.alpn = Alpn::h2_only},
             .serve_h2 = serve_large_reset},
    fault("h2.refused", Cause::h2_refused, "Refuses the stream, each time.",
          reset_with<h2::kRefusedStream>),
    fault("h2.http11_required", Cause::h2_http11_required,
          "Demands HTTP/1.1 with RST_STREAM, on a port that takes only h2.",
          reset_with<h2::kHttp11Required>),
    fault("h2.closed_early", Cause::h2_closed_early, "Ends the stream after 103 Early Hints.",
          [](uint32_t id) { return interim(id) + h2::data(id, "", h2::kEndStream); }),
    fault("h2.closed_early-interim_end", Cause::h2_closed_early,
          "Sends 103 Early Hints with END_STREAM.",
          [](uint32_t id) { return interim(id, h2::kEndStream); }),
    fault("h2.closed_early-no_error", Cause::h2_closed_early,
          "Resets the stream with NO_ERROR instead of answering.", reset_with<h2::kNoError>),
    fault("h2.closed_early-mid_body", Cause::h2_closed_early,
          "Resets the stream with NO_ERROR after 5 of 1000 bytes.",
          [](uint32_t id) { return begun(id) + h2::rst_stream(id, h2::kNoError); }),
    fault("h2.content_length", Cause::h2_content_length, "Ends the stream after 5 of 1000 bytes.",
          [](uint32_t id) { return begun(id) + h2::data(id, "", h2::kEndStream); }),
    fault("h2.content_length-more", Cause::h2_content_length,
          "Sends 5 bytes where content-length says 3.", [](uint32_t id) { return begun(id, "3"); }),
    fault("h2.content_length-empty", Cause::h2_content_length,
          "Sends headers with END_STREAM and a content-length of 1000.",
          [](uint32_t id) {
              return h2::headers(id, {{":status", "200"}, {"content-length", "1000"}},
                                 h2::kEndStream);
          }),
};

}  // namespace

std::span<const Scenario> h2_stream() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
