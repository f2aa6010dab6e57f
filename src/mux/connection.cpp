#include "mux/connection.hpp"

#include <algorithm>
#include <array>

#include "mux/stream_layer.hpp"
#include "net/linger.hpp"

namespace edgecase::mux {
namespace {

constexpr size_t kFlushBytes = 64 * 1024;      // frames made before the carrier takes them
constexpr size_t kBytesPerTurn = 1024 * 1024;  // then others may run

}  // namespace

Connection::Connection(net::Loop& loop, net::Stream carrier, h2::Role role,
                       const h2::Limits& limits, const Timeouts& timeouts, std::span<char> scratch,
                       Acceptor* acceptor)
    : loop_(loop),
      carrier_(std::move(carrier)),
      role_(role),
      timeouts_(timeouts),
      scratch_(scratch),
      acceptor_(acceptor),
      session_(role, limits, *this),
      started_(loop.now()),
      last_read_(started_),
      idle_since_(started_) {}

Connection::~Connection() {
    for (StreamLayer* const layer : layers_) layer->detach(trouble_);
    if (carrier_) carrier_.descriptor().writer = nullptr;
}

net::Task<void> Connection::run(std::string first) {
    bool alive = first.empty() || session_.receive(first, loop_.now());
    flush();
    size_t since_yield = 0;
    while (alive && !over_) {
        const net::ReadResult got = co_await carrier_.read_some(scratch_, next_deadline());
        if (over_) break;
        if (!got) {
            const net::ErrorKind kind = got.error().kind;
            if (kind == net::ErrorKind::deadline || kind == net::ErrorKind::cancelled) {
                if (expired()) break;
                continue;
            }
            end_by(got.error());
            break;
        }
        if (*got == 0) {
            if (write_error_) {
                end_by(*write_error_);  // the kernel tells a RST once: to the write it broke
            } else {
                end(open_streams() == 0 ? std::nullopt
                                        : std::optional(trouble_now(Trouble::Kind::fin)));
            }
            break;
        }
        last_read_ = loop_.now();
        alive = session_.receive({scratch_.data(), *got}, loop_.now());
        flush();
        since_yield += *got;
        if (since_yield > kBytesPerTurn) {
            since_yield = 0;
            co_await loop_.yield();
        }
        if (!over_ && session_.going_away() && is_quiet()) break;
    }
    if (!alive && !over_) {
        Trouble trouble = trouble_now(Trouble::Kind::fault);
        if (session_.fault()) trouble.fault = *session_.fault();
        end(std::move(trouble));
    }
    end(std::nullopt);
    waker_.disarm();
    flusher_.disarm();
    carrier_.descriptor().writer = nullptr;
    const bool ours = !trouble_ || trouble_->kind == Trouble::Kind::fault;
    // A client that still downloads gives windows back: those bytes must not cost it the rest.
    if (role_ == h2::Role::server && ours && !write_error_)
        co_await net::linger(carrier_, scratch_);
    carrier_.close();
}

std::optional<net::Stream> Connection::open() {
    if (over_) return std::nullopt;
    const std::optional<uint32_t> id = session_.open();
    if (!id) return std::nullopt;
    if (open_streams() == 1) {
        last_read_ = loop_.now();  // silence counts from here
        if (timeouts_.ping > base::Duration::zero()) look_again();
    }
    return make_stream(*id);
}

void Connection::shut_down() {
    if (over_) return;
    session_.shut_down();
    flush_soon();
    look_again();
}

net::Stream Connection::make_stream(uint32_t id) {
    ++made_;
    auto layer = std::make_unique<StreamLayer>(*this, id);
    StreamLayer* const raw = layer.get();
    net::Descriptor* const descriptor = net::Descriptor::detached(loop_, std::move(layer));
    descriptor->carrier = carrier_.descriptor().socket();
    raw->set_descriptor(descriptor);
    // A stream opens with the beginning of its head: there may be nothing to read yet.
    descriptor->readable = raw->has_unread();
    descriptor->writable = true;
    layers_.push_back(raw);  // numbers only grow, so the list stays in order
    return net::Stream(descriptor);
}

Connection::StreamLayer* Connection::find(uint32_t id) {
    const auto found = std::ranges::lower_bound(layers_, id, {}, &StreamLayer::id);
    return found == layers_.end() || (*found)->id() != id ? nullptr : *found;
}

void Connection::forget(StreamLayer& layer) {
    const auto found = std::ranges::lower_bound(layers_, layer.id(), {}, &StreamLayer::id);
    if (found != layers_.end() && *found == &layer) layers_.erase(found);
    if (over_) return;
    flush_soon();
    if (open_streams() > 0) return;
    idle_since_ = loop_.now();
    if (session_.going_away()) look_again();
}

void Connection::on_opened(uint32_t stream_id) {
    opened_.push_back(stream_id);
}

/// Runs what waits for streams. Never from within a call of the session's.
void Connection::wake_ready() {
    if (waking_) return;
    waking_ = true;
    for (size_t i = 0; i < opened_.size(); ++i) acceptor_->on_request(make_stream(opened_[i]));
    opened_.clear();
    for (size_t i = 0; i < ready_.size(); ++i) {
        StreamLayer* const layer = find(ready_[i].stream_id);
        if (layer == nullptr) continue;
        if (ready_[i].to_write) {
            layer->wake_writer();
        } else {
            layer->wake_reader();
        }
    }
    ready_.clear();
    waking_ = false;
}

void Connection::flush_soon() {
    if (!over_) loop_.fire_soon(flusher_);
}

void Connection::flush() {
    flusher_.disarm();
    while (!over_ && !write_error_) {
        if (out_.empty() && (!session_.produce(out_, kFlushBytes) || out_.empty())) break;
        std::array whole{net::part(out_.view())};
        std::span<iovec> parts(whole);
        const net::WriteResult written = carrier_.write_now(parts);
        if (!written) return stop_writing(written.error());
        const size_t left = parts.empty() ? 0 : parts.front().iov_len;
        if (left < out_.size()) blocked_since_ = {};
        out_.consume(out_.size() - left);
        if (left == 0) continue;
        carrier_.descriptor().writer = &on_writable_;
        if (blocked_since_ == base::SteadyTime()) {
            blocked_since_ = loop_.now();
            if (timeouts_.write > base::Duration::zero()) look_again();
        }
        wake_ready();
        return;
    }
    if (carrier_) carrier_.descriptor().writer = nullptr;
    if (out_.capacity() > kFlushBytes / 4 && open_streams() == 0) out_.release();
    wake_ready();
    if (!over_ && session_.going_away() && is_quiet()) look_again();
}

void Connection::look_again() {
    loop_.fire_soon(waker_);
}

/// A failed write is not the last word: answers and GOAWAY may be here unread. The reads go on to
/// their end, for as long as a write would have been waited for.
void Connection::stop_writing(const net::Error& error) {
    if (error.kind != net::ErrorKind::reset && error.kind != net::ErrorKind::broken_pipe) {
        return end_by(error);
    }
    write_error_ = error;
    out_.clear();
    blocked_since_ = loop_.now();
    carrier_.descriptor().writer = nullptr;
    look_again();
    wake_ready();
}

void Connection::end_by(const net::Error& error) {
    // A broken pipe: the peer had sent FIN, and RST for what was written after it.
    Trouble trouble =
        trouble_now(error.kind == net::ErrorKind::reset         ? Trouble::Kind::rst
                    : error.kind == net::ErrorKind::broken_pipe ? Trouble::Kind::fin
                                                                : Trouble::Kind::lost);
    trouble.error = error;
    if (const net::Layer* const layer = carrier_.layer()) trouble.below = layer->broken();
    end(open_streams() == 0 ? std::nullopt : std::optional(std::move(trouble)));
}

/// Every stream learns of it; run() comes to its end.
void Connection::end(std::optional<Trouble> trouble) {
    if (over_) return;
    wake_ready();
    over_ = true;
    trouble_ = std::move(trouble);
    const std::vector<StreamLayer*> layers = std::exchange(layers_, {});
    for (StreamLayer* const layer : layers) layer->detach(trouble_);
    // A stream closed meanwhile stays in memory until the loop's turn ends.
    for (StreamLayer* const layer : layers) layer->wake();
    look_again();
}

Trouble Connection::trouble_now(Trouble::Kind kind) const {
    Trouble trouble;
    trouble.kind = kind;
    trouble.goaway = session_.goaway();
    trouble.frames = session_.frames().lines();
    trouble.streams_open = session_.open_streams();
    trouble.peer_stream_limit = session_.peer_stream_limit();
    trouble.settings_received = session_.settings_received();
    return trouble;
}

base::Deadline Connection::next_deadline() const {
    using base::Deadline;
    Deadline next = Deadline::never();
    const auto consider = [&](base::SteadyTime since, base::Duration span) {
        if (span > base::Duration::zero()) next = next.earlier(Deadline::after(since, span));
    };
    const bool idle = session_.open_streams() == 0;
    // While there are streams too: nothing else ends the wait after the last one is gone.
    consider(idle ? idle_since_ : loop_.now(), timeouts_.idle);
    if (role_ == h2::Role::client && !session_.settings_received()) {
        consider(started_, timeouts_.settings);
    }
    if (!idle) consider(ping_sent_.value_or(last_read_), timeouts_.ping);
    if (blocked_since_ != base::SteadyTime()) consider(blocked_since_, timeouts_.write);
    return next;
}

/// True: the connection has come to its end.
bool Connection::expired() {
    const base::SteadyTime now = loop_.now();
    const auto over = [&](base::SteadyTime since, base::Duration span) {
        return span > base::Duration::zero() && now - since >= span;
    };
    const bool idle = open_streams() == 0;
    if (session_.going_away() && is_quiet()) return true;
    if (idle && over(idle_since_, timeouts_.idle)) {
        session_.shut_down();
        flush();
        return true;
    }
    if (blocked_since_ != base::SteadyTime() && over(blocked_since_, timeouts_.write)) {
        if (write_error_) {
            end_by(*write_error_);
        } else {
            end(trouble_now(Trouble::Kind::write_timeout));
        }
        return true;
    }
    if (role_ == h2::Role::client && !session_.settings_received() &&
        over(started_, timeouts_.settings)) {
        end(trouble_now(Trouble::Kind::settings_timeout));
        return true;
    }
    if (idle || !over(ping_sent_.value_or(last_read_), timeouts_.ping)) return false;
    if (ping_sent_) {
        end(trouble_now(Trouble::Kind::ping_timeout));
        return true;
    }
    session_.send_ping();
    ping_sent_ = now;
    flush();
    return false;
}

}  // namespace edgecase::mux
