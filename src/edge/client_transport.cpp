#include "edge/client_transport.hpp"

#include <array>

#include "edge/client_failure.hpp"
#include "edge/local_reply.hpp"
#include "edge/session.hpp"
#include "mux/connection.hpp"
#include "tls/handshake.hpp"

namespace edgecase::edge {
namespace {

constexpr std::chrono::milliseconds kLastWords{1000};  // for the page on a plain request

Transport transport_of(const tls::HandshakeFacts& facts) {
    return {.tls_version = static_cast<uint16_t>(facts.version == "TLSv1.3" ? 0x0304 : 0x0303),
            .tls_cipher = facts.cipher,
            .sni = facts.sni,
            .http2 = facts.alpn == tls::Alpn::h2};
}

/// Whoever spoke plain HTTP to a TLS port gets an answer in plain HTTP.
net::Task<void> answer_plainly(Worker& worker, net::Stream& stream, const cause::Failure& failure,
                               record::RayId ray) {
    base::ByteBuffer out;
    const base::WallTime now = worker.loop().clock().wall_now();
    write_local_reply(out, {.failure = failure,
                            .ray = ray,
                            .colo = worker.settings().colo,
                            .host = {},
                            .accept = {},
                            .date = worker.http_date(),
                            .time = now,
                            .close = true});
    std::array parts{net::part(out.view())};
    static_cast<void>(co_await stream.write_all(parts, worker.loop().after(kLastWords)));
    stream.shutdown_write();
}

class StreamAcceptor final : public mux::Connection::Acceptor {
  public:
    StreamAcceptor(Worker& worker, ip::Endpoint address, bool over_limit, SharedTransport transport)
        : worker_(worker),
          address_(address),
          over_limit_(over_limit),
          transport_(std::move(transport)) {}
    void on_request(net::Stream stream) override {
        // As with HTTP/1.1: the refusal is the connection's last answer, and so is any while the
        // edge drains.
        if ((over_limit_ || worker_.draining()) && connection_ != nullptr) connection_->shut_down();
        worker_.spawn_stream(
            Session::serve_stream(worker_, {std::move(stream), address_, over_limit_}, transport_));
    }

    void set_connection(mux::Connection& connection) { connection_ = &connection; }

  private:
    Worker& worker_;
    ip::Endpoint address_;
    bool over_limit_;
    SharedTransport transport_;
    mux::Connection* connection_ = nullptr;
};

h2::Limits http2_limits(const config::Limits& limits) {
    return {.concurrent_streams = limits.h2_concurrent_streams,
            .header_list_bytes = limits.request_header_bytes,
            .stream_window_bytes = limits.h2_stream_window_bytes,
            .connection_window_bytes = limits.h2_connection_window_bytes,
            .resets_per_second = limits.h2_resets_per_second,
            .settings_per_second = limits.h2_settings_per_second,
            .pings_per_second = limits.h2_pings_per_second,
            .empty_frames_per_second = limits.h2_empty_frames_per_second,
            .continuations = limits.h2_continuations};
}

}  // namespace

net::Task<std::optional<Transport>> shake_hands(Worker& worker, Arrival& arrival) {
    const auto limit = worker.settings().timeouts.tls_handshake;
    auto shaken = co_await tls::accept(arrival.stream, *worker.tls(), worker.loop().after(limit));
    if (shaken) co_return transport_of(*shaken);
    const tls::HandshakeError& error = shaken.error();
    // A connection that ends without a byte is no attempt: a probe of a load balancer.
    const bool silent = error.first_bytes.empty() && error.fault != tls::HandshakeFault::timeout;
    if (silent || error.fault == tls::HandshakeFault::cancelled) co_return std::nullopt;
    const cause::Failure failure = client_handshake_failure(error, limit);
    const record::RayId ray = record_lost_client(worker, arrival.address, {}, failure);
    if (failure.cause() == cause::Cause::client_tls_not_spoken) {
        arrival.stream.set_layer(nullptr);
        co_await answer_plainly(worker, arrival.stream, failure, ray);
    }
    co_return std::nullopt;
}

net::Task<void> serve_http2(Worker& worker, Arrival arrival, SharedTransport transport,
                            std::string first) {
    const config::Timeouts& timeouts = worker.settings().timeouts;
    const ip::Endpoint address = arrival.address;
    StreamAcceptor acceptor(worker, address, arrival.over_limit, transport);
    mux::Connection connection(
        worker.loop(), std::move(arrival.stream), h2::Role::server,
        http2_limits(worker.settings().limits),
        {.idle = timeouts.client_idle, .settings = {}, .ping = {}, .write = timeouts.client_write},
        worker.scratch(), &acceptor);
    acceptor.set_connection(connection);
    const Worker::Http2Place place(worker, connection);
    if (worker.draining()) connection.shut_down();
    co_await connection.run(std::move(first));
    const auto& trouble = connection.trouble();
    if (!trouble || trouble->kind != mux::Trouble::Kind::fault) co_return;
    record_lost_client(worker, address, *transport, client_http2_failure(*trouble));
}

record::RayId record_lost_client(Worker& worker, const ip::Endpoint& address,
                                 const Transport& transport, const cause::Failure& failure) {
    record::RecordView record;
    record.start = worker.loop().clock().wall_now();
    record.ray = worker.make_ray(record.start);
    record.colo = worker.settings().colo;
    record.client = address;
    record.edge = worker.listen_address();
    record.scheme = transport.is_tls() || worker.tls() != nullptr ? "https" : "http";
    record.protocol = transport.http2 ? "HTTP/2" : "";
    record.tls_version = transport.tls_version;
    record.tls_cipher = transport.tls_cipher;
    record.sni = transport.sni;
    record.edge_status = failure.row().status;
    record.cause = failure.cause();
    record.evidence = failure.evidence();
    worker.counters().by_cause[static_cast<size_t>(record.cause) % Counters::kCauses].add();
    worker.sink().write(record);
    return record.ray;
}

}  // namespace edgecase::edge
