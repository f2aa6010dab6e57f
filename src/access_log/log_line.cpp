#include "access_log/log_line.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "record/logpush_json.hpp"
#include "record/redact_uri.hpp"

namespace edgecase::access_log {
namespace {

void append_two(std::string& out, unsigned number) {
    out += static_cast<char>('0' + number / 10 % 10);
    out += static_cast<char>('0' + number % 10);
}

/// `28/Nov/2026:20:43:00 +0000`: when the request was over, as in nginx.
void append_time(std::string& out, base::WallTime time) {
    static constexpr std::array<std::string_view, 12> kMonths{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
    append_two(out, static_cast<unsigned>(date.day()));
    out += '/';
    out += kMonths[static_cast<unsigned>(date.month()) - 1];
    out += '/';
    out += std::to_string(static_cast<int>(date.year()));
    for (const auto part : {clock.hours().count(), clock.minutes().count(),
                            static_cast<std::chrono::hours::rep>(clock.seconds().count())}) {
        out += ':';
        append_two(out, static_cast<unsigned>(part));
    }
    out += " +0000";
}

/// `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent
/// "$http_referer" "$http_user_agent"`. The edge knows of no user.
void append_combined(std::string& out, const record::Record& record) {
    out += record.client == ip::Endpoint{} ? "-" : record.client.address.to_string();
    out += " - - [";
    append_time(out,
                record.start + std::chrono::microseconds(std::max<int64_t>(record.duration_us, 0)));
    out += "] \"";
    if (record.method.empty()) {
        out += '-';  // what came was no request
    } else {
        append_escaped(out, record.method);
        out += ' ';
        append_escaped(out, record::redact_uri(record.uri));
        out += ' ';
        if (record.protocol == "HTTP/2") {
            out += "HTTP/2.0";
        } else {
            append_escaped(out, record.protocol);
        }
    }
    out += "\" ";
    out += std::to_string(record.edge_status);
    out += ' ';
    out += std::to_string(record.response_body_bytes);
    out += " \"";
    append_escaped(out, record::redact_uri(record.referer));
    out += "\" \"";
    append_escaped(out, record::redact_uri(record.user_agent));
    out += "\"";
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    if (text.empty()) {
        out += '-';
        return;
    }
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') {
            out += "\\x";
            out += kDigits[byte >> 4];
            out += kDigits[byte & 0xf];
        } else {
            out += c;
        }
    }
}

void append_line(std::string& out, const record::Record& record, Format format) {
    if (format == Format::json) {
        record::append_logpush(out, record);
    } else {
        append_combined(out, record);
    }
    out += '\n';
}

}  // namespace edgecase::access_log
