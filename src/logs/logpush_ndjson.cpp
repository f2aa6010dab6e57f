#include <simdjson.h>

#include <cstring>

#include "base/ascii.hpp"
#include "logs/line_source.hpp"
#include "logs/logpush_fields.hpp"
#include "logs/logpush_readers.hpp"

namespace edgecase::logs {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(kLinePadding >= simdjson::SIMDJSON_PADDING);

class LogpushNdjsonReader final : public EdgeReader {
  public:
    std::string_view format() const override { return "Logpush NDJSON"; }
    Parsed read(std::string_view line, EdgeEntryView& into) override;

  private:
    // Its string buffer holds values with escapes, until the next line.
    ondemand::parser parser_{kMaximumLineBytes};
};

/// A name with an escape is none of ours, so the text between the quotes is compared as it stands.
std::string_view raw_key(const ondemand::raw_json_string& key, std::string_view line) {
    const char* const begin = key.raw();
    const auto room = static_cast<size_t>(line.data() + line.size() - begin);
    const void* const end = std::memchr(begin, '"', room);
    if (end == nullptr) return {};
    return {begin, static_cast<size_t>(static_cast<const char*>(end) - begin)};
}

/// False: the JSON is broken. Objects, arrays and null leave the entry as it is.
bool take_value(ondemand::value value, LogpushField field, EdgeEntryView& into) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type == ondemand::json_type::string) {
        std::string_view text;
        if (value.get_string().get(text) != simdjson::SUCCESS) return false;
        set_logpush_field(into, field, text);
    } else if (type == ondemand::json_type::number) {
        set_logpush_field(into, field, base::trim(value.raw_json_token()));
    }
    return true;
}

Parsed LogpushNdjsonReader::read(std::string_view line, EdgeEntryView& into) {
    into = {};
    line = base::trim(without_byte_order_mark(line));
    if (line.empty()) return Parsed::nothing;
    if (line.front() != '{') return Parsed::failed;
    ondemand::document document;
    const simdjson::padded_string_view padded(line.data(), line.size(),
                                              line.size() + simdjson::SIMDJSON_PADDING);
    if (parser_.iterate(padded).get(document) != simdjson::SUCCESS) return Parsed::failed;
    ondemand::object object;
    if (document.get_object().get(object) != simdjson::SUCCESS) return Parsed::failed;
    LogpushNames names;
    for (auto each : object) {
        ondemand::raw_json_string key;
        if (each.key().get(key) != simdjson::SUCCESS) return Parsed::failed;
        const LogpushField field = logpush_field(raw_key(key, line));
        if (field == LogpushField::unknown) continue;
        names.add(field);
        ondemand::value value;
        if (each.value().get(value) != simdjson::SUCCESS) return Parsed::failed;
        if (!take_value(value, field, into)) return Parsed::failed;
    }
    const bool at_end = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
    return at_end && names.are_logpush() ? Parsed::entry : Parsed::failed;
}

}  // namespace

std::unique_ptr<EdgeReader> make_logpush_ndjson_reader() {
    return std::make_unique<LogpushNdjsonReader>();
}

}  // namespace edgecase::logs
