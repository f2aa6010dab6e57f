// Owns what one stream of an HTTP/2 connection reads and writes through.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "mux/connection.hpp"

namespace edgecase::mux {

/// Belongs to the stream's descriptor; outlives the connection if need be.
class Connection::StreamLayer final : public net::Layer {
  public:
    StreamLayer(Connection& connection, uint32_t id)
        : connection_(&connection), id_(id), role_(connection.role_) {}
    ~StreamLayer() override;
    void set_descriptor(net::Descriptor* descriptor) { descriptor_ = descriptor; }

    Result read(std::span<char> into) override;
    Result write(std::span<const iovec> parts) override;
    bool has_buffered() const override { return !readable().empty(); }
    bool has_unread() override { return has_buffered() || failed() || ended(); }
    void shutdown_write() override {}
    void close(bool abort) override;

    uint32_t id() const { return id_; }
    bool failed() const;
    bool sent_whole() const;
    Trouble trouble();

    /// The connection is over: what it has for this stream is kept here.
    void detach(const std::optional<Trouble>& trouble);
    /// There is something to read, or the stream has failed: then its writer learns of it too.
    void wake_reader();
    void wake_writer();
    /// Whoever waits, for whatever.
    void wake();

  private:
    std::string_view readable() const;
    bool ended() const;
    void consume(size_t size);
    void note_fault();
    net::ErrorKind failure();
    void leave(uint32_t error_code);

    Connection* connection_;  // null once it is over
    uint32_t id_;
    h2::Role role_;
    net::Descriptor* descriptor_ = nullptr;
    bool failed_ = false;
    bool ended_ = false;
    bool sent_whole_ = false;
    std::string rest_;  // of the message, once the connection is over
    Trouble trouble_;
};

}  // namespace edgecase::mux
