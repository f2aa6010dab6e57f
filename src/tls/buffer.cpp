#include "tls/buffer.hpp"

#include <memory>
#include <vector>

namespace edgecase::tls {
namespace {

constexpr size_t kKept = 32;  // of each use: what a burst of slow connections leaves behind

struct FreeLists {
    std::vector<std::unique_ptr<char[]>> inbound;
    std::vector<std::unique_ptr<char[]>> outbound;
    std::vector<std::unique_ptr<char[]>>& of(BufferUse use) {
        return use == BufferUse::inbound ? inbound : outbound;
    }
};

// Thread-local as the frames' free lists are: a layer knows its loop, but the loop knows no TLS.
thread_local FreeLists free_lists;

}  // namespace

char* lend_buffer(BufferUse use) {
    auto& free = free_lists.of(use);
    if (free.empty()) return new char[use == BufferUse::inbound ? kInboundBytes : kOutboundBytes];
    char* const buffer = free.back().release();
    free.pop_back();
    return buffer;
}

void return_buffer(BufferUse use, char* buffer) {
    std::unique_ptr<char[]> returned(buffer);
    auto& free = free_lists.of(use);
    if (free.size() < kKept) free.push_back(std::move(returned));
}

}  // namespace edgecase::tls
