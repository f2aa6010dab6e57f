// Owns one accepted TCP connection: blocking bytes in and out that the lab's stop interrupts.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "lab/socket.hpp"

namespace edgecase::lab {

/// The longest the lab waits for anything: no connection outlives a silent client by more.
inline constexpr std::chrono::seconds kPatience{60};

class Connection {
  public:
    /// `stop_descriptor` becomes readable when the lab stops; it is borrowed.
    Connection(Socket socket, int stop_descriptor)
        : socket_(std::move(socket)), stop_descriptor_(stop_descriptor) {}

    bool is_open() const { return socket_.is_open(); }

    /// Takes exactly the bytes up to and with `end`; what follows stays in the kernel, so that
    /// closing with it unread sends RST. Errors: nullopt at the end, on a stop, or past
    /// `max_bytes`.
    std::optional<std::string> read_until(std::string_view end, size_t max_bytes);

    /// Takes and forgets `bytes` bytes. Errors: false when the client ends before.
    bool skip(uint64_t bytes);

    /// False: the client is gone or the lab stops.
    bool send(std::string_view bytes);

    bool wait_readable();

    /// True when the time passed and the client is still there.
    bool pause(std::chrono::milliseconds duration);

    /// Until the client's kernel has acknowledged every byte sent (SIOCOUTQ is 0).
    void wait_acknowledged();

    void half_close();

    /// FIN, then reads until the client closes too, so that no unread byte turns it into RST.
    void finish();

    /// RST, after wait_acknowledged(): the client can read all bytes before it sees the reset.
    void reset();

    void close() { socket_.close(); }

    /// As small as the kernel allows, for a window that closes early.
    void shrink_receive_buffer();

    /// Gives the descriptor away, for a child process to own.
    Socket release() { return std::move(socket_); }

  private:
    bool wait(short events, std::chrono::milliseconds timeout);

    Socket socket_;
    int stop_descriptor_;
};

}  // namespace edgecase::lab
