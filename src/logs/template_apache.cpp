#include <array>

#include "base/ascii.hpp"
#include "logs/template_format.hpp"

namespace edgecase::logs {
namespace {

struct Field {
    std::string_view name;  // in lower case
    Slot slot;
};

constexpr std::array kRequestFields{
    Field{"cf-ray", Slot::ray},
    Field{"cf-connecting-ip", Slot::forwarded},
    Field{"x-forwarded-for", Slot::forwarded},
    Field{"host", Slot::host},
    Field{"user-agent", Slot::user_agent},
    Field{"referer", Slot::referer},
};

// Source: Apache, mod_log_config and mod_logio.
Slot slot_of(char directive, std::string_view argument) {
    switch (directive) {
        case 'a':
        case 'h':
            return Slot::client;
        case 'b':
        case 'B':
            return Slot::body_bytes;
        case 'D':
            return Slot::duration_us;
        case 'H':
            return Slot::ignored;
        case 'I':
            return Slot::request_bytes;
        case 'i':
            for (const Field& one : kRequestFields) {
                if (base::iequals(one.name, argument)) return one.slot;
            }
            return Slot::ignored;
        case 'm':
            return Slot::method;
        case 'O':
            return Slot::response_bytes;
        case 'P':
            return argument.empty() || argument == "pid" ? Slot::worker : Slot::ignored;
        case 'q':
            return Slot::query;
        case 'r':
            return Slot::request;
        case 's':
            return Slot::status;
        case 'T':
            return argument == "us"   ? Slot::duration_us
                   : argument == "ms" ? Slot::duration_ms
                                      : Slot::duration_s;
        case 'U':
            return Slot::path;
        case 'v':
        case 'V':
            return Slot::host;
        case 'X':
            return Slot::reason;
        default:
            return Slot::ignored;
    }
}

/// `%{...}t`: which of the ways to tell a time it is. Ignored: one that is not read.
struct TimeField {
    Slot slot;
    std::string_view before;  // literal text around it
    std::string_view after;
    Moment moment = Moment::start;
    int64_t resolution_us = 1'000'000;
};

TimeField time_field(std::string_view argument) {
    TimeField field{Slot::time_clf, "[", "]"};
    if (argument.starts_with("begin:")) argument.remove_prefix(6);
    if (argument.starts_with("end:")) {
        field.moment = Moment::end;
        argument.remove_prefix(4);
    }
    if (argument.empty()) return field;
    field.before = field.after = {};
    field.slot = Slot::ignored;
    if (argument == "sec" || argument == "msec" || argument == "usec") {
        field.slot = Slot::time_epoch;
        if (argument != "sec") field.resolution_us = argument == "msec" ? 1000 : 1;
    } else if (argument == "%d/%b/%Y:%H:%M:%S %z" || argument == "%d/%b/%Y %T %z" ||
               argument == "%d/%b/%Y:%T %z") {
        field.slot = Slot::time_clf;
    } else if (argument.starts_with("%Y-%m-%d") || argument.starts_with("%F")) {
        field.slot = Slot::time_iso;
    }
    return field;
}

/// A directive behind its `%`.
struct Directive {
    char letter;
    std::string_view argument;
    size_t size;  // of all of it
};

std::expected<Directive, std::string> directive_at(std::string_view text) {
    size_t i = 0;
    // Conditions (%400,501{...}i) and which of several requests (%>s, %<s).
    while (i < text.size() && (text[i] == '>' || text[i] == '<' || text[i] == '!' ||
                               text[i] == ',' || (text[i] >= '0' && text[i] <= '9'))) {
        ++i;
    }
    std::string_view argument;
    if (i < text.size() && text[i] == '{') {
        const size_t close = text.find('}', i);
        if (close == std::string_view::npos) return std::unexpected("%{ is not closed");
        argument = text.substr(i + 1, close - i - 1);
        i = close + 1;
    }
    if (i < text.size() && text[i] == '^') i += 2;  // %^FB, %{x}^ti
    if (i >= text.size()) return std::unexpected("a % without a letter behind it");
    return Directive{text[i], argument, i + 1};
}

}  // namespace

std::expected<Template, std::string> apache_template(std::string_view name, std::string_view text) {
    Template result;
    result.name = name;
    result.moment = Moment::start;
    std::string literal;
    bool has_time = false;
    const auto add = [&](Slot slot) -> std::expected<void, std::string> {
        if (literal.empty() && !result.pieces.empty()) {
            // %U%q: together they are the URI.
            if (slot == Slot::query && result.pieces.back().slot == Slot::path) {
                result.pieces.back().slot = Slot::uri;
                return {};
            }
            return std::unexpected(
                "two fields without a character between them: where one ends cannot be told");
        }
        result.pieces.push_back({std::move(literal), slot});
        literal.clear();
        return {};
    };
    for (size_t i = 0; i < text.size();) {
        if (text[i] == '\\' && i + 1 < text.size()) {
            const char c = text[i + 1];
            literal += c == 't' ? '\t' : c == 'n' ? '\n' : c;
            i += 2;
            continue;
        }
        if (text[i] != '%') {
            literal += text[i++];
            continue;
        }
        if (text.substr(i).starts_with("%%")) {
            literal += '%';
            i += 2;
            continue;
        }
        const auto directive = directive_at(text.substr(i + 1));
        if (!directive) return std::unexpected(directive.error());
        i += 1 + directive->size;
        std::string_view after;
        Slot slot = slot_of(directive->letter, directive->argument);
        if (directive->letter == 't') {
            const TimeField time = time_field(directive->argument);
            slot = time.slot;
            literal += time.before;
            after = time.after;
            if (slot != Slot::ignored && !has_time) {
                result.moment = time.moment;
                result.resolution_us = time.resolution_us;
                has_time = true;
            } else {
                slot = Slot::ignored;  // parts of one that is told in pieces
            }
        }
        if (auto added = add(slot); !added) return std::unexpected(added.error());
        literal = after;
    }
    result.after = std::move(literal);
    if (result.pieces.empty()) return std::unexpected("no field in it");
    if (!has_time) return std::unexpected("no time in it that can be read: %t is needed");
    return result;
}

}  // namespace edgecase::logs
