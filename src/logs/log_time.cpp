#include "logs/log_time.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>

namespace edgecase::logs {
namespace {

constexpr int64_t kSecond = 1'000'000;

/// Eats a text from its front.
class Cursor {
  public:
    explicit Cursor(std::string_view text) : rest_(text) {}

    bool at_end() const { return rest_.empty(); }
    bool eat(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool next_is_digit() const {
        return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
    }
    /// Exactly so many digits; -1: there are fewer.
    int digits(size_t count) {
        if (rest_.size() < count) return -1;
        int value = 0;
        for (size_t i = 0; i < count; ++i) {
            const char c = rest_[i];
            if (c < '0' || c > '9') return -1;
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(count);
        return value;
    }
    /// 1..12 of `Jan`, 0 of nothing.
    int month() {
        if (rest_.size() < 3) return 0;
        constexpr std::string_view kNames = "JanFebMarAprMayJunJulAugSepOctNovDec";
        for (size_t i = 0; i < 12; ++i) {
            if (rest_.starts_with(kNames.substr(3 * i, 3))) {
                rest_.remove_prefix(3);
                return static_cast<int>(i) + 1;
            }
        }
        return 0;
    }
    /// Microseconds of a fraction's digits, behind its point.
    int64_t fraction() {
        int64_t value = 0;
        int64_t unit = kSecond / 10;
        for (; next_is_digit(); rest_.remove_prefix(1), unit /= 10) {
            value += unit * (rest_.front() - '0');
        }
        return value;
    }
    std::string_view rest() const { return rest_; }

  private:
    std::string_view rest_;
};

/// Source: Howard Hinnant, days_from_civil.
constexpr int64_t days_of(int year, int month, int day) {
    const int y = month <= 2 ? year - 1 : year;
    const int era = (y >= 0 ? y : y - 399) / 400;
    const int year_of_era = y - era * 400;
    const int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return int64_t{era} * 146097 + day_of_era - 719468;
}

constexpr int year_of(LogTime time) {
    return 1970 + static_cast<int>(time / (int64_t{31'556'952} * kSecond));
}

struct Civil {
    int year = -1;
    int month = -1;
    int day = -1;
    int hour = -1;
    int minute = -1;
    int second = -1;

    std::optional<LogTime> time() const {
        const bool valid = year >= 0 && month >= 1 && day >= 1 && hour >= 0 && hour <= 23 &&
                           minute >= 0 && minute <= 59 && second >= 0 && second <= 60;
        if (!valid) return std::nullopt;
        const std::chrono::year_month_day date{std::chrono::year(year),
                                               std::chrono::month(static_cast<unsigned>(month)),
                                               std::chrono::day(static_cast<unsigned>(day))};
        if (!date.ok()) return std::nullopt;  // 31 November
        return (days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) * kSecond;
    }
};

/// `10:00:00`
bool eat_clock(Cursor& at, Civil& civil) {
    civil.hour = at.digits(2);
    if (civil.hour < 0 || !at.eat(':')) return false;
    civil.minute = at.digits(2);
    if (civil.minute < 0 || !at.eat(':')) return false;
    civil.second = at.digits(2);
    return civil.second >= 0;
}

std::optional<LogTime> with_zone(std::optional<LogTime> local, std::string_view zone,
                                 int64_t otherwise) {
    if (!local) return std::nullopt;
    if (zone.empty()) return *local - otherwise;
    const auto offset = zone_offset(zone);
    if (!offset) return std::nullopt;
    return *local - *offset;
}

}  // namespace

std::optional<int64_t> zone_offset(std::string_view text) {
    if (text == "Z" || text == "z" || text == "UTC" || text == "GMT") return 0;
    if (text.size() < 5) return std::nullopt;
    const bool west = text.front() == '-';
    if (!west && text.front() != '+') return std::nullopt;
    Cursor at(text.substr(1));
    const int hours = at.digits(2);
    at.eat(':');
    const int minutes = at.digits(2);
    if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59 || !at.at_end()) return std::nullopt;
    const int64_t offset = (int64_t{hours} * 3600 + minutes * 60) * kSecond;
    return west ? -offset : offset;
}

std::optional<LogTime> clf_time(std::string_view text, int64_t zone_us) {
    Cursor at(text);
    Civil civil;
    civil.day = at.digits(2);
    if (!at.eat('/')) return std::nullopt;
    civil.month = at.month();
    if (!at.eat('/')) return std::nullopt;
    civil.year = at.digits(4);
    if (!at.eat(':') || !eat_clock(at, civil)) return std::nullopt;
    const int64_t fraction = at.eat('.') ? at.fraction() : 0;
    const auto time = at.eat(' ')   ? with_zone(civil.time(), at.rest(), zone_us)
                      : at.at_end() ? with_zone(civil.time(), {}, zone_us)
                                    : std::nullopt;
    if (!time) return std::nullopt;
    return *time + fraction;
}

std::optional<int64_t> clf_zone(std::string_view text) {
    if (!clf_time(text)) return std::nullopt;
    const size_t space = text.rfind(' ');
    if (space == std::string_view::npos) return std::nullopt;
    return zone_offset(text.substr(space + 1));
}

std::optional<LogTime> iso_time(std::string_view text, int64_t zone_us) {
    Cursor at(text);
    Civil civil;
    civil.year = at.digits(4);
    if (!at.eat('-')) return std::nullopt;
    civil.month = at.digits(2);
    if (!at.eat('-')) return std::nullopt;
    civil.day = at.digits(2);
    if (!at.eat('T') && !at.eat('t') && !at.eat(' ')) return std::nullopt;
    if (!eat_clock(at, civil)) return std::nullopt;
    const int64_t fraction = at.eat('.') || at.eat(',') ? at.fraction() : 0;
    at.eat(' ');
    const auto time = with_zone(civil.time(), at.rest(), zone_us);
    if (!time) return std::nullopt;
    return *time + fraction;
}

std::optional<LogTime> slash_time(std::string_view text, int64_t zone_us) {
    Cursor at(text);
    Civil civil;
    civil.year = at.digits(4);
    if (!at.eat('/')) return std::nullopt;
    civil.month = at.digits(2);
    if (!at.eat('/')) return std::nullopt;
    civil.day = at.digits(2);
    if (!at.eat(' ') || !eat_clock(at, civil) || !at.at_end()) return std::nullopt;
    return with_zone(civil.time(), {}, zone_us);
}

std::optional<LogTime> apache_error_time(std::string_view text, int64_t zone_us) {
    // The weekday says nothing new.
    if (text.size() > 4 && text[3] == ' ') {
        Cursor first(text);
        if (first.month() == 0) text.remove_prefix(4);
    }
    Cursor at(text);
    Civil civil;
    civil.month = at.month();
    if (!at.eat(' ')) return std::nullopt;
    civil.day = at.eat(' ') ? at.digits(1) : at.digits(2);
    if (!at.eat(' ') || !eat_clock(at, civil)) return std::nullopt;
    const int64_t fraction = at.eat('.') ? at.fraction() : 0;
    if (!at.eat(' ')) return std::nullopt;
    civil.year = at.digits(4);
    if (!at.at_end()) return std::nullopt;
    const auto time = with_zone(civil.time(), {}, zone_us);
    if (!time) return std::nullopt;
    return *time + fraction;
}

std::optional<LogTime> syslog_time(std::string_view text, LogTime near, int64_t zone_us) {
    Cursor at(text);
    Civil civil;
    civil.month = at.month();
    if (!at.eat(' ')) return std::nullopt;
    civil.day = at.eat(' ') ? at.digits(1) : at.digits(2);
    if (!at.eat(' ') || !eat_clock(at, civil)) return std::nullopt;
    const int64_t fraction = at.eat('.') ? at.fraction() : 0;
    if (!at.at_end()) return std::nullopt;
    std::optional<LogTime> best;
    for (int year = year_of(near) - 1; year <= year_of(near) + 1; ++year) {
        civil.year = year;
        const auto time = with_zone(civil.time(), {}, zone_us);
        if (!time) return std::nullopt;
        if (!best || std::abs(*time - near) < std::abs(*best - near)) best = time;
    }
    return *best + fraction;
}

std::optional<LogTime> dash_time(std::string_view text, int64_t zone_us) {
    Cursor at(text);
    Civil civil;
    civil.day = at.digits(2);
    if (!at.eat('-')) return std::nullopt;
    civil.month = at.month();
    if (!at.eat('-')) return std::nullopt;
    civil.year = at.digits(4);
    if (!at.eat(' ') || !eat_clock(at, civil)) return std::nullopt;
    const int64_t fraction = at.eat('.') ? at.fraction() : 0;
    const auto local = civil.time();
    if (!local) return std::nullopt;
    // Names such as Europe/Berlin are not looked up: the machine that wrote it may know others.
    const bool utc = at.eat(' ') && (at.rest() == "UTC" || at.rest() == "GMT");
    return *local - (utc ? 0 : zone_us) + fraction;
}

std::optional<LogTime> epoch_time(std::string_view text) {
    const size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    if (whole.empty() || whole.size() > 19) return std::nullopt;
    int64_t value = 0;
    for (const char c : whole) {
        if (c < '0' || c > '9') return std::nullopt;
        if (value > (INT64_MAX - 9) / 10) return std::nullopt;
        value = value * 10 + (c - '0');
    }
    int64_t fraction = 0;
    if (point != std::string_view::npos) {
        Cursor at(text.substr(point + 1));
        fraction = at.fraction();
        if (!at.at_end()) return std::nullopt;
    }
    constexpr int64_t kMostSeconds = 100'000'000'000;  // the year 5138
    if (value < kMostSeconds) return value * kSecond + fraction;
    if (value < kMostSeconds * 1000) return value * 1000 + fraction / 1000;
    if (value < kMostSeconds * 1'000'000) return value;
    return value / 1000;
}

}  // namespace edgecase::logs
