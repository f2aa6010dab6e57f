#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/ranges_report.hpp"

namespace edgecase::cli {
namespace {

using Out = std::back_insert_iterator<std::string>;

/// Lists can have a hundred thousand blocks: they are written as they are found.
void write_blocks(Out out, std::string_view name, const ip::AddressSet& set) {
    fmt::format_to(out, "\"{}\": [", name);
    bool is_first = true;
    for (const ip::Cidr& cidr : set.cidrs()) {
        fmt::format_to(out, "{}\"{}\"", is_first ? "" : ", ", cidr.to_string());
        is_first = false;
    }
    fmt::format_to(out, "]");
}

std::string json_string(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void write_text(Out out, std::string_view name, std::string_view text) {
    fmt::format_to(out, "\"{}\": {}, ", name, text.empty() ? "null" : json_string(text));
}

template <typename Number>
void write_number(Out out, std::string_view name, Number number) {
    if (number > 0) {
        fmt::format_to(out, "\"{}\": {}, ", name, number);
    } else {
        fmt::format_to(out, "\"{}\": null, ", name);
    }
}

void write_decided(Out out, const allowlist::DecidedBy& decided) {
    fmt::format_to(out, "{{");
    write_text(out, "file", decided.file);
    write_number(out, "line", decided.line);
    write_number(out, "handle", decided.handle);
    write_text(out, "chain", decided.chain);
    write_text(out, "rule", decided.text);
    write_text(out, "outcome", allowlist::to_string(decided.outcome));
    write_text(out, "why", decided.why);
    const bool is_seen = decided.sees != cause::Cause::none;
    const cause::Row& row = cause::row(decided.sees);
    write_text(out, "cause", is_seen ? row.name : std::string_view());
    write_number(out, "edge_status",
                 !is_seen         ? 0
                 : row.status > 0 ? row.status
                                  : decided.http_status);
    write_blocks(out, "cidrs", decided.part);
    fmt::format_to(out, "}}");
}

void write_row(Out out, const allowlist::Row& row, const std::vector<allowlist::StaleList>& stale) {
    fmt::format_to(out, "{{\"cidr\": \"{}\", \"port\": {}, ", row.range.to_string(), row.port);
    const auto list = [&](std::string_view name, const ip::AddressSet& set) {
        write_blocks(out, name, set);
        fmt::format_to(out, ", ");
    };
    list("admitted", row.admitted);
    list("dropped", row.dropped);
    list("rejected", row.rejected);
    list("rate_limited", row.rate_limited);
    list("unknown", row.unknown);
    fmt::format_to(out, "\"decided_by\": [");
    for (size_t i = 0; i < row.decided_by.size(); ++i) {
        if (i > 0) fmt::format_to(out, ", ");
        write_decided(out, row.decided_by[i]);
    }
    fmt::format_to(out, "], \"more_deciders\": {}, \"missing_in\": [", row.more_deciders);
    bool is_first = true;
    for (const allowlist::StaleList& one : stale) {
        for (const ip::Cidr& missing : one.missing) {
            if (missing != row.range) continue;
            fmt::format_to(out, "{}{{\"list\": {}, \"file\": {}, \"line\": {}}}",
                           is_first ? "" : ", ", json_string(one.name), json_string(one.file),
                           one.line);
            is_first = false;
        }
    }
    fmt::format_to(out, "]}}");
}

}  // namespace

std::string ranges_json(const RangesReport& report) {
    constexpr size_t kRoom = 16 << 20;  // address space alone, until it is used
    std::string text;
    text.reserve(kRoom);
    text += "[";
    const Out out = std::back_inserter(text);
    for (size_t i = 0; i < report.report.rows.size(); ++i) {
        text += i > 0 ? ",\n " : "\n ";
        write_row(out, report.report.rows[i], report.report.stale);
    }
    text += "\n]\n";
    return text;
}

}  // namespace edgecase::cli
