// Owns the words for values that are one of a few.
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "config/values.hpp"

namespace edgecase::config {

template <typename T>
struct Choice {
    std::string_view name;
    T value;
};

constexpr std::array kSslModes{Choice{"off", SslMode::off}, Choice{"flexible", SslMode::flexible},
                               Choice{"full", SslMode::full}, Choice{"strict", SslMode::strict}};

constexpr std::array kBalances{Choice{"round_robin", Balance::round_robin},
                               Choice{"least_requests", Balance::least_requests},
                               Choice{"consistent_hash", Balance::consistent_hash}};

constexpr std::array kTraceParents{Choice{"off", TraceParents::passed},
                                   Choice{"continue", TraceParents::continued},
                                   Choice{"always", TraceParents::always}};

constexpr std::array kRecorded{Choice{"all", Recorded::all}, Choice{"failures", Recorded::failures},
                               Choice{"off", Recorded::none}};

constexpr std::array kAccessLogFormats{Choice{"json", AccessLog::Format::json},
                                       Choice{"combined", AccessLog::Format::combined}};

constexpr std::array kLedgerKinds{Choice{"sqlite", Ledger::Kind::sqlite},
                                  Choice{"clickhouse", Ledger::Kind::clickhouse}};

constexpr std::array kSecrets{Choice{"redacted", false}, Choice{"kept", true}};

constexpr std::array kSwitch{Choice{"on", true}, Choice{"off", false}};

template <typename T, size_t N>
Read<T> read_choice(const Value& value, const std::array<Choice<T>, N>& choices) {
    const auto* text = as_text(value);
    std::string names;
    for (const Choice<T>& choice : choices) {
        if (text != nullptr && *text == choice.name) return choice.value;
        names += (names.empty() ? "" : ", ") + std::string(choice.name);
    }
    return std::unexpected(must_be("one of " + names, value));
}

template <typename T, size_t N>
std::string_view name_of(T value, const std::array<Choice<T>, N>& choices) {
    for (const Choice<T>& choice : choices) {
        if (choice.value == value) return choice.name;
    }
    return {};
}

}  // namespace edgecase::config
