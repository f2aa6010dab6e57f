// Owns one non-blocking file descriptor's place in its loop: readiness, and who waits for it.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <span>

#include "base/deadline.hpp"
#include "net/error.hpp"
#include "net/layer.hpp"
#include "net/timer_wheel.hpp"

namespace edgecase::net {

class Loop;

/// Something that wants to hear of an event once. Whoever derives from it unsubscribes when it
/// dies.
class Waiter {
  public:
    using Call = void (*)(Waiter&);
    explicit Waiter(Call wake, Call cancel = nullptr) : wake_(wake), cancel_(cancel) {}
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    void wake() { wake_(*this); }
    /// Ends the wait with ErrorKind::cancelled, where the waiter can be told so.
    void cancel() {
        if (cancel_ != nullptr) cancel_(*this);
    }

  private:
    Call wake_;
    Call cancel_;
};

/// Edge-triggered: a flag stays set until an operation finds the descriptor drained. Closing hands
/// the object to the loop, which frees it after the event batch that may still name it.
class Descriptor {
  public:
    /// Takes ownership of `fd`, which must be non-blocking. Errors: null when the kernel refuses.
    static Descriptor* watch(Loop& loop, int fd);
    /// One without a place in the kernel: its owner sets the flags and dispatches.
    static Descriptor* detached(Loop& loop, std::unique_ptr<Layer> layer);
    /// Wakes nobody: whoever closes owns the waiters too. `shared`: another descriptor of the same
    /// open file lives on elsewhere.
    void close(bool shared = false);

    int fd() const { return fd_; }
    /// The socket that carries the bytes in the end; -1 when there is none any more.
    int socket() const { return fd_ >= 0 ? fd_ : carrier; }
    bool is_closed() const { return closed_; }
    /// Whether a read may find something.
    bool may_read() const { return readable || (layer != nullptr && layer->has_buffered()); }
    Loop& loop() const { return loop_; }
    bool readable = false;
    bool writable = false;
    bool read_closed = false;  // FIN seen (or the connection is gone): short reads mean nothing now
    bool hung_up = false;      // EPOLLHUP or EPOLLERR

    std::unique_ptr<Layer> layer;  // null: plain bytes on the socket
    int carrier = -1;              // of a detached one: the socket below

    Waiter* reader = nullptr;
    Waiter* writer = nullptr;
    Waiter* on_hangup = nullptr;  // woken by FIN, RST or an error, besides the reader

    /// Completes a pending read with ErrorKind::cancelled. Not from within a coroutine that the
    /// reader may destroy: see Loop::fire_soon.
    void cancel_read() {
        if (reader != nullptr) reader->cancel();
    }

    /// Plain recv() and send() on the socket, without waiting; they keep the flags true.
    Layer::Result receive(std::span<char> into);
    Layer::Result send(std::span<const char> bytes);

    /// Called by the loop: `note` for every event of a batch, and only then `dispatch` for each, so
    /// that the flags tell all that this batch knows before the first waiter runs.
    void note(uint32_t events);
    void dispatch();

  private:
    friend class Loop;
    Descriptor(Loop& loop, int fd) : loop_(loop), fd_(fd) {}

    Loop& loop_;
    int fd_;
    bool closed_ = false;
};

}  // namespace edgecase::net
