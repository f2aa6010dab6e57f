// Owns the picking of facts out of an event's words.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "logs/entry.hpp"

namespace edgecase::logs {

/// Words that stand in a message and what it is about then. ` ... `: anything may stand between.
struct Phrase {
    std::string_view words;
    EventKind kind;
};

/// Of the first phrase that the text holds; EventKind::other: none. No more than the first 64 KiB
/// of the text are looked at.
EventKind kind_of(std::string_view text, std::span<const Phrase> phrases);

bool holds(std::string_view text, std::string_view words);

/// The text behind `words`; nullopt: they are not there.
std::optional<std::string_view> behind(std::string_view text, std::string_view words);

/// The text up to `end`, all of it if `end` is not there.
std::string_view up_to(std::string_view text, std::string_view end);

/// The digits at the beginning. Errors: nullopt for none, or too many.
std::optional<int64_t> leading_number(std::string_view text);

/// The number right behind `words`.
std::optional<int64_t> number_behind(std::string_view text, std::string_view words);

/// Takes `[...]` and the spaces behind it away from `rest`. Errors: nullopt, nothing is taken.
std::optional<std::string_view> take_bracketed(std::string_view& rest);

/// `SIGKILL`, `KILL` or `9`: 9. 0: no signal of Linux.
int signal_number(std::string_view name);

/// `GET /a HTTP/1.1`, the version may be missing.
void set_request(EventView& into, std::string_view request_line);

/// A Ray ID that stands alone, or with `-COLO` behind it. 0: none. 16 decimal digits without a
/// letter are a time or an amount far more often than a Ray ID, and are none without their colo.
uint64_t find_ray(std::string_view text);

/// By the digits of its second.
int64_t resolution_of(std::string_view time);

}  // namespace edgecase::logs
