// Any lines to a reader of access logs: it ends each one, and every view can be read.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "expect.hpp"
#include "fuzzed_lines.hpp"
#include "logs/access_formats.hpp"

namespace {

using namespace edgecase;

void check(const logs::EntryView& entry) {
    for (const std::string_view text :
         {entry.method, entry.host, entry.uri, entry.client, entry.forwarded, entry.user_agent,
          entry.referer, entry.reason}) {
        fuzz::touch(text);
    }
    fuzz::expect(entry.resolution_us > 0, "times have a resolution");
    fuzz::expect(entry.status <= 999, "a status has three digits");
    fuzz::expect(entry.body_bytes >= -1 && entry.duration_us >= -1, "sizes are not negative");
}

}  // namespace

/// The first byte picks the format; one value takes the first line as a format string.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const auto names = logs::access_format_names();
    logs::AccessFormatPtr format;
    if (data[0] % (names.size() + 1) == names.size()) {
        const std::string_view first = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), first.size() + 1));
        auto made = logs::access_format(first);
        if (!made) return 0;
        format = *made;
    } else {
        auto made = logs::access_format(names[data[0] % (names.size() + 1)]);
        fuzz::expect(made.has_value(), "a name has a format");
        format = *made;
    }
    const auto reader = format->reader();
    fuzz::for_each_padded_line(text, [&](std::string_view line) {
        logs::EntryView quick;
        logs::EntryView entry;
        const bool quickly = reader->read_time_and_ray(line, quick) == logs::Parsed::entry;
        if (reader->read(line, entry) != logs::Parsed::entry) return;
        check(entry);
        fuzz::expect(quickly && quick.time == entry.time && quick.ray == entry.ray,
                     "both ways read the same");
    });
    return 0;
}
