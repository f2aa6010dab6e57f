#include "cli/explain_text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/ascii.hpp"
#include "cause/table.hpp"
#include "cli/terminal_text.hpp"
#include "lexicon/lookup.hpp"

namespace edgecase::cli {
namespace {

using cause::Row;
using nlohmann::ordered_json;

constexpr size_t kMaximumNameBytes = 64;  // longer than any name; bounds the search for a near one

/// What was asked about: exactly one of the two is filled.
struct Subject {
    const cause::Status* status = nullptr;
    std::vector<const Row*> rows;
};

std::vector<const Row*> rows_of_status(uint16_t status) {
    std::vector<const Row*> rows;
    for (const Row& row : cause::table()) {
        if (row.status == status) rows.push_back(&row);
    }
    return rows;
}

std::string unknown(std::string_view what) {
    std::string text = "\"" + fitted(what, kMaximumNameBytes) +
                       "\" is no status of this edge, no cause, and no word of the vocabularies "
                       "(nginx, HAProxy, Envoy, Apache, PHP, the kernel, CDNs and others)";
    std::string nearest;
    if (what.size() <= kMaximumNameBytes) {
        const auto apart = [&](const Row& row) { return lexicon::letters_apart(what, row.name); };
        const auto row = std::ranges::min_element(cause::table(), {}, apart);
        const std::string_view word = lexicon::nearest_word(what);
        if (!word.empty() && lexicon::letters_apart(what, word) < apart(*row)) {
            nearest = word;
            if (what.size() == 4 && what.ends_with("--")) nearest += "--";
        } else if (apart(*row) * 3 <= what.size()) {
            nearest = row->name;
        }
    }
    if (!nearest.empty()) return text + "; did you mean " + nearest + "?";
    return text + "; `edgecase explain --list` has the causes, with --words the words";
}

/// By its own number or by the one our pages show instead: 1016 for 530.
const cause::Status* status_of(uint16_t code) {
    if (const cause::Status* const status = cause::status(code)) return status;
    for (const cause::Status& status : cause::statuses()) {
        if (status.error_code == code) return &status;
    }
    return nullptr;
}

std::expected<Subject, std::string> subject_of(std::string_view as_written) {
    const std::string_view status = lexicon::status_in(as_written);
    const std::string what =
        status.empty() ? base::to_lower(base::trim(as_written)) : std::string(status);
    Subject subject;
    uint16_t code = 0;
    const auto [rest, error] = std::from_chars(what.data(), what.data() + what.size(), code);
    if (error == std::errc() && rest == what.data() + what.size()) {
        subject.status = status_of(code);
        if (subject.status == nullptr) return std::unexpected(unknown(as_written));
        subject.rows = rows_of_status(subject.status->code);
        return subject;
    }
    std::string_view name = what;
    if (name.ends_with('.')) name.remove_suffix(1);
    for (const Row& row : cause::table()) {
        if (row.name == name || row.name.starts_with(std::string(name) + ".")) {
            subject.rows.push_back(&row);
        }
    }
    if (subject.rows.empty() && name.contains('.')) {  // `body.short`
        for (const Row& row : cause::table()) {
            if (row.name.starts_with(name)) subject.rows.push_back(&row);
        }
    }
    if (name.empty() || subject.rows.empty()) return std::unexpected(unknown(as_written));
    return subject;
}

std::string retry_text(cause::Retry retry) {
    switch (retry) {
        case cause::Retry::no:
            return "never: the origin may have acted on the request";
        case cause::Retry::connect:
            return "always safe: nothing was sent";
        case cause::Retry::reused:
            return "on a reused connection, before any response byte, while the body is still held";
        case cause::Retry::unprocessed:
            return "on a fresh connection, while the body is still held: the origin did nothing";
        case cause::Retry::idempotent:
            return "on a fresh connection, before any response byte, for idempotent methods";
        case cause::Retry::downgrade:
            return "over HTTP/1.1, before any response byte, while the body is still held";
        case cause::Retry::downgrade_idempotent:
            return "the same over HTTP/1.1, for idempotent methods: the origin may have acted";
    }
    return {};
}

std::string row_text(const Row& row, const Painter& paint) {
    std::string text = paint(Colour::bold, row.name) + "\n  " + wrapped(row.reason, 2) + "\n\n";
    const auto line = [&](std::string_view key, std::string_view value) {
        if (value.empty()) return;
        text += "  " + paint(Colour::dim, key) + std::string(14 - key.size(), ' ') +
                wrapped(value, 16) + "\n";
    };
    const cause::Status* const status = cause::status(row.status);
    line("who", to_string(row.actor));
    line("phase", row.phase());
    line("status", row.status == 0
                       ? std::string("the origin's own")
                       : std::to_string(row.status) +
                             (status == nullptr ? "" : " " + std::string(status->title)));
    line("proxy-status", row.proxy_error);
    line("retry", retry_text(row.retry));
    line("fix", row.fix);
    line("visitor sees", row.visitor);
    line("source", row.source);
    return text;
}

std::string names_and_reasons(const std::vector<const Row*>& rows, const Painter& paint) {
    size_t width = 0;
    for (const Row* row : rows) width = std::max(width, row->name.size());
    std::string text;
    for (const Row* row : rows) {
        text += "  " + paint(Colour::cyan, row->name) +
                std::string(width - row->name.size() + 2, ' ') + wrapped(row->reason, width + 4) +
                "\n";
    }
    return text;
}

ordered_json row_json(const Row& row) {
    return {{"name", row.name},
            {"number", static_cast<uint16_t>(row.cause)},
            {"phase", row.phase()},
            {"actor", to_string(row.actor)},
            {"status", row.status},
            {"proxy_error", row.proxy_error},
            {"retry", to_string(row.retry)},
            {"reason", row.reason},
            {"fix", row.fix},
            {"source", row.source}};
}

/// Everybody's words that may mean the cause.
ordered_json words_of(const Row& row) {
    ordered_json words = ordered_json::array();
    for (const lexicon::Vocabulary& vocabulary : lexicon::vocabularies()) {
        for (const lexicon::Word& word : vocabulary.words) {
            if (lexicon::may_be(word, row)) {
                words.push_back({{"system", vocabulary.system}, {"word", word.word}});
            }
        }
    }
    return words;
}

ordered_json rows_json(const std::vector<const Row*>& rows) {
    ordered_json list = ordered_json::array();
    for (const Row* row : rows) list.push_back(row_json(*row));
    return list;
}

/// What makes somebody's proxy answer so.
ordered_json leads_json(uint16_t status) {
    ordered_json list = ordered_json::array();
    for (const lexicon::Match& match : lexicon::leading_to(status)) {
        list.push_back({{"system", match.vocabulary->system},
                        {"word", match.word->word},
                        {"meaning", match.word->meaning}});
    }
    return list;
}

std::vector<const Row*> all_rows() {
    std::vector<const Row*> rows;
    for (const Row& row : cause::table()) rows.push_back(&row);
    return rows;
}

}  // namespace

std::expected<std::string, std::string> explain_text(std::string_view status_or_cause,
                                                     bool colour) {
    const auto subject = subject_of(status_or_cause);
    if (!subject) return std::unexpected(subject.error());
    const Painter paint(colour);
    if (subject->status == nullptr) {
        if (subject->rows.size() == 1) return row_text(*subject->rows.front(), paint);
        return names_and_reasons(subject->rows, paint);
    }
    const cause::Status& status = *subject->status;
    std::string heading = std::to_string(status.code);
    if (status.error_code != status.code) {
        heading += " (error " + std::to_string(status.error_code) + ")";
    }
    std::string text = paint(Colour::bold, heading + " " + std::string(status.title)) + "\n";
    text += status.retry_after_s == 0 ? ""
                                      : "  A client may try again after " +
                                            std::to_string(status.retry_after_s) + " s.\n";
    if (subject->rows.empty()) {
        text +=
            "\nThe edge never answers so for a failure of its own. It passes it on: the origin, or "
            "a proxy in\nfront of it, made it (cause origin.status).\n";
    } else {
        text += "\nThe edge answers so for:\n" + names_and_reasons(subject->rows, paint);
    }
    const auto leads = lexicon::leading_to(status.code);
    if (!leads.empty()) text += "\nA proxy in front of the origin answers so after:\n";
    for (const lexicon::Match& match : leads) {
        text += "  " + paint(Colour::cyan, match.word->word) + "  " +
                paint(Colour::dim, match.vocabulary->title) + "\n      " +
                wrapped(match.word->meaning, 6) + "\n";
    }
    return text +
           "\n`edgecase explain CAUSE` says more of each; `edgecase ray ID` says which it was.\n";
}

std::expected<ordered_json, std::string> explain_json(std::string_view status_or_cause) {
    const auto subject = subject_of(status_or_cause);
    if (!subject) return std::unexpected(subject.error());
    if (subject->status != nullptr) {
        return ordered_json{{"status", subject->status->code},
                            {"error_code", subject->status->error_code},
                            {"title", subject->status->title},
                            {"name", subject->status->name},
                            {"category", subject->status->category},
                            {"retry_after_s", subject->status->retry_after_s},
                            {"causes", rows_json(subject->rows)},
                            {"elsewhere", leads_json(subject->status->code)}};
    }
    if (subject->rows.size() == 1) return row_json(*subject->rows.front());
    return rows_json(subject->rows);
}

std::string explain_list_text(bool colour) {
    const Painter paint(colour);
    Table table({"CAUSE", "STATUS", "WHO", "REASON"});
    for (const Row* row : all_rows()) {
        table.add({{std::string(row->name), Colour::cyan},
                   row->status == 0 ? "-" : std::to_string(row->status),
                   std::string(to_string(row->actor)),
                   std::string(row->reason)});
    }
    return table.text(paint, 0);
}

ordered_json explain_list_json() {
    ordered_json list = ordered_json::array();
    for (const Row* row : all_rows()) {
        list.push_back(row_json(*row));
        list.back()["words"] = words_of(*row);
    }
    return list;
}

}  // namespace edgecase::cli
