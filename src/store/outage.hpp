// Owns the memory of one kind of work that fails for a while: when to try again, when to say so.
#pragma once

#include <chrono>
#include <optional>

namespace edgecase::store {

/// At most one line about the same trouble in this time.
constexpr std::chrono::seconds kLogInterval{10};

class Outage {
  public:
    using Time = std::chrono::steady_clock::time_point;

    explicit Outage(std::chrono::seconds retry) : retry_(retry) {}

    bool lasts() const { return lasts_; }
    bool may_try(Time now) const { return !lasts_ || now >= next_try_; }

    /// The work failed. True: say so. Work that fails and succeeds in turn is not said more often.
    bool fail(Time now) {
        if (!lasts_) since_ = now;
        lasts_ = true;
        next_try_ = now + retry_;
        if (now < next_line_) return false;
        next_line_ = now + kLogInterval;
        return said_ = true;
    }

    /// The work succeeded. The length of an outage that was said and is now over.
    std::optional<std::chrono::seconds> end(Time now) {
        const bool worth_a_line = lasts_ && said_;
        lasts_ = said_ = false;
        if (!worth_a_line) return std::nullopt;
        return std::chrono::duration_cast<std::chrono::seconds>(now - since_);
    }

  private:
    const std::chrono::seconds retry_;
    bool lasts_ = false;
    bool said_ = false;
    Time since_;
    Time next_try_;
    Time next_line_;
};

}  // namespace edgecase::store
