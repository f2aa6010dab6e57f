// Owns how unlike a request of the edge and a line of the origin are.
#pragma once

#include <cstdint>

#include "logs/entry_stream.hpp"

namespace edgecase::logs {

/// Which fields tell requests apart, learned from pairs that are certain.
struct Telling {
    bool body_bytes = false;  // an edge that compresses sends other sizes than it gets
    bool client = false;
    bool address = false;
    bool duration = false;
};

/// Counts how often the fields of certain pairs agree.
class TellingSample {
  public:
    void add(const Likeness& edge, const Likeness& origin);
    Telling learned() const;

  private:
    struct Agreement {
        uint64_t compared = 0;
        uint64_t agreed = 0;
        bool tells() const { return compared >= 8 && agreed * 10 >= compared * 9; }
    };
    Agreement body_bytes_;
    Agreement client_;
    Agreement address_;
    Agreement duration_;
};

/// Roughly a negative logarithm of how likely they are one request: below 0 they have more in
/// common than chance, above kMostUnlike they are not the same. Keys are taken to be equal.
/// `skew_us`: how far the origin's clock is ahead. `slack_us`: how sure that is.
constexpr double kMostUnlike = 8;
double unlikeness(const Likeness& edge, const Likeness& origin, int64_t skew_us, int64_t slack_us,
                  const Telling& telling);

}  // namespace edgecase::logs
