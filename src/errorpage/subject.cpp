#include "errorpage/subject.hpp"

#include <fmt/format.h>

#include <chrono>

namespace edgecase::errorpage {
namespace {

/// Printable ASCII only: no control bytes, no bidirectional tricks, nothing that is not UTF-8.
std::string clean(std::string_view text, size_t maximum) {
    const bool cut = text.size() > maximum;
    std::string result(text.substr(0, cut ? maximum - 3 : maximum));
    for (char& c : result) {
        if (c < 0x21 || c > 0x7e) c = '?';
    }
    if (cut) result += "...";
    return result;
}

std::string visitor_advice(const cause::Status& status, cause::Actor actor) {
    const auto after = [&]() -> std::string {
        if (status.retry_after_s == 60) return "a minute";
        if (status.retry_after_s % 60 == 0)
            return fmt::format("{} minutes", status.retry_after_s / 60);
        return fmt::format("{} seconds", status.retry_after_s);
    };
    if (status.retry_after_s != 0) {
        return fmt::format(
            "Wait {}, then try again. If it still fails, send the Ray ID to the owner "
            "of this website.",
            after());
    }
    switch (status.code) {
        case 408:
            return "Check your internet connection, then try again.";
        case 413:
            return "Send less at once, for example a smaller file.";
        case 414:
            return "Use a shorter address.";
        case 431:
            return "Clear the cookies of this website, then try again.";
        default:
            break;
    }
    if (actor == cause::Actor::client) {
        return "Check the address and try again. If a program sent this request, correct it before "
               "sending it again.";
    }
    return "Trying again will not help until the website is repaired. Send the Ray ID to the owner "
           "of this website.";
}

std::string_view owner_advice(cause::Actor actor) {
    switch (actor) {
        case cause::Actor::client:
            return "The request was not acceptable; neither the edge nor the origin is at fault.";
        case cause::Actor::edge:
            return "The edge itself needs attention, not the origin.";
        case cause::Actor::network:
            return "Your visitors reach the edge; something between the edge and the origin fails.";
        case cause::Actor::origin:
            return "Your visitors reach the edge; the origin behind it fails.";
        case cause::Actor::none:
            break;
    }
    return "Look the Ray ID up at the edge.";
}

}  // namespace

std::string Subject::heading() const {
    return fmt::format("Error {}: {}", status.error_code, status.title);
}

Subject subject_of(const PageInput& input) {
    const cause::Status* known = cause::status(input.status);
    Subject subject;
    subject.status =
        known != nullptr
            ? *known
            : cause::Status{
                  input.status, "Unexpected error", "unexpected_error", "cloudflare", "Error", 0,
                  input.status};
    subject.host = clean(input.host, kHostMaximum);
    subject.colo = clean(input.colo, kColoMaximum);
    subject.ray = input.ray.to_string();
    subject.what_happened = input.visitor_sentence.empty() ? "The request could not be completed."
                                                           : std::string(input.visitor_sentence);
    subject.retryable = subject.status.retry_after_s != 0;
    subject.owner_action_required = input.actor != cause::Actor::client;
    subject.visitor_advice = visitor_advice(subject.status, input.actor);
    subject.owner_advice = owner_advice(input.actor);
    subject.owner_command = fmt::format("edgecase ray {}", subject.ray);
    return subject;
}

std::string utc(base::WallTime time, char separator) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
    return fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       separator, clock.hours().count(), clock.minutes().count(),
                       clock.seconds().count());
}

}  // namespace edgecase::errorpage
