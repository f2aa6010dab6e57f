#include "logs/event_formats.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "logs/event_lines.hpp"
#include "logs/event_text.hpp"

namespace edgecase::logs {
namespace {

struct Format {
    std::string_view name;
    ReadLine read;  // null: it is JSON, whose reader keeps something between lines
};

// Of two that read as many lines the first one counts, so the stricter one stands first.
constexpr std::array kFormats = {
    Format{"nginx-error", read_nginx_error_line},
    Format{"apache-error", read_apache_error_line},
    Format{"php-fpm", read_php_fpm_line},
    Format{"php", read_php_line},
    Format{"journal", nullptr},
    Format{"pm2", read_pm2_line},
    Format{"supervisor", read_supervisor_line},
    Format{"gunicorn-error", read_gunicorn_error_line},
    Format{"syslog", read_syslog_line},
    Format{"kernel", read_kernel_line},
    Format{"json", nullptr},
    Format{"text", read_app_line},
};

constexpr std::string_view kJson = "json";

constexpr auto kNames = [] {
    std::array<std::string_view, kFormats.size()> names{};
    std::ranges::transform(kFormats, names.begin(), &Format::name);
    return names;
}();

/// A stack trace belongs to the line above it: indented, or as PHP numbers its steps.
bool is_continuation(std::string_view line) {
    if (line.empty()) return true;
    if (line.front() == ' ' || line.front() == '\t') return true;
    if (line == "Stack trace:") return true;
    return line.size() > 2 && line[0] == '#' && leading_number(line.substr(1)).has_value();
}

class LineReader final : public EventReader {
  public:
    LineReader(const Format& format, const EventContext& context)
        : format_(format), context_(context) {}

    std::string_view format() const override { return format_.name; }

    Parsed read(std::string_view line, EventView& into) override {
        into = {};
        if (is_continuation(line)) return Parsed::nothing;
        if (!format_.read(line, context_, into)) {
            into = {};
            return Parsed::failed;
        }
        // PM2 and containers give each line of a stack trace a time.
        if (format_.read == read_app_line && is_continuation(into.message)) return Parsed::nothing;
        // The kernel writes addresses, which look the same.
        if (into.system != "kernel") into.ray = find_ray(into.message);
        return Parsed::entry;
    }

  private:
    const Format& format_;
    EventContext context_;
};

}  // namespace

std::span<const std::string_view> event_format_names() {
    return kNames;
}

std::unique_ptr<EventReader> event_reader(std::string_view name, const EventContext& context) {
    const auto format = std::ranges::find(kFormats, name, &Format::name);
    if (format == kFormats.end()) return nullptr;
    if (format->name == kJson) return make_json_event_reader(context);
    if (format->read == nullptr) return make_journal_reader(context);
    return std::make_unique<LineReader>(*format, context);
}

bool is_haproxy_without_requests(std::span<const std::string_view> lines) {
    return std::ranges::any_of(
        lines, [](std::string_view line) { return holds(line, "Connect from ... to ... ("); });
}

bool have_no_times(std::span<const std::string_view> lines) {
    // A time has two colons between pairs of digits, or is a long number in JSON.
    const auto has_time = [](std::string_view line) {
        for (size_t at = line.find(':'); at != line.npos; at = line.find(':', at + 1)) {
            const bool two = at >= 2 && at + 5 < line.size() && line[at + 3] == ':';
            if (two && leading_number(line.substr(at - 2)) && leading_number(line.substr(at + 1)) &&
                leading_number(line.substr(at + 4))) {
                return true;
            }
        }
        return line.starts_with('{');
    };
    return std::ranges::none_of(lines, has_time);
}

std::string_view recognise_events(std::span<const std::string_view> lines) {
    std::string_view best;
    size_t most = 0;
    for (const Format& format : kFormats) {
        const auto reader = event_reader(format.name, {});
        size_t entries = 0;
        size_t failed = 0;
        EventView event;
        for (const std::string_view line : lines) {
            const Parsed parsed = reader->read(line, event);
            if (parsed == Parsed::entry) ++entries;
            if (parsed == Parsed::failed) ++failed;
        }
        if (entries <= most || entries < failed) continue;
        most = entries;
        best = format.name;
    }
    return best;
}

}  // namespace edgecase::logs
