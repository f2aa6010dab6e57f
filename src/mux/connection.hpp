// Owns one HTTP/2 connection on one carrier: each of its streams is a net::Stream.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/byte_buffer.hpp"
#include "h2/session.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"

namespace edgecase::mux {

struct Timeouts {
    base::Duration idle{};      // without a stream; then the connection ends
    base::Duration settings{};  // client role: for the other side's SETTINGS; zero: no limit
    base::Duration ping{};      // silence while streams wait, and then for the answer; zero: off
    base::Duration write{};     // for the carrier to take some bytes
};

/// How a stream, or the connection below it, came to a bad end.
struct Trouble {
    enum class Kind : uint8_t {
        fault,  // HTTP/2 itself says so
        fin,    // the carrier ended
        rst,
        lost,  // another error of the carrier, or a layer below it
        settings_timeout,
        ping_timeout,
        write_timeout,
        closed,  // by us: the connection was taken down
    };
    Kind kind = Kind::closed;
    h2::Fault fault{};
    net::Error error{net::ErrorKind::other};  // for rst and lost
    net::Layer::Broken below{};               // for lost: what the carrier's own layer says
    std::optional<h2::Fault> goaway{};        // received before
    std::vector<std::string> frames{};        // the last ones, oldest first
    size_t streams_open = 0;
    uint32_t stream_id = 0;
    uint32_t peer_stream_limit = 0;
    bool settings_received = false;
};

class Connection final : h2::Events {
  public:
    /// Who takes the requests of the server role.
    class Acceptor {
      public:
        virtual ~Acceptor() = default;
        virtual void on_request(net::Stream stream) = 0;
    };

    /// `scratch`: room for one read, shared with others, used up before anything is awaited.
    /// `acceptor`: null in the client role.
    Connection(net::Loop& loop, net::Stream carrier, h2::Role role, const h2::Limits& limits,
               const Timeouts& timeouts, std::span<char> scratch, Acceptor* acceptor);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() override;

    /// Moves bytes until the connection is over; `first`: bytes that were read already. Streams
    /// that outlive it fail.
    net::Task<void> run(std::string first = {});

    /// Client role: a new stream, if the other side allows one now.
    std::optional<net::Stream> open();
    bool can_open() const { return !over_ && session_.can_open(); }
    bool is_over() const { return over_; }
    size_t open_streams() const { return session_.open_streams(); }
    uint64_t streams_made() const { return made_; }
    /// No new streams; the connection ends with its last one.
    void shut_down();
    /// Why the connection as a whole ended badly; null while it has not, or if it ended well.
    const std::optional<Trouble>& trouble() const { return trouble_; }
    net::Stream& carrier() { return carrier_; }

  private:
    class StreamLayer;
    friend Trouble trouble_of(const net::Stream& stream);
    friend uint32_t stream_id(const net::Stream& stream);
    friend bool sent_whole(const net::Stream& stream);
    friend bool has_failed(const net::Stream& stream);

    void on_opened(uint32_t stream_id) override;
    void on_readable(uint32_t stream_id) override { ready_.push_back({stream_id, false}); }
    void on_writable(uint32_t stream_id) override { ready_.push_back({stream_id, true}); }
    void on_closed(uint32_t stream_id) override { ready_.push_back({stream_id, false}); }
    void on_settings() override {}
    void on_goaway() override {}
    void on_ping_ack() override { ping_sent_.reset(); }

    net::Stream make_stream(uint32_t id);
    StreamLayer* find(uint32_t id);
    void wake_ready();
    void flush();
    void flush_soon();
    void look_again();
    /// Nothing is under way, and the carrier has taken all.
    bool is_quiet() const { return session_.unfinished_streams() == 0 && out_.empty(); }
    void forget(StreamLayer& layer);
    void end(std::optional<Trouble> trouble);
    void end_by(const net::Error& error);
    void stop_writing(const net::Error& error);
    Trouble trouble_now(Trouble::Kind kind) const;
    base::Deadline next_deadline() const;
    bool expired();

    /// Fires in this turn of the loop, after all that is ready has run: what many streams wrote
    /// goes out as one.
    struct Flusher : net::Timer {
        explicit Flusher(Connection& c)
            : Timer([](Timer& t) { static_cast<Flusher&>(t).connection.flush(); }), connection(c) {}
        Connection& connection;
    };
    struct CarrierWritable : net::Waiter {
        explicit CarrierWritable(Connection& c)
            : Waiter([](Waiter& w) { static_cast<CarrierWritable&>(w).connection.flush(); }),
              connection(c) {}
        Connection& connection;
    };
    /// Lets run() look again: ends its read from the loop, not from the stack of whoever asks.
    struct Waker : net::Timer {
        explicit Waker(Connection& c)
            : Timer([](Timer& t) {
                  static_cast<Waker&>(t).connection.carrier_.descriptor().cancel_read();
              }),
              connection(c) {}
        Connection& connection;
    };
    struct Ready {
        uint32_t stream_id;
        bool to_write;
    };

    net::Loop& loop_;
    net::Stream carrier_;
    h2::Role role_;
    Timeouts timeouts_;
    std::span<char> scratch_;
    Acceptor* acceptor_;
    h2::Session session_;
    base::ByteBuffer out_;  // frames the carrier has not taken
    std::vector<StreamLayer*> layers_;
    std::vector<Ready> ready_;
    std::vector<uint32_t> opened_;
    Flusher flusher_{*this};
    Waker waker_{*this};
    CarrierWritable on_writable_{*this};
    uint64_t made_ = 0;
    base::SteadyTime started_;
    base::SteadyTime last_read_;
    base::SteadyTime idle_since_;
    base::SteadyTime blocked_since_;  // the carrier took nothing since
    std::optional<base::SteadyTime> ping_sent_;
    std::optional<net::Error> write_error_;  // the carrier takes no more; reads may still tell why
    std::optional<Trouble> trouble_;
    bool over_ = false;
    bool waking_ = false;
};

/// Of a stream made by a Connection: why it failed; Kind::closed if it has not, with what is known
/// of its connection now.
Trouble trouble_of(const net::Stream& stream);
/// Whether the stream has come to a bad end; cheaper than trouble_of.
bool has_failed(const net::Stream& stream);
/// Whether the whole message written to the stream has left for the carrier. True for others.
bool sent_whole(const net::Stream& stream);
/// Whether the stream is one of an HTTP/2 connection, and its number there; 0: it is not.
uint32_t stream_id(const net::Stream& stream);

}  // namespace edgecase::mux
