// Owns the ciphertext between OpenSSL and a descriptor: reads ahead, sends many records at once.
#pragma once

#include <optional>
#include <string>

#include "net/descriptor.hpp"
#include "tls/buffer.hpp"
#include "tls/openssl.hpp"

namespace edgecase::tls {

class Wire {
  public:
    enum class Flush : uint8_t { done, blocked, failed };

    explicit Wire(net::Descriptor& descriptor) : descriptor_(descriptor) {}
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    /// Reads and writes this wire, which must outlive it. Null: out of memory.
    BIO* make_bio();

    /// Sends what waits, as far as the socket takes it.
    Flush flush();
    bool has_inbound() const { return !inbound_.empty(); }
    bool has_outbound() const { return !outbound_.empty(); }
    size_t outbound_room() const { return outbound_.room(); }
    bool holds_memory() const { return inbound_.holds_memory() || outbound_.holds_memory(); }
    void drop_outbound() { outbound_.clear(); }
    void drop_all();

    /// While set, reads take what has been received and do not ask the socket.
    void hold(bool held) { held_ = held; }
    /// Asks the socket at the next read even if the loop has not heard of bytes.
    void look_again() { descriptor_.readable = true; }
    /// Bytes received up to kFirstBytes are copied there too; null: no more.
    void record_first_bytes(std::string* into) { first_bytes_ = into; }

    bool got_fin() const { return got_fin_; }
    const std::optional<net::Error>& read_error() const { return read_error_; }
    const std::optional<net::Error>& write_error() const { return write_error_; }
    net::Descriptor& descriptor() const { return descriptor_; }

    static constexpr size_t kFirstBytes = 64;

  private:
    friend struct WireBio;
    enum class Fill : uint8_t { filled, blocked, ended };
    Fill fill();

    net::Descriptor& descriptor_;
    Inbound inbound_;
    Outbound outbound_;
    std::string* first_bytes_ = nullptr;
    std::optional<net::Error> read_error_;
    std::optional<net::Error> write_error_;
    bool got_fin_ = false;
    bool held_ = false;
};

}  // namespace edgecase::tls
