#include "net/frame_pool.hpp"

#include <array>
#include <new>

namespace edgecase::net {
namespace {

constexpr size_t kClassBytes = 64;      // measured frames lie between 60 and 3300 bytes
constexpr size_t kClasses = 96;         // up to 6 KiB; larger ones are rare and go to the heap
constexpr size_t kKeptPerClass = 4096;  // bounds what one burst of connections leaves behind

struct FreeFrame {
    FreeFrame* next;
};

struct FreeLists {
    std::array<FreeFrame*, kClasses> heads{};
    std::array<size_t, kClasses> counts{};
    ~FreeLists() {
        for (FreeFrame* frame : heads) {
            while (frame != nullptr) {
                FreeFrame* const next = frame->next;
                ::operator delete(frame);
                frame = next;
            }
        }
    }
};

// Thread-local because operator new of a promise has no other way to find its loop.
thread_local FreeLists free_lists;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kPooled = false;  // so that a use after free is seen
#else
constexpr bool kPooled = true;
#endif
#else
constexpr bool kPooled = true;
#endif

}  // namespace

void* allocate_frame(size_t size) {
    const size_t index = (size + kClassBytes - 1) / kClassBytes;
    if (!kPooled || index >= kClasses) return ::operator new(size);
    FreeFrame*& head = free_lists.heads[index];
    if (head == nullptr) return ::operator new(index * kClassBytes);
    FreeFrame* const frame = head;
    head = frame->next;
    --free_lists.counts[index];
    return frame;
}

void free_frame(void* memory, size_t size) {
    const size_t index = (size + kClassBytes - 1) / kClassBytes;
    if (!kPooled || index >= kClasses || free_lists.counts[index] >= kKeptPerClass) {
        ::operator delete(memory);
        return;
    }
    auto* const frame = static_cast<FreeFrame*>(memory);
    frame->next = free_lists.heads[index];
    free_lists.heads[index] = frame;
    ++free_lists.counts[index];
}

}  // namespace edgecase::net
