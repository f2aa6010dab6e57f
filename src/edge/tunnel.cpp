#include "edge/tunnel.hpp"

#include <array>

#include "base/byte_buffer.hpp"

namespace edgecase::edge {
namespace {

constexpr size_t kBufferBytes = 16 * 1024;  // of each direction, held only while it is busy

/// Both directions share the time of the last byte: one side may listen for as long as the other
/// talks.
struct Activity {
    base::SteadyTime last;
};

net::Task<bool> relay(Worker& worker, net::Stream& from, net::Stream& to, std::string_view first,
                      uint64_t& bytes, Activity& activity) {
    net::Loop& loop = worker.loop();
    const auto limit = worker.settings().timeouts.client_idle;
    base::ByteBuffer buffer;
    buffer.append(first);
    for (;;) {
        if (!buffer.empty()) {
            bytes += buffer.size();
            activity.last = loop.now();
            std::array parts{net::part(buffer.view())};
            const net::WriteResult written =
                co_await to.write_all(parts, loop.after(worker.settings().timeouts.client_write));
            if (!written) co_return false;
            buffer.release();
        }
        const auto ready = co_await from.wait_readable(base::Deadline::after(activity.last, limit));
        if (!ready) {
            if (ready.error().kind == net::ErrorKind::deadline &&
                !base::Deadline::after(activity.last, limit).passed(loop.now())) {
                continue;
            }
            co_return false;
        }
        const net::ReadResult got = from.read_now(buffer.reserve_free(kBufferBytes));
        if (!got && got.error().kind == net::ErrorKind::deadline) continue;
        if (!got) co_return false;
        if (*got == 0) {
            to.shutdown_write();
            co_return true;
        }
        buffer.commit(*got);
    }
}

}  // namespace

net::Task<TunnelBytes> run_tunnel(Worker& worker, net::Stream& client, net::Stream& origin,
                                  std::string_view client_first, std::string_view origin_first) {
    TunnelBytes bytes;
    Activity activity{worker.loop().now()};
    net::Background<bool> up(
        relay(worker, client, origin, client_first, bytes.from_client, activity));
    up.start();
    const bool down_ended_well =
        co_await relay(worker, origin, client, origin_first, bytes.from_origin, activity);
    // After an error nothing of the other direction can arrive any more.
    if (down_ended_well) co_await up.join();
    co_return bytes;
}

}  // namespace edgecase::edge
