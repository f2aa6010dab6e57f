#include "record/summary.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/ascii.hpp"
#include "base/escape.hpp"
#include "base/sample.hpp"

namespace edgecase::record {
namespace {

using cause::Evidence;
using cause::EvidenceValue;

constexpr size_t kMaximumFigures = 4;  // a sentence, not a dump: the evidence stands below it
constexpr size_t kMaximumFigureBytes = 80;

/// How one fact reads inside the brackets.
struct Figure {
    std::string_view key;
    std::string_view before;
    std::string_view after;
};

// Which facts sharpen the sentence depends on the phase: a byte count says much about a truncated
// head and nothing about a refused connection. Keys as in docs/evidence.md.
constexpr std::array kDns{Figure{"name", "", ""}, Figure{"answer", "answer ", ""},
                          Figure{"resolver", "resolver ", ""}, Figure{"address", "address ", ""}};
constexpr std::array kConnect{Figure{"origin", "", ""},
                              Figure{"icmp_name", "ICMP ", ""},
                              Figure{"icmp_offender", "from ", ""},
                              Figure{"errno", "", ""},
                              Figure{"open_connections", "", " open connections"},
                              Figure{"elapsed_ms", "after ", " ms"}};
constexpr std::array kRequest{Figure{"tcp_unacked_bytes", "", " bytes not acknowledged"},
                              Figure{"request_body_bytes_sent", "", " body bytes sent"},
                              Figure{"request_body_bytes_total", "of ", ""},
                              Figure{"elapsed_ms", "after ", " ms"}};
constexpr std::array kReuse{Figure{"idle_ms", "idle ", " ms"},
                            Figure{"nth_request", "request number ", " on that connection"}};
constexpr std::array kHead{Figure{"bytes_received", "", " bytes received"}, Figure{"errno", "", ""},
                           Figure{"elapsed_ms", "after ", " ms"}};
constexpr std::array kTime{Figure{"elapsed_ms", "after ", " ms"},
                           Figure{"limit_ms", "limit ", " ms"},
                           Figure{"bytes_received", "", " bytes received"}};
constexpr std::array kBody{Figure{"body_bytes_received", "", " body bytes received"},
                           Figure{"body_bytes_expected", "of ", " expected"},
                           Figure{"chunk_bytes_missing", "", " bytes of a chunk missing"},
                           Figure{"extra_bytes", "", " bytes too many"},
                           Figure{"limit_ms", "limit ", " ms"}};
constexpr std::array kClient{Figure{"elapsed_ms", "after ", " ms"},
                             Figure{"limit_ms", "limit ", " ms"},
                             Figure{"body_bytes", "", " body bytes"}};
constexpr std::array kOther{Figure{"status", "status ", ""}, Figure{"limit", "limit ", ""},
                            Figure{"errno", "", ""}};
// Facts of a parser go before those of the phase.
constexpr std::array kSize{Figure{"seen", "", " bytes"}, Figure{"header_bytes", "", " bytes"},
                           Figure{"limit", "limit ", ""}, Figure{"limit_bytes", "limit ", ""},
                           Figure{"largest_fields", "largest: ", ""}};
constexpr std::array kCount{Figure{"seen", "", " seen"}, Figure{"limit", "limit ", ""},
                            Figure{"largest_fields", "most repeated: ", ""}};
constexpr std::array kParse{Figure{"field", "field ", ""}, Figure{"values", "values ", ""},
                            Figure{"offset", "at byte ", ""}};

std::span<const Figure> figures_of(std::string_view name, const Evidence& evidence) {
    if (name.contains("too_many")) return kCount;
    if (name.contains("too_large") || name.contains("too_long")) return kSize;
    if (evidence.find("offset") != nullptr) return kParse;
    constexpr std::pair<std::string_view, std::span<const Figure>> kPhases[] = {
        {"dns", kDns},   {"connect", kConnect}, {"request", kRequest}, {"reuse", kReuse},
        {"resp", kHead}, {"time", kTime},       {"body", kBody},       {"client", kClient}};
    const std::string_view phase = name.substr(0, name.find('.'));
    const auto* const found =
        std::ranges::find(kPhases, phase, [](const auto& entry) { return entry.first; });
    return found == std::end(kPhases) ? std::span<const Figure>(kOther) : found->second;
}

std::string shown(std::string_view text) {
    std::string result = base::escape(redact_evidence_text(text));
    if (result.size() > kMaximumFigureBytes) {
        result.resize(kMaximumFigureBytes);
        result += "...";
    }
    return result;
}

std::string figure_text(const EvidenceValue& value) {
    if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
    if (const auto* text = std::get_if<std::string>(&value)) return shown(*text);
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
        std::string joined;
        for (const std::string& element : *list) {
            if (joined.size() > kMaximumFigureBytes) break;
            joined += (joined.empty() ? "" : ", ") + shown(element);
        }
        return joined;
    }
    return {};
}

std::string figures(std::string_view name, const Evidence& evidence) {
    std::string text;
    size_t taken = 0;
    for (const Figure& figure : figures_of(name, evidence)) {
        const EvidenceValue* value = evidence.find(figure.key);
        if (value == nullptr) continue;
        const std::string middle = figure_text(*value);
        if (middle.empty()) continue;
        if (!text.empty()) text += figure.key == "largest_fields" ? "; " : ", ";
        text.append(figure.before).append(middle).append(figure.after);
        if (++taken == kMaximumFigures) break;
    }
    return text;
}

std::string sentence(cause::Cause cause, const Evidence& evidence) {
    const cause::Row& row = cause::row(cause);
    std::string text(row.reason);
    const std::string details = figures(row.name, evidence);
    if (details.empty()) return text;
    const bool full_stop = text.ends_with('.');
    if (full_stop) text.pop_back();
    return text + " (" + details + ")" + (full_stop ? "." : "");
}

/// `2026-08-20T23:01:50Z`, the time in a certificate: its colons make no header of it.
bool is_time_text(std::string_view text) {
    constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:ddZ";
    return std::ranges::equal(text, kForm, [](char c, char form) {
        return form == 'd' ? c >= '0' && c <= '9' : c == form;
    });
}

bool is_size_text(std::string_view value) {
    const size_t digits = value.find_first_not_of("0123456789");
    return digits != 0 && digits != std::string_view::npos &&
           (value.substr(digits) == " bytes" || value.substr(digits) == " times" ||
            value.substr(digits) == " byte");
}

}  // namespace

std::string redact_evidence_text(std::string_view text) {
    if (is_time_text(text)) return std::string(text);
    const size_t colon = text.find(':');
    if (colon != std::string_view::npos && is_size_text(base::trim(text.substr(colon + 1)))) {
        return std::string(text);
    }
    base::Sample sample;
    sample.bytes = text;
    return base::redact(sample).bytes;
}

std::string summary(const Record& record) {
    const auto has_failed = [](const Attempt& one) { return one.cause != cause::Cause::none; };
    const auto first_failed = std::ranges::find_if(record.attempts, has_failed);
    if (record.cause == cause::Cause::none && first_failed != record.attempts.end()) {
        const auto failed = std::ranges::count_if(record.attempts, has_failed);
        return "The origin answered after " + std::to_string(failed) +
               (failed == 1 ? " failed attempt (" : " failed attempts (") +
               std::string(cause::row(first_failed->cause).name) +
               ") and the response was delivered.";
    }
    if (record.cause == cause::Cause::none && record.header_warning) {
        return "The origin answered and the response was delivered, but its header section of " +
               std::to_string(record.response_header_bytes) + " bytes is near the edge's limit.";
    }
    if (record.cause == cause::Cause::none && record.attempts.size() > 1) {
        return "The origin answered and the response was delivered, but not all of its addresses "
               "took a connection in time: another was quicker.";
    }
    if (record.cause == cause::Cause::none && is_case(record)) {
        return "The origin answered and the response was delivered, but its name no longer "
               "resolves (" +
               std::string(cause::row(record.attempts.front().dns_stale).name) +
               "): this is the last address it had.";
    }
    if (record.cause == cause::Cause::none) return sentence(record.cause, {});
    std::string text = sentence(record.cause, record.evidence);
    if (record.attempts.size() > 1) {
        text += " This was the last of " + std::to_string(record.attempts.size()) + " attempts.";
    }
    return text;
}

std::string summary(const Attempt& attempt) {
    if (attempt.outrun) return "Another address of the name took the connection first.";
    return sentence(attempt.cause, attempt.evidence);
}

}  // namespace edgecase::record
