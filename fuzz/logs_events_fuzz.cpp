// Any lines to a reader of event logs: it ends each one, and every view can be read.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "expect.hpp"
#include "fuzzed_lines.hpp"
#include "logs/event_formats.hpp"

namespace {

using namespace edgecase;

void check(const logs::EventView& event) {
    for (const std::string_view text : {event.system, event.severity, event.message, event.method,
                                        event.uri, event.host, event.client}) {
        fuzz::touch(text);
    }
    fuzz::expect(event.resolution_us > 0, "times have a resolution");
    fuzz::expect(event.pid >= -1, "a process has a number");
    fuzz::expect(event.signal >= 0 && event.signal <= 64, "a signal is one of Linux");
    fuzz::expect(event.exit_code >= -1, "an exit code is not negative");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const auto names = logs::event_format_names();
    const logs::EventContext context{.zone_us = 0,
                                     .near = 1'793'527'200'000'000,
                                     .boot = data[0] < 128 ? logs::kNoTime : 1'793'000'000'000'000};
    const auto reader = logs::event_reader(names[data[0] % names.size()], context);
    fuzz::for_each_padded_line(text, [&](std::string_view line) {
        logs::EventView event;
        if (reader->read(line, event) == logs::Parsed::entry) check(event);
    });
    return 0;
}
