// Owns the server's side of one HTTP/2 connection: reads frames, keeps count of streams and
// windows.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/connection.hpp"
#include "lab/h2_frames.hpp"
#include "lab/hpack.hpp"

namespace edgecase::lab {

struct H2Request {
    uint32_t stream_id = 0;
    std::string method;
    std::string path;  // up to its query

    bool is_head() const { return method == "HEAD"; }
};

class H2Connection {
  public:
    explicit H2Connection(Connection& connection) : connection_(connection) {}

    /// Reads the client's preface and sends SETTINGS. False: what came is not HTTP/2.
    bool begin(const std::vector<std::pair<uint16_t, uint32_t>>& settings = {});

    /// The next request, in the order they came. Errors: nullopt at the connection's end.
    std::optional<H2Request> next_request();

    /// Reads and answers frames until one came that matters, or for at most `timeout`. False: the
    /// connection is at its end.
    bool pump(std::chrono::milliseconds timeout);

    bool send(std::string_view bytes) { return connection_.send(bytes); }
    /// DATA, as the client's windows allow. False: the stream or the connection is at its end.
    bool send_data(uint32_t stream_id, std::string_view bytes, bool is_last);

    /// Gives the client credit for all it sends on the stream, until its end.
    bool read_body(uint32_t stream_id);

    /// Gives credit and does not wait: nothing is to be done with the body.
    void drop_body(uint32_t stream_id);

    /// Whether the client has reset the stream.
    bool is_reset(uint32_t stream_id) const;
    /// Whether the connection still makes sense: nobody has closed it, and the client has sent no
    /// GOAWAY.
    bool is_alive() const;
    /// From here on neither PING nor SETTINGS are answered.
    void fall_silent() { is_silent_ = true; }

    Connection& connection() { return connection_; }

  private:
    struct Stream {
        int64_t send_window = 0;
        uint32_t uncredited_bytes = 0;
        bool is_read = false;
        bool has_ended = false;
        bool is_reset = false;
    };

    void take(const h2::Frame& frame);
    void take_settings(const h2::Frame& frame);
    void take_headers(const h2::Frame& frame);
    void take_data(const h2::Frame& frame);
    void take_window_update(const h2::Frame& frame);
    void credit(uint32_t stream_id, Stream& stream);

    Connection& connection_;
    HpackDecoder decoder_;
    std::string buffer_;
    std::string block_;  // of the header block being read
    bool block_ends_stream_ = false;
    std::deque<H2Request> requests_;
    std::map<uint32_t, Stream> streams_;
    int64_t send_window_ = h2::kDefaultWindow;
    int64_t initial_window_ = h2::kDefaultWindow;
    bool is_silent_ = false;
    bool is_broken_ = false;
    bool is_leaving_ = false;  // the client sent GOAWAY
};

}  // namespace edgecase::lab
