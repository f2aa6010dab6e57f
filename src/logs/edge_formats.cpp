#include "logs/edge_formats.hpp"

#include "logs/logpush_fields.hpp"
#include "logs/logpush_readers.hpp"

namespace edgecase::logs {
namespace {

/// A heading is a line that the reader takes and that is no entry.
bool has_csv_heading(std::span<const std::string_view> lines) {
    EdgeEntryView entry;
    for (const std::string_view line : lines) {
        if (line.empty()) continue;
        if (line.find("RayID") == std::string_view::npos &&
            line.find("EdgeResponseStatus") == std::string_view::npos) {
            continue;
        }
        if (make_logpush_csv_reader()->read(line, entry) == Parsed::nothing) return true;
    }
    return false;
}

bool is_mostly_ndjson(std::span<const std::string_view> lines) {
    const auto reader = make_logpush_ndjson_reader();
    EdgeEntryView entry;
    size_t entries = 0;
    size_t failed = 0;
    for (const std::string_view line : lines) {
        const Parsed parsed = reader->read(line, entry);
        if (parsed == Parsed::entry) ++entries;
        if (parsed == Parsed::failed) ++failed;
    }
    return entries > 0 && entries >= failed;
}

}  // namespace

EdgeFormat recognise_edge(std::span<const std::string_view> lines) {
    if (is_mostly_ndjson(lines)) return EdgeFormat::logpush_ndjson;
    return has_csv_heading(lines) ? EdgeFormat::logpush_csv : EdgeFormat::unknown;
}

std::unique_ptr<EdgeReader> edge_reader(EdgeFormat format) {
    switch (format) {
        case EdgeFormat::unknown:
            return nullptr;
        case EdgeFormat::logpush_ndjson:
            return make_logpush_ndjson_reader();
        case EdgeFormat::logpush_csv:
            return make_logpush_csv_reader();
    }
    return nullptr;
}

}  // namespace edgecase::logs
