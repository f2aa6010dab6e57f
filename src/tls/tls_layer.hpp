// Owns TLS below one stream: the handshake's steps, then records.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/layer.hpp"
#include "tls/classification.hpp"
#include "tls/session_cache.hpp"
#include "tls/verification.hpp"
#include "tls/wire.hpp"

namespace edgecase::tls {

/// Why the layer failed after the handshake.
struct LayerFault {
    std::string alert;      // "bad_record_mac"; empty: there was none
    int alert_number = -1;  // as sent or received
    bool alert_received = false;
    std::string detail;  // OpenSSL's words
    /// In TLS 1.3 the origin judges our certificate only after the handshake has ended for us.
    bool client_cert_required = false;
    bool client_cert_rejected = false;
};

class TlsLayer final : public net::Layer {
  public:
    enum class Step : uint8_t { done, wants_input, wants_output, failed };
    struct ClientSide {
        std::string name;  // SNI, and what is verified
        bool is_address = false;
        bool verifies = true;
        /// Shared with the layers of pooled connections, which may get a ticket after the context
        /// that made them is gone.
        std::shared_ptr<SessionCache> sessions{};
        std::string session_key{};
    };

    /// As server. `state` is fresh. The descriptor must outlive the layer, which it owns.
    TlsLayer(net::Descriptor& descriptor, Owned<SSL> state);
    TlsLayer(net::Descriptor& descriptor, Owned<SSL> state, ClientSide side);
    /// What a context needs whose connections are of the second kind.
    static void prepare_client(SSL_CTX* context);
    ~TlsLayer() override { close(true); }

    /// Goes on with the handshake as far as it goes without waiting.
    Step step();
    HandshakeFacts facts(base::WallTime now) const;
    /// After Step::failed, or a failed wait.
    HandshakeError error(std::optional<net::Error> wait_error, base::WallTime now);
    /// Frees what only the handshake needed.
    void finish_handshake();

    Result read(std::span<char> into) override;
    Result write(std::span<const iovec> parts) override;
    bool has_buffered() const override;
    bool has_unread() override;
    void shutdown_write() override;
    Broken broken() const override;
    bool ended_properly() const override { return !cut_; }
    void close(bool abort) override;

    const LayerFault* fault() const { return fault_.get(); }
    /// Whether buffers are borrowed at this moment.
    bool holds_buffers() const { return wire_.holds_memory(); }
    bool is_client() const { return client_ != nullptr; }

  private:
    friend struct Hooks;
    struct Handshake {  // what only the handshake needs
        std::string first_bytes;
        Verdict verdict;
        const char* state = "";
        int alert_sent = -1;
        int alert_received = -1;
        unsigned long code = 0;  // the first of OpenSSL's errors
        bool server_hello_seen = false;
        bool looked_again = false;
    };
    enum class End : uint8_t { none, end, failed };  // of reading

    void install_hooks();
    int judge(X509_STORE_CTX* context);
    void note_message(bool sent, const unsigned char* message, size_t size);
    void note_alert(bool sent, int level, int number);
    /// True: more input may help. False: reading has ended.
    bool note_read_failure(int returned);
    void note_fault();
    Result end_result() const;
    Result flush_accepted();

    Wire wire_;
    Owned<SSL> state_;  // null once closed
    std::unique_ptr<Handshake> handshake_;
    std::unique_ptr<ClientSide> client_;  // null: server
    std::unique_ptr<LayerFault> fault_;
    std::optional<net::Error> end_error_;
    uint32_t accepted_ = 0;  // bytes encrypted that the stream does not know of yet
    int alert_ = -1;         // the last one after the handshake
    End end_ = End::none;
    bool alert_received_ = false;
    bool complete_ = false;
    bool starved_ = false;  // all that was received has been looked at and was not enough
    bool got_data_ = false;
    bool cut_ = false;       // FIN without close_notify
    bool told_end_ = false;  // close_notify is on its way
    bool client_cert_requested_ = false;
    bool client_cert_sent_ = false;
};

}  // namespace edgecase::tls
