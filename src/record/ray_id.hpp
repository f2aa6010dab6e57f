// Owns the Ray ID: how one is made, written and read.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/hex.hpp"

namespace edgecase::record {

/// 64 bits: 47 of time in 8 us ticks since 2026-01-01, 12 of node, 5 of worker thread. So ids order
/// by time, and two makers that differ in node or worker can never make the same one. See
/// docs/adr/0002-ray-id.md for the odds when nodes pick their number at random.
class RayId {
  public:
    constexpr RayId() = default;
    explicit constexpr RayId(uint64_t value) : value_(value) {}

    /// 16 lower-case hex digits, with or without a `-COLO` suffix. Errors: nullopt.
    static std::optional<RayId> parse(std::string_view text);

    constexpr uint64_t value() const { return value_; }
    std::array<char, 16> hex() const { return base::hex16(value_); }
    std::string to_string() const {
        const auto digits = hex();
        return {digits.data(), digits.size()};
    }
    /// When it was made, to within the tick (or the drift of a maker that was asked faster than
    /// that).
    base::WallTime time() const;
    constexpr explicit operator bool() const { return value_ != 0; }
    constexpr auto operator<=>(const RayId&) const = default;

    static constexpr unsigned kWorkerBits = 5;
    static constexpr unsigned kNodeBits = 12;
    static constexpr uint64_t kTickUs = 8;
    static constexpr unsigned kMaximumWorkers = 1u << kWorkerBits;
    static constexpr unsigned kMaximumNodes = 1u << kNodeBits;
    static constexpr base::WallTime kEpoch{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};

  private:
    uint64_t value_ = 0;
};

/// `0123456789abcdef-LAB`, without an allocation: each request has one.
class RayText {
  public:
    RayText() = default;
    /// `colo`: three letters.
    RayText(RayId ray, std::string_view colo) {
        const auto digits = ray.hex();
        std::ranges::copy(digits, text_.begin());
        text_[digits.size()] = '-';
        std::ranges::copy(colo.substr(0, 3), text_.begin() + digits.size() + 1);
    }
    // NOLINTNEXTLINE(google-explicit-constructor): it is a text
    operator std::string_view() const { return {text_.data(), text_.size()}; }

  private:
    std::array<char, 20> text_{};
};

/// Makes the ids of one worker thread. Strictly increasing even if the wall clock steps back.
class RayIdMaker {
  public:
    /// `node` below kMaximumNodes, `worker` below kMaximumWorkers; higher bits are cut off.
    RayIdMaker(unsigned node, unsigned worker);
    RayId make(base::WallTime now);

  private:
    uint64_t low_bits_;
    uint64_t last_tick_ = 0;
};

}  // namespace edgecase::record
