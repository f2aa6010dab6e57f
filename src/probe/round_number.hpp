// Owns the sign of a timeout at the origin: failures after a round number of seconds.
#pragma once

#include <chrono>
#include <optional>

#include "probe/trial.hpp"

namespace edgecase::probe {

/// The round time after which the trial's response ended too early. Null: none, or it did not.
std::optional<std::chrono::milliseconds> round_number_end(const Trial& trial);

}  // namespace edgecase::probe
