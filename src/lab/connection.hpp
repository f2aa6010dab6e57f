// Owns one accepted connection, with or without TLS: blocking bytes in and out that the lab's stop
// interrupts.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lab/socket.hpp"
#include "lab/tls_stream.hpp"

namespace edgecase::lab {

/// The longest the lab waits for anything: no connection outlives a silent client by more.
inline constexpr std::chrono::seconds kPatience{60};

/// How the lab ends a connection.
enum class Ending : uint8_t {
    fin,   // FIN, then reads on until the client has closed: no RST follows
    rst,   // RST, once the client's kernel has acknowledged every byte
    hang,  // nothing, until the client gives up (at most a minute)
};

class Connection {
  public:
    /// `stop_descriptor` becomes readable when the lab stops; it is borrowed.
    Connection(Socket socket, int stop_descriptor)
        : socket_(std::move(socket)), stop_descriptor_(stop_descriptor) {}

    bool is_open() const { return socket_.is_open(); }

    /// From here on all is in TLS, except send_raw(). False: the handshake failed; what there is to
    /// say about that is sent.
    bool start_tls(ssl_ctx_st* context);
    bool is_tls() const { return tls_ != nullptr; }
    /// The protocol agreed on by ALPN; empty: none.
    std::string_view alpn() const { return tls_ ? tls_->alpn() : std::string_view(); }

    /// Takes one TLS record, or the first bytes of whatever else the client speaks. False: the
    /// client ended before.
    bool skip_hello();

    /// Appends what the client says, at once when it has said something. False: nothing came in
    /// time (see has_ended()).
    bool receive(std::string& into, std::chrono::milliseconds timeout);
    /// Whether receive() has seen the client's end, or the lab's.
    bool has_ended() const { return has_ended_; }

    /// Takes exactly the bytes up to and with `end`; without TLS what follows stays in the kernel,
    /// so that closing with it unread sends RST. Errors: nullopt at the end, on a stop, or past
    /// `max_bytes`.
    std::optional<std::string> read_until(std::string_view end, size_t max_bytes);

    /// Takes and forgets `bytes` bytes. Errors: false when the client ends before.
    bool skip(uint64_t bytes);

    /// False: the client is gone or the lab stops.
    bool send(std::string_view bytes);
    /// The same past TLS.
    bool send_raw(std::string_view bytes);
    /// The bytes that send() would put on the wire.
    std::string sealed(std::string_view bytes);

    bool wait_readable();

    /// True when the time passed and the client is still there.
    bool pause(std::chrono::milliseconds duration);

    /// Until the client's kernel has acknowledged every byte sent (SIOCOUTQ is 0).
    void wait_acknowledged();

    /// FIN, after close_notify with TLS.
    void half_close();

    /// half_close(), then reads until the client closes too, so that no unread byte turns it into
    /// RST.
    void finish();

    /// FIN without close_notify; else as finish().
    void cut();

    /// RST, after wait_acknowledged(): the client can read all bytes before it sees the reset.
    void reset();

    void end(Ending ending);

    void close() { socket_.close(); }

    /// As small as the kernel allows, for a window that closes early.
    void shrink_receive_buffer();

    /// Gives the descriptor away, for a child process to own.
    Socket release() { return std::move(socket_); }

  private:
    bool wait(short events, std::chrono::milliseconds timeout);
    bool is_stopping() const;
    std::optional<std::string> read_until_in_tls(std::string_view end, size_t max_bytes);

    Socket socket_;
    int stop_descriptor_;
    std::unique_ptr<TlsStream> tls_;
    std::string plain_;  // out of TLS and not taken yet
    bool has_ended_ = false;
};

}  // namespace edgecase::lab
