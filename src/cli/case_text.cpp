#include "cli/case_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/sample.hpp"
#include "cause/table.hpp"
#include "cli/terminal_text.hpp"
#include "record/redact_uri.hpp"
#include "record/summary.hpp"

namespace edgecase::cli {
namespace {

using record::Attempt;
using record::Record;
using record::Secrets;

constexpr size_t kBarColumns = 40;
constexpr size_t kKeyColumns = 12;  // of the request's part
constexpr size_t kUriColumns = 200;
constexpr ptrdiff_t kProtocolColumn = 3;  // of the attempts, after the connection

std::string ms_text(int64_t microseconds) {
    if (microseconds < 0) return "-";
    const double ms = static_cast<double>(microseconds) / 1000;
    if (ms >= 10'000) return fmt::format("{:.1f} s", ms / 1000);
    if (ms >= 100) return fmt::format("{:.0f} ms", ms);
    return fmt::format("{:.2f} ms", ms);
}

std::string free_text(std::string_view uri, Secrets secrets) {
    return fitted(secrets == Secrets::shown ? std::string(uri) : record::redact_uri(uri),
                  kUriColumns);
}

Colour colour_of(const Record& record) {
    if (record.cause == cause::Cause::none) return Colour::green;
    return cause::row(record.cause).actor == cause::Actor::client ? Colour::yellow : Colour::red;
}

std::string line(const Painter& paint, std::string_view key, std::string_view value) {
    if (value.empty()) return {};
    return "  " + paint(Colour::dim, key) +
           std::string(kKeyColumns - std::min(kKeyColumns - 1, key.size()), ' ') +
           std::string(value) + "\n";
}

std::string heading(const Painter& paint, std::string_view text) {
    return "\n" + paint(Colour::bold, text) + "\n";
}

/// The status the client saw, and whether it saw all that was to follow.
std::string status_text(const Record& record) {
    return std::to_string(record.edge_status) + (record.aborted ? " cut" : "");
}

std::string headline(const Record& record, const Painter& paint) {
    const cause::Row& row = cause::row(record.cause);
    const cause::Status* const status = cause::status(record.edge_status);
    std::string text = paint(colour_of(record), std::to_string(record.edge_status));
    if (record.edge_status == 0) text = paint(Colour::red, "no response");
    if (record.cause != cause::Cause::none) {
        // An origin's own status has no title of the edge's.
        if (status != nullptr && row.status == record.edge_status)
            text += " " + std::string(status->title);
        text += " - " + paint(Colour::bold, row.name) + ", the fault of " +
                paint(Colour::bold, row.actor == cause::Actor::network
                                        ? "the network"
                                        : "the " + std::string(to_string(row.actor)));
    } else {
        text += " - no failure";
    }
    text += "\n" + paint(Colour::dim, "ray ") + record.ray.to_string();
    if (!record.colo.empty()) text += "-" + printable(record.colo);
    text += paint(Colour::dim, "  at ") + record::rfc3339(record.start);
    text += paint(Colour::dim, "  took ") + ms_text(record.duration_us) + "\n";
    return text;
}

std::string what_happened(const Record& record, const Painter& paint) {
    const cause::Row& row = cause::row(record.cause);
    std::string text = "\n" + wrapped(printable(record::summary(record)), 0) + "\n";
    if (record.aborted) {
        text += "The response head had already gone out, so the client's connection was cut.\n";
    }
    if (record.header_warning && record.cause != cause::Cause::none) {
        text +=
            fmt::format("Warning: the response's header section of {} bytes is near the limit.\n",
                        record.response_header_bytes);
    }
    if (!row.fix.empty()) text += paint(Colour::cyan, "Fix: ") + wrapped(row.fix, 5) + "\n";
    return text;
}

std::string client_tls_text(const Record& record) {
    if (record.tls_version == 0) return {};
    return ", " + std::string(record::tls_version_name(record.tls_version)) +
           (record.tls_cipher.empty() ? "" : " ") + fitted(record.tls_cipher, 40);
}

std::string request_part(const Record& record, const Painter& paint, Secrets secrets) {
    std::string text = heading(paint, "Request");
    text += line(paint, "line",
                 fitted(record.method, 40) + " " + free_text(record.uri, secrets) + " " +
                     fitted(record.protocol, 12));
    text += line(paint, "host", free_text(record.host, secrets));
    text += line(paint, "client",
                 record.client.to_string() + " -> " + record.edge.to_string() +
                     (record.scheme.empty() ? "" : ", ") + fitted(record.scheme, 8) +
                     client_tls_text(record));
    if (record.sni != record.host)
        text += line(paint, "server name", free_text(record.sni, secrets));
    text += line(paint, "user agent", free_text(record.user_agent, secrets));
    text += line(paint, "referer", free_text(record.referer, secrets));
    text += line(paint, "origin",
                 record.origin_url.empty() ? "no route" : free_text(record.origin_url, secrets));
    if (record.parent) text += line(paint, "parent ray", record.parent.to_string());
    if (record.trace) {
        text += line(paint, "trace",
                     record.trace.id() +
                         (record.trace.parent_span == 0
                              ? ", begun here"
                              : ", span " + record::RayId(record.trace.parent_span).to_string() +
                                    " above this one"));
    }
    text += line(paint, "statuses",
                 fmt::format("edge {}, origin {}", record.edge_status,
                             record.origin_status == 0 ? "said nothing readable"
                                                       : std::to_string(record.origin_status)));
    text += line(
        paint, "bytes",
        fmt::format("request {} ({} of body), response {} ({} of body)", record.request_bytes,
                    record.request_body_bytes, record.response_bytes, record.response_body_bytes));
    return text;
}

/// The phases of one attempt, each from where the one before ended.
std::string timeline(const Record& record, const Painter& paint) {
    if (record.attempts.empty()) return {};
    const Attempt& attempt = record.attempts.back();
    std::vector<std::pair<std::string_view, int64_t>> phases;
    const auto add = [&](std::string_view name, int64_t microseconds) {
        if (microseconds >= 0) phases.emplace_back(name, microseconds);
    };
    add("dns", attempt.dns_us);
    if (!attempt.reused) add("connect", attempt.connect_us);
    if (!attempt.reused) add("tls", attempt.tls_us);
    add("send", attempt.send_us);
    add("wait", attempt.first_byte_us);
    if (attempt.header_us >= 0) {
        add("headers", attempt.header_us - std::max<int64_t>(attempt.first_byte_us, 0));
    }
    // The total begins where the request was sent, as the response's phases do.
    const int64_t told = std::max<int64_t>({attempt.header_us, attempt.first_byte_us, 0});
    if (attempt.total_us > told) {
        add(attempt.header_us >= 0 ? "body" : "until it failed", attempt.total_us - told);
    }
    int64_t known = 0;
    for (const auto& phase : phases) known += phase.second;
    if (phases.empty()) return {};
    std::string text =
        heading(paint, record.attempts.size() > 1 ? "Timeline of the last attempt" : "Timeline");
    const double scale =
        static_cast<double>(kBarColumns) / static_cast<double>(std::max<int64_t>(known, 1));
    double at = 0;
    for (const auto& [name, microseconds] : phases) {
        const double length = static_cast<double>(microseconds) * scale;
        const auto from = static_cast<size_t>(at);
        const size_t bar = std::max<size_t>(1, static_cast<size_t>(at + length) - from);
        text += fmt::format("  {:<16}{:>10}  {}{}\n", name, ms_text(microseconds),
                            std::string(std::min(from, kBarColumns - 1), ' '),
                            paint(Colour::cyan, std::string(std::min(bar, kBarColumns), '=')));
        at += length;
    }
    return text;
}

std::string connection_text(const Attempt& attempt) {
    if (attempt.origin == ip::Endpoint{}) return "none";
    if (attempt.outrun) return "not in " + ms_text(attempt.connect_us);
    if (!attempt.reused) {
        return attempt.dns_stale == cause::Cause::none ? "new" : "new, name gone";
    }
    return "reused, idle " + ms_text(attempt.idle_us) + ", request " +
           std::to_string(attempt.nth_request);
}

/// HTTP/1.1 without TLS, as far as it came: what an attempt is that the table need not explain.
bool is_plain(const Attempt& attempt) {
    return !attempt.http2 && !attempt.downgraded && attempt.tls_version == 0 && attempt.tls_us < 0;
}

std::string tls_text(const Attempt& attempt) {
    const bool made_here = !attempt.reused && attempt.tls_us >= 0;
    if (attempt.tls_version == 0) {
        return made_here ? "no TLS after " + ms_text(attempt.tls_us) : std::string();
    }
    return std::string(record::tls_version_name(attempt.tls_version)) +
           (attempt.tls_resumed ? " resumed" : "") +
           (made_here ? " in " + ms_text(attempt.tls_us) : "");
}

std::string http_text(const Attempt& attempt) {
    if (attempt.downgraded) return "again over HTTP/1.1";
    if (attempt.http2) {
        return attempt.stream_id == 0 ? "HTTP/2"
                                      : fmt::format("HTTP/2 stream {}", attempt.stream_id);
    }
    // Before that the two sides may not have agreed on one.
    return attempt.bytes_sent == 0 ? "" : "HTTP/1.1";
}

std::string protocol_text(const Attempt& attempt) {
    const std::string http = http_text(attempt);
    const std::string tls = tls_text(attempt);
    if (http.empty() && tls.empty()) return "-";
    return http + (http.empty() || tls.empty() ? "" : ", ") + tls;
}

std::string cause_text(const Attempt& attempt) {
    if (attempt.outrun) return "another was quicker";
    return std::string(cause::row(attempt.cause).name) + (attempt.retried ? ", retried" : "");
}

std::string attempts_part(const Record& record, const Painter& paint) {
    std::string text = heading(paint, "Attempts");
    if (record.attempts.empty()) return text + "  none: the edge did not turn to an origin\n";
    // The column is wide, so it stands only where it says something.
    const bool has_protocol = !std::ranges::all_of(record.attempts, is_plain);
    std::vector<std::string> header{"#",      "origin", "connection", "sent", "received",
                                    "status", "end",    "took",       "cause"};
    if (has_protocol) header.insert(header.begin() + kProtocolColumn, "protocol");
    Table table(std::move(header));
    for (size_t i = 0; i < record.attempts.size(); ++i) {
        const Attempt& attempt = record.attempts[i];
        const bool fine = attempt.cause == cause::Cause::none;
        std::vector<Table::Cell> row{
            std::to_string(i + 1),
            attempt.origin == ip::Endpoint{} ? "-" : attempt.origin.to_string(),
            connection_text(attempt),
            std::to_string(attempt.bytes_sent),
            std::to_string(attempt.bytes_received),
            attempt.status == 0 ? "-" : std::to_string(attempt.status),
            std::string(to_string(attempt.close)),
            ms_text(attempt.total_us),
            {cause_text(attempt), fine ? Colour::green : Colour::red}};
        if (has_protocol) row.insert(row.begin() + kProtocolColumn, protocol_text(attempt));
        table.add(std::move(row));
    }
    return text + table.text(paint, 2);
}

std::string value_text(const cause::EvidenceValue& value, size_t indent, const Painter& paint,
                       Secrets secrets) {
    const auto shown = [&](std::string_view text) {
        return printable(secrets == Secrets::shown ? std::string(text)
                                                   : record::redact_evidence_text(text));
    };
    const std::string next_line = "\n" + std::string(indent, ' ');
    if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
    if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "yes" : "no";
    if (const auto* text = std::get_if<std::string>(&value)) return shown(*text);
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
        std::string text;
        for (const std::string& item : *list) text += (text.empty() ? "" : next_line) + shown(item);
        return text;
    }
    const auto& original = std::get<base::Sample>(value);
    const base::Sample sample = secrets == Secrets::shown ? original : base::redact(original);
    const std::string lines = base::caret_lines(sample);
    const size_t end = lines.find('\n');
    return fmt::format("byte {}", original.error_offset) + next_line + lines.substr(0, end) +
           next_line + paint(Colour::red, lines.substr(end + 1));
}

std::string evidence_part(const cause::Evidence& evidence, std::string_view title,
                          const Painter& paint, Secrets secrets) {
    if (evidence.empty()) return {};
    size_t width = 0;
    for (const auto& item : evidence.items()) width = std::max(width, printable(item.first).size());
    std::string text = heading(paint, title);
    for (const auto& [key, value] : evidence.items()) {
        const std::string name = printable(key);
        text += "  " + paint(Colour::dim, name) + std::string(width - name.size() + 2, ' ') +
                value_text(value, width + 4, paint, secrets) + "\n";
    }
    return text;
}

}  // namespace

std::string case_text(const Record& record, bool colour, Secrets secrets) {
    const Painter paint(colour);
    std::string text = headline(record, paint) + what_happened(record, paint) +
                       request_part(record, paint, secrets) + timeline(record, paint) +
                       attempts_part(record, paint) +
                       evidence_part(record.evidence, "Evidence", paint, secrets);
    for (size_t i = 0; i < record.attempts.size(); ++i) {
        // The last attempt's is the record's own.
        if (record.attempts[i].evidence == record.evidence) continue;
        text += evidence_part(record.attempts[i].evidence,
                              fmt::format("Evidence of attempt {}", i + 1), paint, secrets);
    }
    return text;
}

std::string case_list_text(std::span<const Record> records, bool colour) {
    const Painter paint(colour);
    if (records.empty()) return "no cases\n";
    Table table({"TIME", "RAY", "STATUS", "CAUSE", "TRIES", "HOST AND PATH"});
    for (const Record& record : records) {
        const std::string uri = record::redact_uri(record.uri);
        table.add({record::rfc3339(record.start),
                   record.ray.to_string(),
                   {status_text(record), colour_of(record)},
                   std::string(cause::row(record.cause).name),
                   std::to_string(record.attempts.size()),
                   fitted(record::redact_uri(record.host) + uri.substr(0, uri.find('?')), 80)});
    }
    return table.text(paint, 0);
}

}  // namespace edgecase::cli
