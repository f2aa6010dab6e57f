// Owns one TCP connection: completion-style reads and writes with deadlines.
#pragma once

#include <sys/uio.h>

#include <cassert>
#include <coroutine>
#include <expected>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/deadline.hpp"
#include "ip/endpoint.hpp"
#include "net/descriptor.hpp"
#include "net/error.hpp"
#include "net/loop.hpp"
#include "net/tcp_facts.hpp"

namespace edgecase::net {

/// An awaited operation on one direction of a descriptor. It completes with a result, and not
/// before: the same shape a completion queue would give.
template <typename Self, typename Result>
class Operation : Waiter, Timer {
  public:
    bool await_ready() { return attempt(); }
    void await_suspend(std::coroutine_handle<> awaiting) {
        assert(slot() == nullptr && "one reader and one writer at a time");
        awaiting_ = awaiting;
        slot() = this;
        descriptor_->loop().timers().arm(*this, deadline_);
        suspended_ = true;
    }
    Result await_resume() { return std::move(*result_); }
    ~Operation() { release(); }

  protected:
    /// Asked when the deadline has passed: an operation that can tell progress may go on.
    bool still_moving() { return false; }
    /// Moves the deadline, also of a suspended operation.
    void renew(base::Deadline deadline) {
        deadline_ = deadline;
        if (suspended_) descriptor_->loop().timers().arm(*this, deadline_);
    }

    Descriptor* descriptor_;
    std::optional<Result> result_;

  private:
    friend Self;
    Operation(Descriptor& descriptor, base::Deadline deadline)
        : Waiter([](Waiter& w) { static_cast<Operation&>(w).on_event(); },
                 [](Waiter& w) { static_cast<Operation&>(w).on_cancel(); }),
          Timer([](Timer& t) { static_cast<Operation&>(t).on_deadline(); }),
          descriptor_(&descriptor),
          deadline_(deadline) {}

    bool attempt() { return static_cast<Self*>(this)->try_once(); }
    Waiter*& slot() { return Self::kReads ? descriptor_->reader : descriptor_->writer; }
    void release() {
        if (!suspended_) return;
        suspended_ = false;
        disarm();
        if (slot() == this) slot() = nullptr;
    }
    void resume() {
        release();
        awaiting_.resume();
    }
    void on_event() {
        if (attempt()) resume();
    }
    void on_deadline() {
        if (static_cast<Self*>(this)->still_moving()) return;
        result_.emplace(std::unexpected(Error{ErrorKind::deadline}));
        resume();
    }

    void on_cancel() {
        result_.emplace(std::unexpected(Error{ErrorKind::cancelled}));
        resume();
    }

    std::coroutine_handle<> awaiting_;
    base::Deadline deadline_;
    bool suspended_ = false;
};

/// Bytes read; 0 is FIN.
using ReadResult = std::expected<size_t, Error>;
/// Nothing, or why and (by Stream::last_write_bytes) how far the write got.
using WriteResult = std::expected<void, Error>;

class ReadOperation : public Operation<ReadOperation, ReadResult> {
  public:
    static constexpr bool kReads = true;
    ReadOperation(Descriptor& descriptor, std::span<char> into, base::Deadline deadline)
        : Operation(descriptor, deadline), into_(into) {}
    bool try_once();

  private:
    std::span<char> into_;
};

class WriteOperation : public Operation<WriteOperation, WriteResult> {
  public:
    static constexpr bool kReads = false;
    /// `stall`: the longest time without a byte taken; zero when only `deadline` counts.
    WriteOperation(Descriptor& descriptor, std::span<iovec> parts, uint64_t& written,
                   base::Deadline deadline, base::Duration stall)
        : Operation(descriptor, deadline), parts_(parts), written_(written), stall_(stall) {}
    bool try_once();
    /// Whether the other side has taken bytes since the last look, though not enough for the kernel
    /// to call the descriptor writable.
    bool still_moving();
    /// What is not written yet.
    std::span<iovec> rest() const { return parts_; }

  private:
    void note_queue();
    void take(size_t bytes);
    bool try_layer();

    std::span<iovec> parts_;
    uint64_t& written_;
    base::Duration stall_;
    uint32_t queued_bytes_ = 0;  // unacknowledged at the last look
};

/// Waits until there is something to read (or FIN, or an error) without taking it.
class ReadableOperation : public Operation<ReadableOperation, std::expected<void, Error>> {
  public:
    static constexpr bool kReads = true;
    ReadableOperation(Descriptor& descriptor, base::Deadline deadline)
        : Operation(descriptor, deadline) {}
    bool try_once() {
        if (!descriptor_->may_read()) return false;
        result_.emplace();
        return true;
    }
};

/// Waits until the socket takes bytes again (or fails), without giving it any.
class WritableOperation : public Operation<WritableOperation, std::expected<void, Error>> {
  public:
    static constexpr bool kReads = false;
    WritableOperation(Descriptor& descriptor, base::Deadline deadline)
        : Operation(descriptor, deadline) {}
    bool try_once() {
        if (!descriptor_->writable) return false;
        result_.emplace();
        return true;
    }
};

class Stream {
  public:
    Stream() = default;
    /// Takes ownership of a connected descriptor.
    explicit Stream(Descriptor* descriptor) : descriptor_(descriptor) {}
    Stream(Stream&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, nullptr)), written_(other.written_) {}
    Stream& operator=(Stream&& other) noexcept {
        if (this != &other) {
            close();
            descriptor_ = std::exchange(other.descriptor_, nullptr);
            written_ = other.written_;
        }
        return *this;
    }
    ~Stream() { close(); }

    explicit operator bool() const { return descriptor_ != nullptr; }

    /// At least one byte, or 0 for FIN. Errors: deadline, cancelled, reset, timed_out, other.
    ReadOperation read_some(std::span<char> into, base::Deadline deadline) {
        return {*descriptor_, into, deadline};
    }
    /// Everything. `parts` is consumed as it goes. The deadline is for the whole of it.
    /// Errors: deadline, cancelled, reset, broken_pipe, timed_out, other.
    WriteOperation write_all(std::span<iovec> parts, base::Deadline deadline) {
        return {*descriptor_, parts, written_, deadline, base::Duration::zero()};
    }
    /// Everything, however long it takes, as long as some bytes go out within each `stall`.
    /// Errors: as write_all; deadline: nothing moved for so long.
    WriteOperation write_all_unless_stalled(std::span<iovec> parts, base::Duration stall) {
        return {*descriptor_, parts, written_, descriptor_->loop().after(stall), stall};
    }
    ReadableOperation wait_readable(base::Deadline deadline) { return {*descriptor_, deadline}; }
    WritableOperation wait_writable(base::Deadline deadline) { return {*descriptor_, deadline}; }

    /// Reads what is there without waiting. Errors: also `deadline` when there is nothing yet.
    ReadResult read_now(std::span<char> into);
    /// Whether bytes, FIN or an error are there to be read, known to the loop or not.
    bool has_unread();
    /// Writes what fits without waiting and takes it off the front of `parts`.
    WriteResult write_now(std::span<iovec>& parts);

    /// Bytes handed to the kernel since the connection was made.
    uint64_t bytes_written() const { return written_; }

    void shutdown_write();
    void close();
    /// Closes with RST instead of FIN, so that the other side cannot take it for a clean end.
    void abort();

    Descriptor& descriptor() { return *descriptor_; }
    int fd() const { return descriptor_->fd(); }
    /// What is between this stream and its socket; null for plain bytes.
    Layer* layer() const { return descriptor_->layer.get(); }
    void set_layer(std::unique_ptr<Layer> layer) { descriptor_->layer = std::move(layer); }
    std::optional<TcpFacts> facts() const { return tcp_facts(descriptor_->socket()); }
    /// Bytes the other side's kernel has not acknowledged yet. 0 on error.
    uint32_t unacked_bytes() const;
    ip::Endpoint local() const;

    void set_no_delay();
    void set_keep_alive(std::chrono::seconds idle, std::chrono::seconds interval, int probes);

  private:
    Descriptor* descriptor_ = nullptr;
    uint64_t written_ = 0;
};

inline iovec part(std::string_view bytes) {
    return {const_cast<char*>(bytes.data()), bytes.size()};
}

}  // namespace edgecase::net
