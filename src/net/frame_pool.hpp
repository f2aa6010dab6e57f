// Owns the memory of coroutine frames: free lists by size class, one set for each thread.
#pragma once

#include <cstddef>

namespace edgecase::net {

/// A frame is returned on the thread that made it: coroutines never change threads here.
void* allocate_frame(size_t size);
void free_frame(void* frame, size_t size);

}  // namespace edgecase::net
