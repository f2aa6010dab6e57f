#include "edge/session.hpp"

#include "edge/client_failure.hpp"
#include "edge/exchange.hpp"
#include "edge/worker.hpp"
#include "mux/connection.hpp"
#include "net/linger.hpp"

namespace edgecase::edge {
namespace {

constexpr unsigned kRequestsPerTurn = 16;

bool may_be_preface(std::string_view bytes) {
    return kHttp2Preface.starts_with(bytes.substr(0, kHttp2Preface.size()));
}

}  // namespace

Session::Session(Worker& worker, Arrival arrival, SharedTransport transport)
    : worker_(worker),
      client_(std::move(arrival.stream)),
      address_(arrival.address),
      transport_(std::move(transport)),
      over_limit_(arrival.over_limit) {
    next_ = worker_.first_session_;
    if (next_ != nullptr) next_->previous_ = this;
    worker_.first_session_ = this;
    if (!is_http2()) worker_.counters().connections_open.add();
}

Session::~Session() {
    if (previous_ != nullptr) previous_->next_ = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
    if (worker_.first_session_ == this) worker_.first_session_ = next_;
    if (!is_http2()) worker_.counters().connections_open.subtract();
}

void Session::end_if_idle() {
    if (idle_) client_.descriptor().cancel_read();
}

void Session::shut_down() {
    if (exchange_ != nullptr) exchange_->shut_down();
}

net::Task<void> Session::serve(Worker& worker, Arrival arrival, bool secure) {
    if (secure) return serve_secure(worker, std::move(arrival));
    return serve_http1(worker, std::move(arrival), nullptr);
}

net::Task<void> Session::serve_secure(Worker& worker, Arrival arrival) {
    std::optional<Transport> shaken = co_await shake_hands(worker, arrival);
    if (!shaken) co_return;
    auto transport = std::make_shared<const Transport>(std::move(*shaken));
    if (transport->http2) {
        co_await serve_http2(worker, std::move(arrival), std::move(transport), {});
    } else {
        co_await serve_http1(worker, std::move(arrival), std::move(transport));
    }
}

net::Task<void> Session::serve_http1(Worker& worker, Arrival arrival, SharedTransport transport) {
    std::string first = co_await serve_connection(worker, arrival, std::move(transport));
    if (first.empty()) co_return;
    // Prior knowledge: the client speaks HTTP/2 without having asked.
    auto http2 =
        std::make_shared<const Transport>(Transport{.tls_cipher = {}, .sni = {}, .http2 = true});
    co_await serve_http2(worker, std::move(arrival), std::move(http2), std::move(first));
}

// The frame of this coroutine is what an idle connection costs: it holds the session and nothing of
// a request.
net::Task<std::string> Session::serve_connection(Worker& worker, Arrival& arrival,
                                                 SharedTransport transport) {
    Session session(worker, std::move(arrival), std::move(transport));
    for (;;) {
        session.idle_ = true;
        const auto readable = co_await session.client_.wait_readable(
            worker.loop().after(worker.settings().timeouts.client_idle));
        session.idle_ = false;
        if (!readable) co_return std::string();
        std::unique_ptr<Buffers> buffers = worker.take_buffers();
        const After after = co_await session.serve_requests(*buffers);
        std::string first;
        if (after == After::http2) first = buffers->client_in.view();
        worker.give_back(std::move(buffers));
        if (after == After::http2) {
            arrival = {std::move(session.client_), session.address_, session.over_limit_};
            co_return first;
        }
        if (after == After::close || worker.ending()) co_return std::string();
    }
}

net::Task<void> Session::serve_stream(Worker& worker, Arrival arrival, SharedTransport transport) {
    Session session(worker, std::move(arrival), std::move(transport));
    const auto readable = co_await session.client_.wait_readable(
        worker.loop().after(worker.settings().timeouts.client_head));
    if (!readable) {
        if (readable.error().kind != net::ErrorKind::deadline) co_return;
        record_lost_client(worker, session.address_, *session.transport_,
                           client_head_timeout(0, worker.settings().timeouts.client_head));
        co_return;
    }
    // What failed before its request began goes to no origin, though its text may be readable.
    if (mux::has_failed(session.client_)) {
        const mux::Trouble trouble = mux::trouble_of(session.client_);
        if (const auto failure = lost_stream(trouble)) {
            record_lost_client(worker, session.address_, *session.transport_, *failure);
        }
        co_return;
    }
    std::unique_ptr<Buffers> buffers = worker.take_buffers();
    co_await session.serve_requests(*buffers);
    worker.give_back(std::move(buffers));
}

net::Task<Session::After> Session::serve_requests(Buffers& buffers) {
    for (unsigned count = 0;; ++count) {
        // A client that pipelines what the edge answers itself would never let others run.
        if (count % kRequestsPerTurn == kRequestsPerTurn - 1) co_await worker_.loop().yield();
        if (buffers.client_in.empty()) {
            const net::ReadResult got =
                client_.read_now(buffers.client_in.reserve_free(Buffers::kReadBytes));
            if (!got && got.error().kind == net::ErrorKind::deadline) co_return After::idle;
            if (!got || *got == 0) co_return After::close;
            buffers.client_in.commit(*got);
        }
        const bool first = !std::exchange(begun_, true);
        if (first && transport_ == nullptr && may_be_preface(buffers.client_in.view()) &&
            co_await begins_http2(buffers.client_in)) {
            co_return After::http2;
        }
        Exchange exchange(*this, buffers);
        exchange_ = &exchange;
        const Exchange::Then then = co_await exchange.run();
        exchange_ = nullptr;
        if (then == Exchange::Then::linger) co_await net::linger(client_, worker_.scratch());
        if (then != Exchange::Then::next_request) co_return After::close;
        if (worker_.ending() && buffers.client_in.empty()) co_return After::close;
    }
}

/// Waits for the rest of what may be the preface. A request that begins like it loses nothing: its
/// head is not whole either.
net::Task<bool> Session::begins_http2(base::ByteBuffer& in) {
    const base::Deadline deadline = worker_.loop().after(worker_.settings().timeouts.client_head);
    while (in.size() < kHttp2Preface.size()) {
        const net::ReadResult got =
            co_await client_.read_some(in.reserve_free(Buffers::kReadBytes), deadline);
        if (!got || *got == 0) co_return false;
        in.commit(*got);
        if (!may_be_preface(in.view())) co_return false;
    }
    co_return true;
}

}  // namespace edgecase::edge
