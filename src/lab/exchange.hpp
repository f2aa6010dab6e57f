// Owns one request and what is sent for it: the words in which faults are written.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "lab/connection.hpp"
#include "lab/request.hpp"
#include "lab/scenario.hpp"

namespace edgecase::lab {

/// The request's head is read, its body is not.
class Exchange {
  public:
    Exchange(Connection& connection, const Request& request, unsigned nth_request, bool keep_alive)
        : connection_(connection),
          request_(request),
          nth_request_(nth_request),
          keep_alive_(keep_alive && !request.wants_close) {}

    const Request& request() const { return request_; }
    unsigned nth_request() const { return nth_request_; }  // on this connection, from 1

    /// Takes the whole body, with 100 Continue first if it is asked for. False: client gone.
    bool read_body();

    /// Takes the first `bytes` bytes of the body, 100 Continue as above. False: client gone.
    bool read_body_start(uint64_t bytes);

    /// Waits until body bytes have arrived, and leaves them unread.
    bool wait_for_body();

    bool send(std::string_view bytes) { return connection_.send(bytes); }

    /// Sends past TLS.
    bool send_raw(std::string_view bytes) { return connection_.send_raw(bytes); }

    /// Sends `bytes` bytes of readable filler.
    bool send_filler(uint64_t bytes);

    /// A complete, correct response: `status` is "200 OK", each line of `fields` has its CRLF.
    /// Length and Connection fields are added; a HEAD gets no body.
    void answer(std::string_view status, std::string_view fields, std::string_view body);

    bool pause(std::chrono::milliseconds duration) { return connection_.pause(duration); }
    void hang();
    void half_close() { connection_.half_close(); }
    void finish() { connection_.finish(); }
    void reset() { connection_.reset(); }
    /// finish() without close_notify.
    void cut() { connection_.cut(); }
    void shrink_receive_buffer() { connection_.shrink_receive_buffer(); }

    /// A child process sends `bytes` as the connection's only owner and is killed with SIGKILL. Its
    /// kernel then sends FIN, or RST if request bytes are still unread.
    void die_in_child(std::string_view bytes);

    /// Whether the next request may follow on this connection.
    bool keeps_open() const { return keeps_open_; }

    /// Does what the scenario says.
    void perform(const Scenario& scenario);

  private:
    Connection& connection_;
    const Request& request_;
    unsigned nth_request_;
    bool keep_alive_;
    bool keeps_open_ = false;
    bool continued_ = false;
};

}  // namespace edgecase::lab
