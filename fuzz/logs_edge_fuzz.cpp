// Any lines to a Logpush reader: it ends each one, and every view can be read.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "expect.hpp"
#include "fuzzed_lines.hpp"
#include "logs/edge_formats.hpp"

namespace {

using namespace edgecase;

void check(const logs::EdgeEntryView& entry) {
    for (const std::string_view text :
         {entry.method, entry.scheme, entry.host, entry.uri, entry.user_agent, entry.referer,
          entry.client, entry.edge_address, entry.origin, entry.colo, entry.protocol,
          entry.cache_status, entry.cause}) {
        fuzz::touch(text);
    }
    fuzz::expect(entry.resolution_us > 0, "times have a resolution");
    fuzz::expect(entry.edge_status < 1000 && entry.origin_status < 1000,
                 "a status has three digits");
    for (const int64_t number : {entry.response_bytes, entry.response_body_bytes,
                                 entry.request_bytes, entry.dns_ms, entry.connect_ms, entry.tls_ms,
                                 entry.header_wait_ms, entry.origin_ms, entry.first_byte_ms}) {
        fuzz::expect(number >= -1, "an amount is not negative");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const auto format =
        data[0] % 2 == 0 ? logs::EdgeFormat::logpush_ndjson : logs::EdgeFormat::logpush_csv;
    const auto reader = logs::edge_reader(format);
    fuzz::for_each_padded_line(text, [&](std::string_view line) {
        logs::EdgeEntryView entry;
        if (reader->read(line, entry) == logs::Parsed::entry) check(entry);
        logs::recognise_edge({&line, 1});
    });
    return 0;
}
