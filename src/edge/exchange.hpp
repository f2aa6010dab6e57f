// Owns one request from its first byte to its record.
#pragma once

#include <optional>
#include <string>

#include "cause/failure.hpp"
#include "edge/buffers.hpp"
#include "edge/client_failure.hpp"
#include "edge/download.hpp"
#include "edge/interrupt.hpp"
#include "edge/session.hpp"
#include "edge/upload.hpp"
#include "edge/worker.hpp"
#include "net/task.hpp"
#include "origin/balancer.hpp"
#include "origin/origin.hpp"
#include "origin/origin_failure.hpp"

namespace edgecase::edge {

class Exchange final : Download::Host {
  public:
    /// What becomes of the client's connection.
    enum class Then : uint8_t {
        next_request,
        linger,  // close, but let the client finish sending first
        close,
    };

    Exchange(Session& session, Buffers& buffers);
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    /// Writes the record if run() did not come to its end.
    ~Exchange() override;

    /// `Buffers::client_in` holds at least one byte of the request.
    net::Task<Then> run();

    /// The drain time is over: ends the wait for the origin with 503, or cuts the response off.
    void shut_down();

  private:
    using Outcome = std::optional<cause::Failure>;  // null: go on

    // The steps, in order.
    net::Task<Outcome> read_request_head();
    Outcome admit();
    void join_trace(const http::FieldView* field, unsigned fields);
    net::Task<Outcome> hint_early();
    net::Task<Outcome> contact_origin();
    net::Task<Then> respond();
    net::Task<Then> tunnel();
    net::Task<Then> refuse(cause::Failure failure);
    void complete();

    // One attempt.
    void turn_to(origin::Upstream::Member& member);
    origin::Upstream::Member* other_origin(const cause::Failure& failure);
    net::Task<Outcome> attempt(record::Attempt& attempt, origin::Wish wish);
    net::Task<Outcome> obtain_connection(record::Attempt& attempt, origin::Wish wish);
    net::Task<Outcome> send_request(record::Attempt& attempt);
    net::Task<Outcome> read_response_head(record::Attempt& attempt);
    net::Task<Outcome> pass_interim();
    net::Task<Outcome> send_interim();
    Outcome check_upgrade();
    void end_attempt(record::Attempt& attempt, const cause::Failure* failure);
    void release_connection(bool reusable);

    // What the steps and the download ask.
    Outcome interrupted() override;
    base::Deadline body_deadline() const override;
    Outcome wait_expired();
    base::Deadline wait_deadline() const;
    void add_other_attempts();
    bool uploading() const { return upload_ && upload_->end() == Upload::End::running; }
    origin::AttemptView attempt_view() const;
    uint64_t response_bytes() const;  // handed to the kernel for this request
    cause::Failure shutdown_failure() const;
    cause::Failure client_gone(ClientPhase phase) const;
    bool client_stays() const;
    void note(const cause::Failure& failure);
    void note_headers();

    Worker& worker_;
    Session& session_;
    Buffers& buffers_;
    record::RecordView record_;
    base::SteadyTime started_;
    record::RayText ray_text_;
    std::string client_ip_;
    std::string upgrade_;  // what the client asked for and the origin was asked
    std::string accept_;
    origin::Upstream* upstream_ = nullptr;
    origin::Upstream::Member* member_ = nullptr;  // of it: the origin of the present attempt
    origin::Origin* origin_ = nullptr;            // the same
    RequestBody body_;
    uint64_t written_before_ = 0;     // to the client, for earlier requests
    size_t head_bytes_ = 0;           // of the request
    size_t body_in_head_buffer_ = 0;  // body bytes that came with it
    uint8_t trace_flags_ = 0;         // of record_.trace
    bool trace_continued_ = false;    // it is the client's
    bool head_only_ = false;          // HEAD
    bool keep_alive_ = false;         // the client wants it, and the request allows it
    bool client_is_10_ = false;
    bool quiet_ = false;  // nothing was asked: no record

    // Of the attempt under way.
    std::optional<origin::Connection> connection_;
    std::vector<record::Attempt> others_;  // at other addresses, in the course of it
    origin::Sending sending_;
    std::optional<net::Error> write_error_;
    base::SteadyTime sent_at_;
    base::SteadyTime last_read_;
    base::SteadyTime head_begun_at_;  // first byte of the present head, interim ones not counted
    base::SteadyTime head_at_;
    base::Duration idle_before_{};
    uint64_t bytes_received_ = 0;
    unsigned interim_ = 0;
    size_t response_head_bytes_ = 0;

    Interrupt interrupt_;
    ClientWatch watch_;
    std::optional<Upload> upload_;
    bool shutting_down_ = false;
    bool completed_ = false;
    bool head_read_ = false;  // the final response's head has come
    bool committed_ = false;  // the final response's head has gone out
};

}  // namespace edgecase::edge
