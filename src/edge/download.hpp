// Owns the response on its way to the client: held back until it is known good or too long to hold,
// then streamed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "cause/failure.hpp"
#include "edge/buffers.hpp"
#include "edge/relay_write.hpp"
#include "edge/worker.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"
#include "origin/connection.hpp"
#include "origin/origin_failure.hpp"

namespace edgecase::edge {

class Download {
  public:
    /// What a download must ask of the exchange it is part of.
    class Host {
      public:
        virtual ~Host() = default;
        /// Why the wait for the origin was cut short, if that ends the response.
        virtual std::optional<cause::Failure> interrupted() = 0;
        /// When silence of the origin is a fault: never while it still takes the request.
        virtual base::Deadline body_deadline() const = 0;
    };

    struct Parts {
        Worker& worker;
        net::Stream& client;
        origin::Connection& connection;
        origin::AttemptView attempt;
        Buffers& buffers;
        const http::ResponseHeadView& head;
        Host& host;
        http::Framing framing;  // towards the client
        base::SteadyTime head_at;
        uint64_t& bytes_received;
    };
    explicit Download(const Parts& parts) : parts_(parts) {}

    /// The whole response. `Buffers::response_out` holds the head to send; the body's first bytes
    /// are what `Buffers::origin_in` holds beyond `body_offset`.
    /// Errors: body.* and time.body_idle of the origin, client.* of the client.
    net::Task<std::optional<cause::Failure>> run(size_t body_offset);

    /// The head has gone out: a failure from now on can only cut the connection.
    bool committed() const { return committed_; }
    uint64_t body_bytes_sent() const { return sent_; }
    bool complete() const { return complete_; }
    /// When the head was handed to the kernel.
    std::optional<base::SteadyTime> committed_at() const { return committed_at_; }
    /// How the origin ended the connection, if it did before the body's end.
    const std::optional<record::Close>& origin_close() const { return origin_close_; }
    /// The first of the bytes that came behind the end of the response.
    std::string_view extra() const { return extra_; }

  private:
    bool must_stream_at_once() const;
    net::Task<std::optional<cause::Failure>> hold();
    net::Task<std::optional<cause::Failure>> commit(std::string_view payload);
    net::Task<std::optional<cause::Failure>> stream();
    std::optional<cause::Failure> decode_held(std::string_view input);
    void keep_extra(std::string_view extra);
    std::optional<cause::Failure> read_failure(const net::ReadResult& got);
    cause::Failure write_failure(const net::Error& error) const;
    bool body_done() const {
        return parts_.buffers.response_body.state() == h1::BodyDecoder::State::done;
    }

    Parts parts_;
    bool committed_ = false;
    bool complete_ = false;
    bool fin_ended_ = false;  // a close-delimited body ended properly
    uint64_t sent_ = 0;
    std::optional<base::SteadyTime> committed_at_;
    std::string extra_;
    std::optional<record::Close> origin_close_;
    ReadSize read_size_;
};

}  // namespace edgecase::edge
