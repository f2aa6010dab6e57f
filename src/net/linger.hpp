// Owns the end of a connection whose other side may still send: it must not destroy what is on its
// way there.
#pragma once

#include <span>

#include "net/stream.hpp"
#include "net/task.hpp"

namespace edgecase::net {

/// Says that nothing more comes, and reads and forgets until the other side has ended too, is
/// silent for a second, or five have passed. Closing at once would answer its bytes with RST, and
/// the kernel would drop what it has not sent yet. Source: RFC 9112 §9.6.
/// `scratch`: room for one read, used up before anything is awaited.
Task<void> linger(Stream& stream, std::span<char> scratch);

}  // namespace edgecase::net
