#include "edge/tunnel.hpp"

#include <array>

#include "base/byte_buffer.hpp"

namespace edgecase::edge {
namespace {

constexpr size_t kBytesPerTurn = 1024 * 1024;  // then others may run
constexpr size_t kBufferBytes = 16 * 1024;     // of each direction, held only while it is busy

/// Both directions share the time of the last byte: one side may listen for as long as the other
/// talks.
struct Activity {
    base::SteadyTime last;
};

/// Ends the other direction's wait after an error in one. Fired outside both their stacks.
class Cut : public net::Timer {
  public:
    Cut(net::Stream& client, net::Stream& origin)
        : Timer([](Timer& t) {
              auto& self = static_cast<Cut&>(t);
              self.done_ = true;
              net::Descriptor& origin_side = self.origin_.descriptor();
              self.client_.descriptor().cancel_read();
              origin_side.cancel_read();
          }),
          client_(client),
          origin_(origin) {}
    bool done() const { return done_; }

  private:
    net::Stream& client_;
    net::Stream& origin_;
    bool done_ = false;
};

net::Task<bool> relay(Worker& worker, net::Stream& from, net::Stream& to, std::string_view first,
                      uint64_t& bytes, Activity& activity, Cut& cut) {
    net::Loop& loop = worker.loop();
    const auto limit = worker.settings().timeouts.client_idle;
    const auto fail = [&loop, &cut] {
        loop.fire_soon(cut);
        return false;
    };
    base::ByteBuffer buffer;
    size_t since_yield = 0;
    buffer.append(first);
    for (;;) {
        if (!buffer.empty()) {
            bytes += buffer.size();
            activity.last = loop.now();
            std::array parts{net::part(buffer.view())};
            const net::WriteResult written = co_await to.write_all_unless_stalled(
                parts, worker.settings().timeouts.client_write);
            if (!written || cut.done()) co_return fail();
            since_yield += buffer.size();
            buffer.clear();
            if (since_yield > kBytesPerTurn) {
                since_yield = 0;
                co_await loop.yield();
            }
        }
        if (!from.descriptor().readable) buffer.release();  // a silent direction holds nothing
        const auto ready = co_await from.wait_readable(base::Deadline::after(activity.last, limit));
        if (!ready) {
            if (cut.done()) co_return false;
            if (ready.error().kind == net::ErrorKind::deadline &&
                !base::Deadline::after(activity.last, limit).passed(loop.now())) {
                continue;
            }
            co_return fail();
        }
        const net::ReadResult got = from.read_now(buffer.reserve_free(kBufferBytes));
        if (!got && got.error().kind == net::ErrorKind::deadline) continue;
        if (!got) co_return fail();
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
    Cut cut(client, origin);
    net::Background<bool> up(
        relay(worker, client, origin, client_first, bytes.from_client, activity, cut));
    up.start();
    const bool down_ended_well =
        co_await relay(worker, origin, client, origin_first, bytes.from_origin, activity, cut);
    // After an error nothing of the other direction can arrive any more.
    if (down_ended_well) co_await up.join();
    co_return bytes;
}

}  // namespace edgecase::edge
