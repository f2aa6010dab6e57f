// Owns the joining of all that may happen to an address into the one verdict it has.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "allowlist/evaluate.hpp"

namespace edgecase::allowlist {

constexpr size_t kModes = 3;
constexpr uint8_t kAdmitted = 1 << static_cast<int>(Outcome::admitted);
constexpr uint8_t kDropped = 1 << static_cast<int>(Outcome::dropped);
constexpr uint8_t kRejected = 1 << static_cast<int>(Outcome::rejected);
constexpr uint8_t kUnclear = 1 << static_cast<int>(Outcome::unclear);

constexpr bool is_one(uint8_t mask) {
    return mask != 0 && (mask & (mask - 1)) == 0;
}

/// Joins the outcomes that each address may have into the one it has.
class Joiner {
  public:
    explicit Joiner(ip::Family family) : result_(family) {}

    void add(const std::vector<Piece>& pieces, size_t mode) {
        const auto tells = [](const Piece& piece) { return piece.outcome <= Outcome::unclear; };
        const auto count = static_cast<size_t>(std::ranges::count_if(pieces, tells));
        events_.reserve(events_.size() + 2 * count);
        for (const Piece& piece : pieces) {
            if (!tells(piece)) continue;
            const auto which = static_cast<uint8_t>(mode * 4 + static_cast<size_t>(piece.outcome));
            events_.push_back({piece.addresses.first, false, which});
            events_.push_back({piece.addresses.last, true, which});
        }
    }

    Judgement join(size_t modes) && {
        // Starts before ends at one address: an interval of one address is there for a moment.
        std::ranges::sort(events_);
        std::array<uint32_t, kModes * 4> counts{};
        ip::Number from;
        for (size_t i = 0; i < events_.size();) {
            const ip::Number at = events_[i].at;
            if (!events_[i].is_end) {
                if (i > 0 && from < at) emit(counts, modes, {from, at.previous()});
                for (; i < events_.size() && events_[i].at == at && !events_[i].is_end; ++i) {
                    ++counts[events_[i].which];
                }
                from = at;
            } else {
                if (from <= at) emit(counts, modes, {from, at});
                for (; i < events_.size() && events_[i].at == at; ++i) --counts[events_[i].which];
                from = at.next();
            }
        }
        const ip::Family family = result_.admitted.family();
        result_.admitted = {family, std::move(sets_[0])};
        result_.dropped = {family, std::move(sets_[1])};
        result_.rejected = {family, std::move(sets_[2])};
        result_.rate_limited = {family, std::move(sets_[3])};
        result_.unknown = {family, std::move(sets_[4])};
        return std::move(result_);
    }

  private:
    struct Event {
        ip::Number at;
        bool is_end;
        uint8_t which;
        auto operator<=>(const Event&) const = default;
    };

    void emit(const std::array<uint32_t, kModes * 4>& counts, size_t modes, ip::Interval interval) {
        std::array<uint8_t, kModes> masks{};
        for (size_t i = 0; i < counts.size(); ++i) {
            if (counts[i] > 0) masks[i / 4] |= static_cast<uint8_t>(1U << (i % 4));
        }
        if (masks[0] == 0) return;
        sets_[class_of(masks, modes)].push_back(interval);
    }

    static size_t class_of(const std::array<uint8_t, kModes>& masks, size_t modes) {
        switch (masks[0]) {
            case kAdmitted:
                return 0;
            case kDropped:
                return 1;
            case kRejected:
                return 2;
            default:
                break;
        }
        const bool is_limit_alone =
            modes == kModes && (masks[0] & kUnclear) == 0 && is_one(masks[1]) && is_one(masks[2]);
        return is_limit_alone ? 3 : 4;
    }

    Judgement result_;
    std::vector<Event> events_;
    std::array<std::vector<ip::Interval>, 5> sets_;
};

}  // namespace edgecase::allowlist
