#include "mux/stream_layer.hpp"

#include <algorithm>
#include <utility>

namespace edgecase::mux {
namespace {

constexpr uint32_t kInternalError = 2;  // RFC 9113 §7
constexpr uint32_t kCancel = 8;

}  // namespace

Connection::StreamLayer::~StreamLayer() {
    leave(kInternalError);
}

net::Layer::Result Connection::StreamLayer::read(std::span<char> into) {
    const std::string_view text = readable();
    if (!text.empty()) {
        const size_t size = std::min(text.size(), into.size());
        std::copy_n(text.data(), size, into.data());
        consume(size);
        return Result::done(size);
    }
    if (failed()) return Result::failed({failure()});
    if (ended()) return Result::done(0);
    descriptor_->readable = false;
    return Result::blocked();
}

net::Layer::Result Connection::StreamLayer::write(std::span<const iovec> parts) {
    // Once it is over all is taken: the response may have come, and the read tells what happened.
    size_t taken = 0;
    for (const iovec& part : parts) {
        const std::string_view text(static_cast<const char*>(part.iov_base), part.iov_len);
        const size_t size =
            connection_ == nullptr ? text.size() : connection_->session_.write(id_, text);
        taken += size;
        if (size < text.size()) break;
    }
    if (connection_ != nullptr) connection_->flush_soon();
    if (taken > 0) return Result::done(taken);
    descriptor_->writable = false;
    return Result::blocked();
}

/// Whatever is not whole is reset, so a clean end and an abort are one.
void Connection::StreamLayer::close(bool /*abort*/) {
    leave(role_ == h2::Role::client ? kCancel : kInternalError);
}

bool Connection::StreamLayer::failed() const {
    return failed_ ||
           (connection_ != nullptr && connection_->session_.stream_fault(id_) != nullptr);
}

bool Connection::StreamLayer::sent_whole() const {
    return connection_ == nullptr ? sent_whole_ : connection_->session_.sent_whole(id_);
}

Trouble Connection::StreamLayer::trouble() {
    note_fault();
    const bool well = !failed_ && connection_ != nullptr;
    Trouble trouble = well ? connection_->trouble_now(Trouble::Kind::closed) : trouble_;
    trouble.stream_id = id_;
    return trouble;
}

void Connection::StreamLayer::detach(const std::optional<Trouble>& trouble) {
    rest_ = readable();
    ended_ = connection_->session_.ended(id_);
    sent_whole_ = connection_->session_.sent_whole(id_);
    const bool whole = role_ == h2::Role::client ? ended_ : sent_whole_;
    if (!failed_ && !whole) {
        trouble_ = trouble.value_or(connection_->trouble_now(Trouble::Kind::closed));
        failed_ = true;
    } else if (failed()) {
        note_fault();
    }
    connection_ = nullptr;
    descriptor_->carrier = -1;
}

void Connection::StreamLayer::wake_reader() {
    descriptor_->readable = true;
    if (failed()) descriptor_->read_closed = descriptor_->writable = true;
    descriptor_->dispatch();
}

void Connection::StreamLayer::wake_writer() {
    descriptor_->writable = true;
    descriptor_->dispatch();
}

void Connection::StreamLayer::wake() {
    descriptor_->readable = descriptor_->writable = descriptor_->read_closed = true;
    descriptor_->dispatch();
}

std::string_view Connection::StreamLayer::readable() const {
    return connection_ == nullptr ? std::string_view(rest_) : connection_->session_.readable(id_);
}

bool Connection::StreamLayer::ended() const {
    return connection_ == nullptr ? ended_ : connection_->session_.ended(id_);
}

void Connection::StreamLayer::consume(size_t size) {
    if (connection_ == nullptr) {
        rest_.erase(0, size);
        return;
    }
    connection_->session_.consume(id_, size);
    if (connection_->session_.wants_to_write()) connection_->flush_soon();
}

void Connection::StreamLayer::note_fault() {
    if (failed_ || connection_ == nullptr) return;
    const h2::Fault* const fault = connection_->session_.stream_fault(id_);
    if (fault == nullptr) return;
    trouble_ = connection_->trouble_now(Trouble::Kind::fault);
    trouble_.fault = *fault;
    failed_ = true;
}

/// To a request's reader a stream that failed is a client that left.
net::ErrorKind Connection::StreamLayer::failure() {
    note_fault();
    return role_ == h2::Role::client ? net::ErrorKind::layer : net::ErrorKind::reset;
}

void Connection::StreamLayer::leave(uint32_t error_code) {
    if (connection_ == nullptr) return;
    Connection& connection = *std::exchange(connection_, nullptr);
    connection.session_.close(id_, error_code);
    connection.forget(*this);
}

Trouble trouble_of(const net::Stream& stream) {
    auto* const layer = dynamic_cast<Connection::StreamLayer*>(stream.layer());
    return layer == nullptr ? Trouble() : layer->trouble();
}

bool has_failed(const net::Stream& stream) {
    const auto* const layer = dynamic_cast<const Connection::StreamLayer*>(stream.layer());
    return layer != nullptr && layer->failed();
}

bool sent_whole(const net::Stream& stream) {
    const auto* const layer = dynamic_cast<const Connection::StreamLayer*>(stream.layer());
    return layer == nullptr || layer->sent_whole();
}

uint32_t stream_id(const net::Stream& stream) {
    const auto* const layer = dynamic_cast<const Connection::StreamLayer*>(stream.layer());
    return layer == nullptr ? 0 : layer->id();
}

}  // namespace edgecase::mux
