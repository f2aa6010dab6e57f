// The origin's HTTP/2 header fields are not what they must be.
#include <array>
#include <string>

#include "lab/faults/faults.hpp"
#include "lab/h2_exchange.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;
using namespace std::string_literals;

std::string answered(uint32_t id, const std::vector<Field>& fields) {
    return h2::headers(id, fields) + h2::data(id, "hello", h2::kEndStream);
}

std::string with_field(uint32_t id, const Field& field) {
    return answered(id, {{":status", "200"}, {"content-type", "text/plain"}, field});
}

/// A field block as it stands.
std::string raw(uint32_t id, std::string_view block) {
    return h2::frame(h2::Type::headers, h2::kEndHeaders | h2::kEndStream, id, block);
}

std::string large_headers(uint32_t id) {
    std::vector<Field> fields{{":status", "200"}};
    for (int i = 100; i < 140; ++i) {
        fields.push_back({"x-debug-" + std::to_string(i), std::string(1000, 'x')});
    }
    return h2::long_headers(id, fields, h2::kMaxFrameBytes) + h2::data(id, "hello", h2::kEndStream);
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
    fault("h2.forbidden_field", Cause::h2_forbidden_field, "Sends Connection: keep-alive.",
          [](uint32_t id) { return with_field(id, {"connection", "keep-alive"}); }),
    fault("h2.forbidden_field-transfer_encoding", Cause::h2_forbidden_field,
          "Sends Transfer-Encoding: chunked.",
          [](uint32_t id) { return with_field(id, {"transfer-encoding", "chunked"}); }),
    fault("h2.forbidden_field-keep_alive", Cause::h2_forbidden_field,
          "Sends Keep-Alive: timeout=5.",
          [](uint32_t id) { return with_field(id, {"keep-alive", "timeout=5"}); }),
    fault("h2.bad_pseudo", Cause::h2_bad_pseudo, "Sends headers without :status.",
          [](uint32_t id) { return answered(id, {{"content-type", "text/plain"}}); }),
    fault("h2.bad_pseudo-not_numeric", Cause::h2_bad_pseudo, "Sends abc as :status.",
          [](uint32_t id) { return answered(id, {{":status", "abc"}}); }),
    fault("h2.bad_pseudo-twice", Cause::h2_bad_pseudo, "Sends :status twice.",
          [](uint32_t id) { return answered(id, {{":status", "200"}, {":status", "200"}}); }),
    fault("h2.bad_pseudo-late", Cause::h2_bad_pseudo, "Sends :status after another field.",
          [](uint32_t id) {
              return answered(id, {{"content-type", "text/plain"}, {":status", "200"}});
          }),
    fault("h2.bad_pseudo-unknown", Cause::h2_bad_pseudo, "Sends :path, which is for requests.",
          [](uint32_t id) { return answered(id, {{":status", "200"}, {":path", "/"}}); }),
    fault("h2.bad_field", Cause::h2_bad_field, "Sends a name with upper-case letters.",
          [](uint32_t id) { return with_field(id, {"X-Trace", "1"}); }),
    fault("h2.bad_field-name_space", Cause::h2_bad_field, "Sends a name with a space.",
          [](uint32_t id) { return with_field(id, {"x trace", "1"}); }),
    fault("h2.bad_field-value_lf", Cause::h2_bad_field, "Sends a value with CR and LF.",
          [](uint32_t id) { return with_field(id, {"x-trace", "1\r\nset-cookie: a=b"}); }),
    fault("h2.bad_field-value_nul", Cause::h2_bad_field, "Sends a value with a NUL.",
          [](uint32_t id) { return with_field(id, {"x-trace", "1\0002"s}); }),
    fault("h2.header_list_too_large", Cause::h2_header_list_too_large,
          "Sends 40 KB of headers in three frames.", large_headers),
    fault("h2.compression_error", Cause::h2_compression_error,
          "Sends a field with an HPACK index behind the table.",
          [](uint32_t id) { return raw(id, "\x88\xfe"); }),
    fault("h2.compression_error-huffman", Cause::h2_compression_error,
          "Sends a value that is no Huffman code.",
          [](uint32_t id) { return raw(id, "\x88\x0f\x10\x84\xff\xff\xff\xff"); }),
    fault("h2.compression_error-truncated", Cause::h2_compression_error,
          "Sends a field block that breaks off in a value.",
          [](uint32_t id) { return raw(id, "\x88\x0f\x10\x20text"); }),
    fault("h2.compression_error-table_size", Cause::h2_compression_error,
          "Enlarges the HPACK table beyond what the edge allows.",
          [](uint32_t id) { return raw(id, "\x3f\xe1\xff\xff\x03\x88"); }),
};

}  // namespace

std::span<const Scenario> h2_fields() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
