#include "cli/trace_input.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "cli/ledger.hpp"
#include "logs/event_formats.hpp"
#include "logs/log_time.hpp"

namespace edgecase::cli {
namespace {

using Status = std::expected<void, std::string>;

/// Files of one name, in the order they were given.
struct Set {
    std::vector<logs::LogFile> files;
    std::vector<std::string> notes;
};
using Sets = std::map<std::string, Set>;

/// Whether one file holds what the other does: the same file, a packed copy, an older state.
bool is_copy(const logs::LogFile& a, const logs::LogFile& b, bool of_one_name) {
    if (a.path == b.path) return true;
    // Servers that do little may have written a line or two alike.
    constexpr size_t kTelling = 10;
    const size_t lines = std::min(a.sample.size(), b.sample.size());
    if (lines == 0 || (lines < kTelling && !of_one_name)) return false;
    if (a.packing != b.packing && a.sample.size() != b.sample.size()) return false;
    return std::equal(a.sample.begin(), a.sample.begin() + static_cast<ptrdiff_t>(lines),
                      b.sample.begin());
}

/// A log that is read twice has every line twice, and all would be ambiguous.
void leave_out_copies(Sets& sets) {
    std::vector<std::pair<logs::LogFile*, Set*>> kept;
    for (auto& [name, set] : sets) {
        for (logs::LogFile& file : set.files) {
            const auto known = std::ranges::find_if(kept, [&](const auto& one) {
                return is_copy(*one.first, file, one.second == &set);
            });
            if (known == kept.end()) {
                kept.emplace_back(&file, &set);
                continue;
            }
            logs::LogFile& other = *known->first;
            // The longer one; a packed one cannot be compared.
            if (file.packing == other.packing && file.bytes > other.bytes) std::swap(file, other);
            known->second->notes.push_back(file.name + ": holds the same lines as " + other.name +
                                           ", so it is left out");
            file.name.clear();
        }
    }
    for (auto& [name, set] : sets) {
        std::erase_if(set.files, [](const logs::LogFile& file) { return file.name.empty(); });
    }
    std::erase_if(sets, [](const auto& one) { return one.second.files.empty(); });
}

/// `empty`: the names of files without a line, if these are nothing wrong.
std::expected<Sets, std::string> look_at(const std::vector<std::string>& paths,
                                         std::vector<std::string>* empty_ones = nullptr) {
    Sets sets;
    std::string empty;
    for (const std::string& path : paths) {
        auto file = logs::LogFile::look_at(path);
        if (!file) {
            // An empty file among rotated ones is nothing wrong.
            const bool is_empty = file.error().ends_with(": is empty");
            if (is_empty && empty_ones != nullptr) {
                empty_ones->push_back(path);
                continue;
            }
            if (is_empty && paths.size() > 1) {
                empty = file.error();
                continue;
            }
            return std::unexpected(file.error());
        }
        sets[logs::set_name(file->name)].files.push_back(std::move(*file));
    }
    leave_out_copies(sets);
    if (sets.empty() && !empty.empty()) return std::unexpected(empty);
    return sets;
}

std::vector<std::string_view> lines_of(const std::vector<logs::LogFile>& files) {
    std::vector<std::string_view> lines;
    for (const logs::LogFile& file : files)
        std::ranges::copy(file.sample_lines(), std::back_inserter(lines));
    if (lines.size() > 4 * logs::LogFile::kSampleLines)
        lines.resize(4 * logs::LogFile::kSampleLines);
    return lines;
}

/// Why the lines of a damaged file may make no sense; empty: none is.
std::string damage_of(const std::vector<logs::LogFile>& files) {
    for (const logs::LogFile& file : files) {
        if (!file.damage.empty()) return file.name + ": " + file.damage;
    }
    return {};
}

/// A heading or a comment is no reason to doubt the format.
bool reads_any(const logs::AccessFormat& format, const std::vector<std::string_view>& lines) {
    const auto reader = format.reader();
    return lines.empty() || std::ranges::any_of(lines, [&](std::string_view line) {
               logs::EntryView entry;
               return reader->read(line, entry) != logs::Parsed::failed;
           });
}

std::string read_text(const std::string& path, std::string& error) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) error = path + ": cannot be read";
    return text.str();
}

/// What `--origin-format` names: one format, or those of a configuration file.
std::expected<std::vector<logs::AccessFormatPtr>, std::string> formats_given(
    const std::string& given) {
    if (given.empty()) return std::vector<logs::AccessFormatPtr>();
    if (given.front() == '@') {
        std::string error;
        const std::string text = read_text(given.substr(1), error);
        if (!error.empty()) return std::unexpected(error);
        auto formats = logs::formats_of_configuration(text);
        if (!formats) return std::unexpected(given.substr(1) + ": " + formats.error());
        return formats;
    }
    auto format = logs::access_format(given);
    if (!format) return std::unexpected(format.error());
    return std::vector{*format};
}

Status add_edge_logs(const TraceFlags& flags, logs::TraceInput& input) {
    auto sets = look_at(flags.edge_logs);
    if (!sets) return std::unexpected(sets.error());
    for (auto& [name, set] : *sets) {
        auto& files = set.files;
        const logs::EdgeFormat format = logs::recognise_edge(lines_of(files));
        if (format == logs::EdgeFormat::unknown) {
            if (const std::string damaged = damage_of(files); !damaged.empty()) {
                return std::unexpected(damaged);
            }
            return std::unexpected(name +
                                   ": is no edge log: Cloudflare Logpush http_requests as NDJSON "
                                   "or CSV with its heading is read, and Edgecase's --data-dir");
        }
        input.edge.push_back({name, std::move(files), format, std::move(set.notes)});
    }
    return {};
}

Status add_origin_logs(const TraceFlags& flags, logs::TraceInput& input) {
    const auto given = formats_given(flags.origin_format);
    if (!given) return std::unexpected("--origin-format: " + given.error());
    auto sets = look_at(flags.origin_logs);
    if (!sets) return std::unexpected(sets.error());
    const auto zone = logs::zone_offset(flags.zone);
    for (auto& [name, set] : *sets) {
        auto& files = set.files;
        const bool only = given->size() == 1 && flags.origin_format.front() != '@';
        auto format = only ? given->front() : logs::recognise_access(lines_of(files), *given);
        if (format == nullptr) {
            if (const std::string damaged = damage_of(files); !damaged.empty()) {
                return std::unexpected(damaged);
            }
            const auto lines = lines_of(files);
            if (logs::is_haproxy_without_requests(lines)) {
                return std::unexpected(name +
                                       ": is HAProxy's default log, which names no request: it "
                                       "wants `option httplog`");
            }
            const bool is_event_log = !logs::recognise_events(lines).empty();
            return std::unexpected(
                name + (is_event_log ? ": is an error log: give it with --error-log"
                                     : ": is in no format known; give the server's own with "
                                       "--origin-format, as it stands in its configuration"));
        }
        if (only && !reads_any(*format, lines_of(files))) {
            return std::unexpected(name + ": none of its first lines can be read as " +
                                   std::string(format->name()) + ", which --origin-format says");
        }
        if (zone) {
            if (auto zoned = format->in_zone(*zone)) format = std::move(zoned);
        }
        input.origin.push_back({name, std::move(files), format, std::move(set.notes)});
    }
    return {};
}

Status add_error_logs(const TraceFlags& flags, logs::TraceInput& input) {
    std::vector<std::string> empty;
    auto sets = look_at(flags.error_logs, &empty);
    if (!sets) return std::unexpected(sets.error());
    // A server without errors has an empty log: that says something.
    for (const std::string& path : empty) {
        if (!sets->contains(logs::set_name(path))) input.events.push_back({path, {}, "empty"});
    }
    for (auto& [name, set] : *sets) {
        auto& files = set.files;
        const std::string_view format = logs::recognise_events(lines_of(files));
        if (format.empty() && logs::have_no_times(lines_of(files))) {
            return std::unexpected(name +
                                   ": its lines have no times, so they cannot be set beside "
                                   "requests; give the journal (`journalctl -o json`), or let PM2 "
                                   "write them (`--time`)");
        }
        if (format.empty()) {
            std::string known;
            for (const std::string_view one : logs::event_format_names()) {
                known += (known.empty() ? "" : ", ") + std::string(one);
            }
            known.insert(0, name + ": is in no format known for error logs (");
            return std::unexpected(known + ")");
        }
        input.events.push_back({name, std::move(files), std::string(format), std::move(set.notes)});
    }
    return {};
}

int64_t or_none(int64_t us) {
    return us < 0 ? -1 : us / 1000;
}

/// A record of our own under the names that Logpush has.
void visit_record(const record::Record& record,
                  const std::function<void(const logs::EdgeEntryView&)>& visit) {
    logs::EdgeEntryView entry;
    entry.ray = record.ray.value();
    entry.parent = record.parent.value();
    entry.start = record.start.time_since_epoch().count();
    entry.end = entry.start + record.duration_us;
    entry.resolution_us = 1;
    entry.method = record.method;
    entry.scheme = record.scheme;
    entry.host = record.host;
    entry.uri = record.uri;
    entry.user_agent = record.user_agent;
    entry.referer = record.referer;
    const std::string client = record.client.address.to_string();
    entry.client = client;
    entry.colo = record.colo;
    entry.protocol = record.protocol;
    entry.edge_status = record.edge_status;
    entry.origin_status = record.origin_status;
    entry.response_bytes = static_cast<int64_t>(record.response_bytes);
    entry.response_body_bytes = static_cast<int64_t>(record.response_body_bytes);
    entry.request_bytes = static_cast<int64_t>(record.request_bytes);
    entry.first_byte_ms = or_none(record.first_byte_us);
    std::string origin;
    std::string edge;
    if (!record.attempts.empty()) {
        const record::Attempt& last = record.attempts.back();
        entry.dns_ms = or_none(last.dns_us);
        entry.connect_ms = or_none(last.connect_us);
        entry.tls_ms = or_none(last.tls_us);
        entry.header_wait_ms = or_none(last.header_us);
        entry.origin_ms = or_none(last.total_us);
        if (!last.origin.address.is_unspecified()) origin = last.origin.to_string();
        if (!last.edge.address.is_unspecified()) edge = last.edge.address.to_string();
    }
    entry.origin = origin;
    entry.edge_address = edge;
    entry.cause = cause::row(record.cause).name;
    visit(entry);
}

Status add_store(const TraceFlags& flags, logs::TraceInput& input) {
    const auto ledger =
        find_ledger({.data_dir = flags.data_dir, .config = flags.config, .node = {}});
    if (!ledger) return std::unexpected(ledger.error());
    auto source = open_source(*ledger);
    if (!source) return std::unexpected(source.error());
    input.edge_store_name = ledger->name();
    // The visitor is copied along with the input, and a source is not: they share it.
    input.edge_store = [shared = std::shared_ptr<record::Source>(std::move(*source))](
                           const std::function<void(const logs::EdgeEntryView&)>& visit) {
        auto done =
            shared->visit_all([&](const record::Record& record) { visit_record(record, visit); });
        tell_missing(*shared);
        return done;
    };
    return {};
}

}  // namespace

std::expected<logs::TraceInput, std::string> trace_input(const TraceFlags& flags) {
    logs::TraceInput input;
    const auto inputs = std::ranges::count(flags.edge_logs, "-") +
                        std::ranges::count(flags.origin_logs, "-") +
                        std::ranges::count(flags.error_logs, "-");
    if (inputs > 1) return std::unexpected("only one log can come from standard input");
    if (!flags.edge_logs.empty()) {
        if (auto done = add_edge_logs(flags, input); !done) return std::unexpected(done.error());
    }
    if (!flags.data_dir.empty() || !flags.config.empty()) {
        if (auto done = add_store(flags, input); !done) return std::unexpected(done.error());
    }
    if (!flags.origin_logs.empty()) {
        if (auto done = add_origin_logs(flags, input); !done) return std::unexpected(done.error());
    }
    if (!flags.error_logs.empty()) {
        if (auto done = add_error_logs(flags, input); !done) return std::unexpected(done.error());
    }
    return input;
}

}  // namespace edgecase::cli
