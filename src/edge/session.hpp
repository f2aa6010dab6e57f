// Owns one client connection from accept to close: the wait between requests, and their sequence.
#pragma once

#include "edge/buffers.hpp"
#include "ip/endpoint.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"

namespace edgecase::edge {

class Exchange;
class Worker;

class Session {
  public:
    /// Serves the connection until it ends. `over_limit`: its requests are answered with 503.
    static net::Task<void> serve(Worker& worker, net::Stream client, ip::Endpoint address,
                                 bool over_limit);

    Session(Worker& worker, net::Stream client, ip::Endpoint address, bool over_limit);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    Worker& worker() { return worker_; }
    net::Stream& client() { return client_; }
    const ip::Endpoint& address() const { return address_; }
    bool over_limit() const { return over_limit_; }

    /// Ends the wait between requests, if that is what the session is doing.
    void end_if_idle();
    /// Ends the request under way, if there is one.
    void shut_down();

  private:
    friend class Worker;
    enum class After : uint8_t { idle, close };

    // Never inlined: the compiler would put its frame, kilobytes of a request under way, into that
    // of serve(), which every idle connection keeps.
    [[gnu::noinline]] net::Task<After> serve_requests(Buffers& buffers);
    net::Task<void> linger();

    Worker& worker_;
    net::Stream client_;
    ip::Endpoint address_;
    Session* next_ = nullptr;
    Session* previous_ = nullptr;
    Exchange* exchange_ = nullptr;  // the request under way
    bool over_limit_;
    bool idle_ = false;
};

}  // namespace edgecase::edge
