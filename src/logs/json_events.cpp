#include <simdjson.h>

#include <array>
#include <optional>
#include <string>

#include "logs/event_lines.hpp"
#include "logs/event_text.hpp"
#include "logs/json_value.hpp"
#include "logs/line_source.hpp"
#include "logs/log_time.hpp"

namespace edgecase::logs {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(kLinePadding >= simdjson::SIMDJSON_PADDING);

enum class Field : uint8_t { none, time, level, text, error, pid, method, uri, host, ray, kept };
enum class Part : uint8_t { top, request, error, headers };

struct Key {
    Part part;
    std::string_view name;
    Field field;
};

// Source: Caddy (zap), pino, winston, bunyan, Python's JSON formatters, Traefik, Docker's
// json-file.
constexpr std::array kKeys = {
    Key{Part::top, "ts", Field::time},        Key{Part::top, "time", Field::time},
    Key{Part::top, "timestamp", Field::time}, Key{Part::top, "@timestamp", Field::time},
    Key{Part::top, "datetime", Field::time},  Key{Part::top, "level", Field::level},
    Key{Part::top, "severity", Field::level}, Key{Part::top, "levelname", Field::level},
    Key{Part::top, "msg", Field::text},       Key{Part::top, "message", Field::text},
    Key{Part::top, "log", Field::kept},       Key{Part::top, "error", Field::error},
    Key{Part::top, "err", Field::error},      Key{Part::top, "exception", Field::error},
    Key{Part::top, "stack", Field::error},    Key{Part::top, "pid", Field::pid},
    Key{Part::top, "ray", Field::ray},        Key{Part::top, "cf_ray", Field::ray},
    Key{Part::top, "ray_id", Field::ray},     Key{Part::request, "method", Field::method},
    Key{Part::request, "uri", Field::uri},    Key{Part::request, "url", Field::uri},
    Key{Part::request, "host", Field::host},  Key{Part::error, "message", Field::error},
    Key{Part::headers, "cf-ray", Field::ray},
};

std::optional<Part> part_named(Part within, std::string_view name) {
    if (within == Part::top && (name == "request" || name == "req")) return Part::request;
    if (within == Part::top && (name == "err" || name == "error")) return Part::error;
    if (within == Part::request && name == "headers") return Part::headers;
    return std::nullopt;
}

/// What is wanted of one entry. The views stand in the parser's own memory.
struct Entry {
    std::array<std::string_view, 11> values{};
    std::string_view& operator[](Field field) { return values[static_cast<size_t>(field)]; }
    bool has_logger = false;
    bool has_stream = false;
};

class JsonEventReader final : public EventReader {
  public:
    explicit JsonEventReader(const EventContext& context) : context_(context) {}
    std::string_view format() const override { return "json"; }
    Parsed read(std::string_view line, EventView& into) override;

  private:
    bool read_entry(ondemand::parser& parser, std::string_view line, size_t room, Entry& entry);
    bool take_object(ondemand::object object, Part part, Entry& entry);
    bool take(std::string_view name, ondemand::value value, Part part, Entry& entry);
    Parsed read_own(Entry& entry, EventView& into);
    Parsed read_kept(std::string_view time, std::string_view line, EventView& into);
    std::optional<LogTime> time_of(std::string_view text) const;

    EventContext context_;
    ondemand::parser parser_{kMaximumLineBytes};
    ondemand::parser kept_parser_{kMaximumLineBytes};  // of JSON that Docker kept
    std::string message_;
    std::string kept_;
};

std::optional<LogTime> JsonEventReader::time_of(std::string_view text) const {
    if (const auto time = iso_time(text, context_.zone_us)) return time;
    return epoch_time(text);
}

bool JsonEventReader::take(std::string_view name, ondemand::value value, Part part, Entry& entry) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type == ondemand::json_type::object) {
        const auto inner = part_named(part, name);
        ondemand::object object;
        if (!inner) return true;
        return value.get_object().get(object) == simdjson::SUCCESS &&
               take_object(object, *inner, entry);
    }
    const std::string lower = base::to_lower(name);
    if (part == Part::top && lower == "logger") entry.has_logger = true;
    if (part == Part::top && lower == "stream") entry.has_stream = true;
    Field field = Field::none;
    for (const Key& key : kKeys) {
        if (key.part == part && key.name == lower) field = key.field;
    }
    if (field == Field::none) return true;
    if (type == ondemand::json_type::array) {  // of a header's values
        ondemand::array array;
        if (value.get_array().get(array) != simdjson::SUCCESS) return false;
        for (auto each : array) {
            ondemand::value first;
            if (each.get(first) != simdjson::SUCCESS) return false;
            return take_text(first, entry[field]);
        }
        return true;
    }
    std::string_view text;
    if (!take_text(value, text)) return false;
    if (entry[field].empty()) entry[field] = text;
    return true;
}

bool JsonEventReader::take_object(ondemand::object object, Part part, Entry& entry) {
    for (auto each : object) {
        std::string_view name;
        if (each.unescaped_key().get(name) != simdjson::SUCCESS) return false;
        ondemand::value value;
        if (each.value().get(value) != simdjson::SUCCESS) return false;
        if (!take(name, value, part, entry)) return false;
    }
    return true;
}

bool JsonEventReader::read_entry(ondemand::parser& parser, std::string_view line, size_t room,
                                 Entry& entry) {
    const simdjson::padded_string_view padded(line.data(), line.size(), line.size() + room);
    ondemand::document document;
    ondemand::object object;
    return parser.iterate(padded).get(document) == simdjson::SUCCESS &&
           document.get_object().get(object) == simdjson::SUCCESS &&
           take_object(object, Part::top, entry);
}

/// An entry that a program wrote as JSON.
Parsed JsonEventReader::read_own(Entry& entry, EventView& into) {
    const auto time = time_of(entry[Field::time]);
    if (!time) return Parsed::failed;
    const std::string_view text = entry[Field::text];
    const std::string_view error = entry[Field::error];
    if (text.empty() && error.empty()) return Parsed::nothing;
    message_ = text;
    if (!error.empty() && message_.find(error) == std::string::npos) {
        message_ += (message_.empty() ? "" : ": ") + std::string(error);
    }
    into.time = *time;
    into.resolution_us = 1000;
    into.severity = entry[Field::level];
    into.pid = leading_number(entry[Field::pid]).value_or(-1);
    into.system = entry.has_logger ? "caddy" : "app";
    into.message = message_;
    entry.has_logger ? read_go_message(into) : read_program_message(into);
    into.method = entry[Field::method];
    into.uri = entry[Field::uri];
    into.host = entry[Field::host];
    into.ray = find_ray(entry[Field::ray]);
    return Parsed::entry;
}

/// A line that a container wrote, with the time of whoever kept it.
Parsed JsonEventReader::read_kept(std::string_view time_text, std::string_view line,
                                  EventView& into) {
    const auto time = time_of(time_text);
    if (!time) return Parsed::failed;
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == ' ' || line.front() == '\t') return Parsed::nothing;
    if (line.front() == '{') {
        kept_ = line;
        kept_.append(kLinePadding, '\0');
        Entry entry;
        const std::string_view inner(kept_.data(), line.size());
        if (read_entry(kept_parser_, inner, kLinePadding, entry) &&
            read_own(entry, into) == Parsed::entry) {
            return Parsed::entry;
        }
        into = {};
    }
    into.time = *time;
    into.resolution_us = 1000;
    into.message = line;
    read_message_of("container", context_, into);
    into.ray = find_ray(into.message);
    return Parsed::entry;
}

Parsed JsonEventReader::read(std::string_view line, EventView& into) {
    into = {};
    if (line.empty() || line.front() == ' ' || line.front() == '\t') return Parsed::nothing;
    if (line.front() != '{') return Parsed::failed;
    Entry entry;
    if (!read_entry(parser_, line, simdjson::SIMDJSON_PADDING, entry)) return Parsed::failed;
    const bool is_kept = entry.has_stream && !entry[Field::kept].empty();
    return is_kept ? read_kept(entry[Field::time], entry[Field::kept], into)
                   : read_own(entry, into);
}

}  // namespace

std::unique_ptr<EventReader> make_json_event_reader(const EventContext& context) {
    return std::make_unique<JsonEventReader>(context);
}

}  // namespace edgecase::logs
