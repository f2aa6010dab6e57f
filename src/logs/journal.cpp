#include <simdjson.h>

#include <cstring>
#include <optional>
#include <string>

#include "logs/event_lines.hpp"
#include "logs/event_text.hpp"
#include "logs/json_value.hpp"
#include "logs/line_source.hpp"

namespace edgecase::logs {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(kLinePadding >= simdjson::SIMDJSON_PADDING);

/// What is wanted of one entry. The message may stand in the reader's own memory.
struct JournalFields {
    std::optional<int64_t> time;
    std::optional<std::string_view> message;
    std::string_view identifier;
    std::string_view command;
    std::string_view transport;
    std::optional<int64_t> pid;
    std::optional<int64_t> priority;
    std::optional<int64_t> core_pid;
    std::optional<int64_t> core_signal;
};

class JournalReader final : public EventReader {
  public:
    explicit JournalReader(const EventContext& context)
        : context_(context), json_(make_json_event_reader(context)) {}
    std::string_view format() const override { return "journal"; }
    Parsed read(std::string_view line, EventView& into) override;

  private:
    bool read_fields(std::string_view line, JournalFields& fields);
    bool take(std::string_view name, ondemand::value value, JournalFields& fields);
    bool read_json_message(EventView& into);
    bool take_message(ondemand::value value, JournalFields& fields);

    EventContext context_;
    ondemand::parser parser_{kMaximumLineBytes};
    std::string bytes_;  // of a message that is no UTF-8, or that is JSON itself
    std::unique_ptr<EventReader> json_;
};

/// A message that is no UTF-8, or too large for journalctl (null).
bool JournalReader::take_message(ondemand::value value, JournalFields& fields) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type != ondemand::json_type::array) {
        std::string_view text;
        if (!take_text(value, text)) return false;
        if (type == ondemand::json_type::string) fields.message = text;
        return true;
    }
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return false;
    bytes_.clear();
    for (auto each : array) {
        uint64_t byte = 0;
        if (each.get_uint64().get(byte) != simdjson::SUCCESS || byte > 255) return false;
        bytes_.push_back(static_cast<char>(byte));
    }
    fields.message = bytes_;
    return true;
}

bool JournalReader::take(std::string_view name, ondemand::value value, JournalFields& fields) {
    if (name == "MESSAGE") return take_message(value, fields);
    if (name == "SYSLOG_IDENTIFIER") return take_text(value, fields.identifier);
    if (name == "_COMM") return take_text(value, fields.command);
    if (name == "_TRANSPORT") return take_text(value, fields.transport);
    std::optional<int64_t>* number = nullptr;
    if (name == "__REALTIME_TIMESTAMP") number = &fields.time;
    if (name == "_PID") number = &fields.pid;
    if (name == "PRIORITY") number = &fields.priority;
    if (name == "COREDUMP_PID") number = &fields.core_pid;
    if (name == "COREDUMP_SIGNAL") number = &fields.core_signal;
    if (number == nullptr) return true;
    std::string_view text;
    if (!take_text(value, text)) return false;
    *number = leading_number(text);
    return true;
}

bool JournalReader::read_fields(std::string_view line, JournalFields& fields) {
    const simdjson::padded_string_view padded(line.data(), line.size(),
                                              line.size() + simdjson::SIMDJSON_PADDING);
    ondemand::document document;
    if (parser_.iterate(padded).get(document) != simdjson::SUCCESS) return false;
    ondemand::object object;
    if (document.get_object().get(object) != simdjson::SUCCESS) return false;
    for (auto each : object) {
        std::string_view name;
        if (each.unescaped_key().get(name) != simdjson::SUCCESS) return false;
        ondemand::value value;
        if (each.value().get(value) != simdjson::SUCCESS) return false;
        if (!take(name, value, fields)) return false;
    }
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

/// Caddy writes JSON to the journal too. The time is the journal's.
bool JournalReader::read_json_message(EventView& into) {
    if (!into.message.starts_with('{')) return false;
    std::string line(into.message);
    const size_t size = line.size();
    line.append(kLinePadding, '\0');
    bytes_.swap(line);
    EventView own;
    if (json_->read(std::string_view(bytes_).substr(0, size), own) != Parsed::entry) return false;
    own.time = into.time;
    own.resolution_us = into.resolution_us;
    if (own.pid < 0) own.pid = into.pid;
    into = own;
    return true;
}

Parsed JournalReader::read(std::string_view line, EventView& into) {
    into = {};
    if (line.empty() || line.front() == ' ' || line.front() == '\t') return Parsed::nothing;
    if (line.front() != '{') return Parsed::failed;
    JournalFields fields;
    if (!read_fields(line, fields) || !fields.time) return Parsed::failed;
    if (!fields.message || fields.message->empty()) return Parsed::nothing;
    into.time = *fields.time;
    into.resolution_us = 1;
    into.message = *fields.message;
    into.severity = syslog_severity(fields.priority.value_or(-1));
    into.pid = fields.pid.value_or(-1);
    std::string_view identifier = fields.identifier;
    if (identifier.empty()) identifier = fields.command;
    if (fields.transport == "kernel") identifier = "kernel";
    if (read_json_message(into)) return Parsed::entry;
    read_message_of(identifier, context_, into);
    if (fields.core_pid) into.pid = *fields.core_pid;
    if (fields.core_signal && *fields.core_signal <= 64) {
        into.signal = static_cast<int>(*fields.core_signal);
    }
    if (into.system != "kernel") into.ray = find_ray(into.message);
    return Parsed::entry;
}

}  // namespace

std::unique_ptr<EventReader> make_journal_reader(const EventContext& context) {
    return std::make_unique<JournalReader>(context);
}

}  // namespace edgecase::logs
