// Owns the failure: a cause that cannot be stated without its evidence.
#pragma once

#include <utility>

#include "cause/evidence.hpp"
#include "cause/table.hpp"

namespace edgecase::cause {

/// Phase and actor are the row's. There is no default failure: whoever makes one says why.
class Failure {
  public:
    Failure(Cause cause, Evidence evidence) : cause_(cause), evidence_(std::move(evidence)) {}

    Cause cause() const { return cause_; }
    const Row& row() const { return cause::row(cause_); }
    const Evidence& evidence() const { return evidence_; }
    Evidence& evidence() { return evidence_; }

  private:
    Cause cause_;
    Evidence evidence_;
};

}  // namespace edgecase::cause
