// Owns one client connection from accept to close: the wait between requests, and their sequence.
#pragma once

#include "edge/buffers.hpp"
#include "edge/client_transport.hpp"
#include "edge/transport.hpp"
#include "ip/endpoint.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"

namespace edgecase::edge {

class Exchange;
class Worker;

class Session {
  public:
    /// Serves the connection until it ends. `secure`: it begins with a TLS handshake.
    static net::Task<void> serve(Worker& worker, Arrival arrival, bool secure);
    /// Serves one stream of an HTTP/2 connection.
    static net::Task<void> serve_stream(Worker& worker, Arrival arrival, SharedTransport transport);

    Session(Worker& worker, Arrival arrival, SharedTransport transport);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    Worker& worker() { return worker_; }
    net::Stream& client() { return client_; }
    const ip::Endpoint& address() const { return address_; }
    bool over_limit() const { return over_limit_; }
    bool is_tls() const { return transport_ != nullptr && transport_->is_tls(); }
    bool is_http2() const { return transport_ != nullptr && transport_->http2; }
    /// Null: plain HTTP/1.1.
    const Transport* transport() const { return transport_.get(); }

    /// Ends the wait between requests, if that is what the session is doing.
    void end_if_idle();
    /// Ends the request under way, if there is one.
    void shut_down();

  private:
    friend class Worker;
    enum class After : uint8_t { idle, close, http2 };

    // Never inlined: the compiler would put its frame, kilobytes of a request under way, into that
    // of serve(), which every idle connection keeps.
    [[gnu::noinline]] net::Task<After> serve_requests(Buffers& buffers);
    net::Task<bool> begins_http2(base::ByteBuffer& in);

    static net::Task<void> serve_http1(Worker& worker, Arrival arrival, SharedTransport transport);
    /// Serves requests until the connection ends, or turns out to speak HTTP/2: then `arrival` has
    /// it back, and the result is what was read of it.
    static net::Task<std::string> serve_connection(Worker& worker, Arrival& arrival,
                                                   SharedTransport transport);
    static net::Task<void> serve_secure(Worker& worker, Arrival arrival);

    Worker& worker_;
    net::Stream client_;
    ip::Endpoint address_;
    SharedTransport transport_;
    Session* next_ = nullptr;
    Session* previous_ = nullptr;
    Exchange* exchange_ = nullptr;  // the request under way
    bool over_limit_;
    bool idle_ = false;
    bool begun_ = false;  // a request has come
};

}  // namespace edgecase::edge
