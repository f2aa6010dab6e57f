#include "net/linger.hpp"

#include <chrono>

namespace edgecase::net {
namespace {

// A well-behaved other side ends at once.
constexpr std::chrono::milliseconds kLongest{5000};
constexpr std::chrono::milliseconds kSilence{1000};

}  // namespace

Task<void> linger(Stream& stream, std::span<char> scratch) {
    Loop& loop = stream.descriptor().loop();
    stream.shutdown_write();
    const base::Deadline end = loop.after(kLongest);
    for (;;) {
        const ReadResult got =
            co_await stream.read_some(scratch, end.earlier(loop.after(kSilence)));
        if (!got || *got == 0 || end.passed(loop.now())) co_return;
        co_await loop.yield();
    }
}

}  // namespace edgecase::net
