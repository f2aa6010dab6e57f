// Owns the order of an examination: which probe runs when.
#pragma once

#include "net/task.hpp"
#include "probe/session.hpp"

namespace edgecase::probe {

/// Runs every probe, until the end or until it is destroyed.
net::Task<void> examine(Session& session);

/// What is judged from all that was gathered; also after an examination that was cut short.
void conclude(Session& session);

}  // namespace edgecase::probe
