// Owns one HTTP/2 request and what is sent for it: the words in which HTTP/2 faults are written.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "lab/h2_connection.hpp"
#include "lab/scenario.hpp"

namespace edgecase::lab {

class H2Exchange {
  public:
    H2Exchange(H2Connection& connection, const H2Request& request, unsigned nth_request)
        : connection_(connection), request_(request), nth_request_(nth_request) {}

    const H2Request& request() const { return request_; }
    uint32_t stream_id() const { return request_.stream_id; }
    unsigned nth_request() const { return nth_request_; }  // on this connection, from 1

    bool read_body() { return connection_.read_body(stream_id()); }

    /// Frames, or other bytes, as they stand.
    bool send(std::string_view bytes) { return connection_.send(bytes); }
    bool send_data(std::string_view bytes, bool is_last = false) {
        return connection_.send_data(stream_id(), bytes, is_last);
    }
    /// DATA with `bytes` bytes of readable filler.
    bool send_filler(size_t bytes, bool is_last);

    /// A complete, correct response. A HEAD gets no body.
    void answer(std::string_view status, std::string_view body,
                const std::vector<Field>& more_fields = {});

    /// True when the time passed and the client still wants the stream.
    bool pause(std::chrono::milliseconds duration);
    /// Answers nothing any more, not even PING, until the client has closed the connection.
    void fall_silent();

    /// Takes and forgets what still comes of the body.
    void drop_body() { connection_.drop_body(stream_id()); }

    void finish() { connection_.connection().finish(); }
    void reset() { connection_.connection().reset(); }
    /// finish() without close_notify.
    void cut() { connection_.connection().cut(); }

    /// Does what the scenario says.
    void perform(const Scenario& scenario);

  private:
    H2Connection& connection_;
    const H2Request& request_;
    unsigned nth_request_;
};

}  // namespace edgecase::lab
