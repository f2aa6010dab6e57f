// Owns making room in memory before a command reads something large.
#pragma once

#include <cstddef>

namespace edgecase::cli {

/// From here on about so much will be allocated and kept until the process ends. Address space is
/// taken for it at once, in large pages where the system has them: a page fault for each 4 KiB
/// costs as much as the reading itself. For commands of one thread. Nothing happens below some
/// megabytes, or where it is not possible.
void expect_large_heap(size_t bytes);

}  // namespace edgecase::cli
