#include "edge/session.hpp"

#include "edge/exchange.hpp"
#include "edge/worker.hpp"

namespace edgecase::edge {
namespace {

// How long a client that still sends may go on after the last response, so that a RST for its bytes
// does not destroy the response on its way; a well-behaved one closes at once. Source: RFC 9112
// §9.6.
constexpr std::chrono::milliseconds kLingerTime{5000};
constexpr std::chrono::milliseconds kLingerSilence{1000};
constexpr unsigned kRequestsPerTurn = 16;

}  // namespace

Session::Session(Worker& worker, net::Stream client, ip::Endpoint address, bool over_limit)
    : worker_(worker), client_(std::move(client)), address_(address), over_limit_(over_limit) {
    next_ = worker_.first_session_;
    if (next_ != nullptr) next_->previous_ = this;
    worker_.first_session_ = this;
    worker_.counters().connections_open.add();
}

Session::~Session() {
    if (previous_ != nullptr) previous_->next_ = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
    if (worker_.first_session_ == this) worker_.first_session_ = next_;
    worker_.counters().connections_open.subtract();
}

void Session::end_if_idle() {
    if (idle_) client_.descriptor().cancel_read();
}

void Session::shut_down() {
    if (exchange_ != nullptr) exchange_->shut_down();
}

// The frame of this coroutine is what an idle connection costs: it holds the session and nothing of
// a request.
net::Task<void> Session::serve(Worker& worker, net::Stream client, ip::Endpoint address,
                               bool over_limit) {
    Session session(worker, std::move(client), address, over_limit);
    for (;;) {
        session.idle_ = true;
        const auto readable = co_await session.client_.wait_readable(
            worker.loop().after(worker.settings().timeouts.client_idle));
        session.idle_ = false;
        if (!readable) co_return;
        std::unique_ptr<Buffers> buffers = worker.take_buffers();
        const After after = co_await session.serve_requests(*buffers);
        worker.give_back(std::move(buffers));
        if (after == After::close || worker.draining()) co_return;
    }
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
        Exchange exchange(*this, buffers);
        exchange_ = &exchange;
        const Exchange::Then then = co_await exchange.run();
        exchange_ = nullptr;
        if (then == Exchange::Then::linger) co_await linger();
        if (then != Exchange::Then::next_request) co_return After::close;
        if (worker_.draining() && buffers.client_in.empty()) co_return After::close;
    }
}

net::Task<void> Session::linger() {
    client_.shutdown_write();
    const base::Deadline end = worker_.loop().after(kLingerTime);
    for (;;) {
        const base::Deadline silence = worker_.loop().after(kLingerSilence);
        const net::ReadResult got =
            co_await client_.read_some(worker_.scratch(), end.earlier(silence));
        if (!got || *got == 0 || end.passed(worker_.loop().now())) co_return;
        co_await worker_.loop().yield();
    }
}

}  // namespace edgecase::edge
