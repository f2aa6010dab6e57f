#include "tls/tls_layer.hpp"

#include <string_view>
#include <utility>

#include "tls/alert.hpp"
#include "tls/records.hpp"

namespace edgecase::tls {
namespace {

// What the largest record needs, and a ticket, key update or alert that goes out with it.
constexpr size_t kRecordRoom = kRecordBytes + 256;
constexpr int kFatal = SSL3_AL_FATAL;

Alpn alpn_of(const SSL* state) {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(state, &name, &size);
    if (size == 0) return Alpn::none;
    const std::string_view text(reinterpret_cast<const char*>(name), size);
    return text == "h2" ? Alpn::h2 : text == "http/1.1" ? Alpn::http1 : Alpn::none;
}

}  // namespace

/// The functions that OpenSSL calls.
struct Hooks {
    static TlsLayer* layer_of(const SSL* state) {
        return static_cast<TlsLayer*>(SSL_get_app_data(state));
    }
    static int judge(X509_STORE_CTX* context, void* /*argument*/) {
        const int index = SSL_get_ex_data_X509_STORE_CTX_idx();
        return layer_of(static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, index)))
            ->judge(context);
    }
    static void info(const SSL* state, int where, int value) {
        if ((where & SSL_CB_ALERT) == 0) return;
        layer_of(state)->note_alert((where & SSL_CB_WRITE) != 0, value >> 8, value & 0xff);
    }
    static void message(int sent, int /*version*/, int type, const void* bytes, size_t size,
                        SSL* /*state*/, void* layer) {
        if (type != SSL3_RT_HANDSHAKE) return;
        static_cast<TlsLayer*>(layer)->note_message(sent != 0,
                                                    static_cast<const unsigned char*>(bytes), size);
    }
    static int session(SSL* state, SSL_SESSION* session) {
        TlsLayer* const layer = layer_of(state);
        if (layer == nullptr || layer->client_ == nullptr) return 0;
        if (layer->client_->sessions == nullptr) return 0;
        layer->client_->sessions->keep(layer->client_->session_key, Owned<SSL_SESSION>(session));
        return 1;  // the reference is ours now
    }
};

TlsLayer::TlsLayer(net::Descriptor& descriptor, Owned<SSL> state)
    : wire_(descriptor), state_(std::move(state)), handshake_(std::make_unique<Handshake>()) {
    install_hooks();
    SSL_set_accept_state(state_.get());
}

TlsLayer::TlsLayer(net::Descriptor& descriptor, Owned<SSL> state, ClientSide side)
    : wire_(descriptor),
      state_(std::move(state)),
      handshake_(std::make_unique<Handshake>()),
      client_(std::make_unique<ClientSide>(std::move(side))) {
    install_hooks();
    SSL_set_connect_state(state_.get());
}

void TlsLayer::prepare_client(SSL_CTX* context) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context, Hooks::judge, nullptr);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, Hooks::session);
}

void TlsLayer::install_hooks() {
    SSL* const state = state_.get();
    BIO* const bio = wire_.make_bio();
    SSL_set_bio(state, bio, bio);
    SSL_set_app_data(state, this);
    SSL_set_info_callback(state, Hooks::info);
    SSL_set_msg_callback(state, Hooks::message);
    SSL_set_msg_callback_arg(state, this);
    wire_.record_first_bytes(&handshake_->first_bytes);
    handshake_->state = SSL_state_string_long(state);
}

int TlsLayer::judge(X509_STORE_CTX* context) {
    if (client_ == nullptr || handshake_ == nullptr) return 0;
    X509_STORE_CTX_set_error(context, X509_V_OK);
    if (!client_->verifies) return 1;
    handshake_->verdict = verify(context);
    // OpenSSL chooses the alert by this.
    X509_STORE_CTX_set_error(context, handshake_->verdict.code);
    return handshake_->verdict.is_rejected() ? 0 : 1;
}

void TlsLayer::note_message(bool sent, const unsigned char* message, size_t size) {
    if (handshake_ == nullptr || size == 0) return;
    // An empty list of certificates takes 7 bytes in TLS 1.2 and 8 in 1.3.
    constexpr size_t kEmptyCertificate = 8;
    if (message[0] == SSL3_MT_CERTIFICATE && sent) client_cert_sent_ = size > kEmptyCertificate;
    if (message[0] == SSL3_MT_CERTIFICATE_REQUEST && !sent) client_cert_requested_ = true;
    if (message[0] == SSL3_MT_SERVER_HELLO && !sent) handshake_->server_hello_seen = true;
}

void TlsLayer::note_alert(bool sent, int level, int number) {
    if (number == SSL_AD_CLOSE_NOTIFY || number == SSL_AD_USER_CANCELLED) return;
    if (handshake_ != nullptr) {
        if (level != kFatal) return;  // unrecognized_name and others that are no end
        if (sent) handshake_->alert_sent = number;
        if (!sent) handshake_->alert_received = number;
        return;
    }
    // What the other side said counts more than what we made of it.
    if (level != kFatal || (sent && alert_received_)) return;
    alert_ = number;
    alert_received_ = !sent;
}

TlsLayer::Step TlsLayer::step() {
    for (;;) {
        bool failed = false;
        bool wants_room = false;
        if (!complete_) {
            forget_errors();
            starved_ = false;
            const int returned = SSL_do_handshake(state_.get());
            const int why = SSL_get_error(state_.get(), returned);
            complete_ = returned == 1;
            wants_room = why == SSL_ERROR_WANT_WRITE;
            failed = !complete_ && !wants_room && why != SSL_ERROR_WANT_READ;
            if (failed) {
                handshake_->code = ERR_peek_error();
                ERR_clear_error();
            } else {
                handshake_->state = SSL_state_string_long(state_.get());
            }
        }
        // To whom does not speak TLS an alert says nothing, and to HTTP/1.1 it is garbage.
        if (failed && !may_be_tls(handshake_->first_bytes)) wire_.drop_outbound();
        const Wire::Flush flushed = wire_.flush();
        if (failed) return Step::failed;
        if (flushed == Wire::Flush::blocked) return Step::wants_output;
        // If the last flight was refused, reading tells why.
        if (complete_) return Step::done;
        if (flushed == Wire::Flush::done) {
            if (wants_room) continue;
            starved_ = true;
            return Step::wants_input;
        }
        // What the other side said before it stopped listening says more than EPIPE does.
        if (handshake_->looked_again) return Step::failed;
        handshake_->looked_again = true;
        wire_.look_again();
    }
}

HandshakeFacts TlsLayer::facts(base::WallTime now) const {
    HandshakeFacts facts;
    SSL* const state = state_.get();
    const SSL_CIPHER* cipher = SSL_get_current_cipher(state);
    if (cipher == nullptr) cipher = SSL_get_pending_cipher(state);
    if (cipher != nullptr) facts.cipher = SSL_CIPHER_get_name(cipher);
    if (complete_ || cipher != nullptr) facts.version = SSL_get_version(state);
    facts.alpn = alpn_of(state);
    facts.resumed = complete_ && SSL_session_reused(state) == 1;
    facts.client_cert_requested = client_cert_requested_;
    facts.client_cert_sent = client_cert_requested_ && client_cert_sent_;
    if (client_ == nullptr) {
        const char* const name = SSL_get_servername(state, TLSEXT_NAMETYPE_host_name);
        if (name != nullptr) facts.sni = name;
        return facts;
    }
    if (!client_->is_address) facts.sni = client_->name;
    const Verdict* const verdict =
        handshake_ != nullptr && handshake_->verdict.is_rejected() ? &handshake_->verdict : nullptr;
    X509* const leaf = verdict != nullptr ? verdict->leaf.get() : SSL_get0_peer_certificate(state);
    X509* const about =
        verdict != nullptr && verdict->certificate ? verdict->certificate.get() : leaf;
    if (about == nullptr) return facts;
    facts.certificate = facts_of(about, now);
    if (about != leaf && leaf != nullptr) {
        facts.certificate->names = names_of(leaf, CertificateFacts::kMaxNames);
    }
    const int sent = sk_X509_num(SSL_get_peer_cert_chain(state));
    facts.certificate->chain_length = verdict != nullptr ? verdict->chain_length
                                      : sent > 0         ? static_cast<unsigned>(sent)
                                                         : 1;
    facts.certificate->depth = verdict != nullptr ? verdict->depth : 0;
    return facts;
}

HandshakeError TlsLayer::error(std::optional<net::Error> wait_error, base::WallTime now) {
    Handshake& seen = *handshake_;
    const int reason = ERR_GET_LIB(seen.code) == ERR_LIB_SSL ? ERR_GET_REASON(seen.code) : 0;
    // The library's reasons beyond this are alerts that were received.
    if (reason > SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + 255) {
        seen.alert_received = reason - SSL_AD_REASON_OFFSET;
    }
    const Observations observed{
        .is_client = is_client(),
        .server_hello_seen = seen.server_hello_seen,
        .client_cert_requested = client_cert_requested_,
        .client_cert_sent = client_cert_sent_,
        .alert_received = seen.alert_received,
        .first_bytes = seen.first_bytes,
        .verdict = seen.verdict.is_rejected() ? std::optional(seen.verdict.fault) : std::nullopt,
        .wait_error = wait_error,
        .read_error = wire_.read_error(),
        .write_error = wire_.write_error(),
        .got_fin = wire_.got_fin(),
        .reason = reason,
    };
    HandshakeError error;
    error.fault = classify(observed);
    const int alert = seen.alert_received >= 0 ? seen.alert_received : seen.alert_sent;
    if (alert >= 0 && error.fault != HandshakeFault::peer_plaintext) {
        error.alert = alert_name(alert);
        error.alert_number = alert;
        error.alert_received = seen.alert_received >= 0;
    }
    error.detail = seen.verdict.is_rejected() ? seen.verdict.detail() : reason_of(seen.code);
    error.state = seen.state;
    error.first_bytes = seen.first_bytes;
    if (wait_error) {
        error.error = *wait_error;
    } else if (wire_.read_error()) {
        error.error = *wire_.read_error();
    } else if (wire_.write_error()) {
        error.error = *wire_.write_error();
    }
    error.facts = facts(now);
    if (client_ != nullptr) {
        error.wanted_name = client_->name;
        if (client_->sessions != nullptr) client_->sessions->drop(client_->session_key);
    }
    return error;
}

void TlsLayer::finish_handshake() {
    wire_.record_first_bytes(nullptr);
    SSL_set_msg_callback(state_.get(), nullptr);
    handshake_.reset();
}

bool TlsLayer::note_read_failure(int returned) {
    const int why = SSL_get_error(state_.get(), returned);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        starved_ = true;
        return true;
    }
    end_ = End::failed;
    // Origins send a plain FIN without close_notify, and most of HTTP has its own lengths: to
    // whoever reads it is an end. Who has none asks ended_properly().
    const bool is_plain_fin = wire_.got_fin() && !wire_.read_error();
    if (why == SSL_ERROR_ZERO_RETURN || is_plain_fin) {
        end_ = End::end;
        cut_ = why != SSL_ERROR_ZERO_RETURN;
    } else if (wire_.read_error()) {
        end_error_ = wire_.read_error();
    } else {
        note_fault();
    }
    ERR_clear_error();
    return false;
}

void TlsLayer::note_fault() {
    if (fault_ == nullptr) fault_ = std::make_unique<LayerFault>();
    const unsigned long code = ERR_peek_error();
    const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
    if (reason > SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + 255) {
        alert_ = reason - SSL_AD_REASON_OFFSET;
        alert_received_ = true;
    }
    fault_->detail = reason_of(code);
    fault_->alert_number = alert_;
    fault_->alert_received = alert_received_;
    if (alert_ >= 0) fault_->alert = alert_name(alert_);
    end_error_ = net::Error{net::ErrorKind::layer};
    ERR_clear_error();
    if (client_ == nullptr) return;
    if (client_->sessions != nullptr) client_->sessions->drop(client_->session_key);
    if (!alert_received_ || got_data_) return;
    const auto about = client_certificate_fault(alert_, client_cert_requested_, client_cert_sent_);
    fault_->client_cert_required = about == HandshakeFault::client_cert_required;
    fault_->client_cert_rejected = about == HandshakeFault::client_cert_rejected;
}

net::Layer::Result TlsLayer::end_result() const {
    if (end_ == End::end) return Result::done(0);
    return Result::failed(end_error_.value_or(net::Error{net::ErrorKind::layer}));
}

net::Layer::Result TlsLayer::read(std::span<char> into) {
    if (end_ != End::none || state_ == nullptr) return end_result();
    forget_errors();
    starved_ = false;
    size_t total = 0;
    while (total < into.size()) {
        size_t got = 0;
        const int returned =
            SSL_read_ex(state_.get(), into.data() + total, into.size() - total, &got);
        if (returned != 1) {
            note_read_failure(returned);
            break;
        }
        total += got;
        // More records may be here already; the socket has been asked once.
        if (!wire_.has_inbound() && SSL_pending(state_.get()) == 0) break;
        wire_.hold(true);
    }
    wire_.hold(false);
    if (total > 0) got_data_ = true;
    if (wire_.has_outbound()) wire_.flush();  // an alert, or the answer to a key update
    if (total > 0) return Result::done(total);
    return end_ == End::none ? Result::blocked() : end_result();
}

net::Layer::Result TlsLayer::flush_accepted() {
    switch (wire_.flush()) {
        case Wire::Flush::done:
            return Result::done(std::exchange(accepted_, 0));
        case Wire::Flush::blocked:
            return Result::blocked();
        case Wire::Flush::failed:
            break;
    }
    return Result::failed(*wire_.write_error());
}

net::Layer::Result TlsLayer::write(std::span<const iovec> parts) {
    if (accepted_ > 0) return flush_accepted();
    if (state_ == nullptr || end_ == End::failed) return end_result();
    if (wire_.write_error()) return Result::failed(*wire_.write_error());
    if (wire_.outbound_room() < kRecordRoom) {
        const Result flushed = flush_accepted();
        if (flushed.kind != Result::Kind::done) return flushed;
    }
    Records records(parts);
    forget_errors();
    while (wire_.outbound_room() >= kRecordRoom) {
        const std::span<const char> next = records.next();
        if (next.empty()) break;
        size_t taken = 0;
        if (SSL_write_ex(state_.get(), next.data(), next.size(), &taken) != 1) {
            // There is room, and nobody may renegotiate: it is no wait that it wants.
            note_fault();
            end_ = End::failed;
            break;
        }
        accepted_ += static_cast<uint32_t>(taken);
        records.taken(taken);
    }
    if (accepted_ == 0 && end_ == End::failed) return end_result();
    return flush_accepted();
}

bool TlsLayer::has_buffered() const {
    if (end_ != End::none || state_ == nullptr) return true;
    if (SSL_pending(state_.get()) > 0) return true;
    return !starved_ && (wire_.has_inbound() || SSL_has_pending(state_.get()) == 1);
}

bool TlsLayer::has_unread() {
    if (end_ != End::none || state_ == nullptr) return true;
    if (SSL_pending(state_.get()) > 0) return true;
    forget_errors();
    starved_ = false;
    wire_.look_again();
    char byte = 0;
    size_t got = 0;
    const int returned = SSL_peek_ex(state_.get(), &byte, 1, &got);
    const bool has_nothing = returned != 1 && note_read_failure(returned);
    if (wire_.has_outbound()) wire_.flush();
    return !has_nothing;
}

void TlsLayer::shutdown_write() {
    if (state_ == nullptr || !complete_ || told_end_ || fault_ != nullptr) return;
    told_end_ = true;
    forget_errors();
    SSL_shutdown(state_.get());
    ERR_clear_error();
    wire_.flush();
}

net::Layer::Broken TlsLayer::broken() const {
    if (fault_ == nullptr) return {};
    return {fault_->alert_number, fault_->detail};
}

void TlsLayer::close(bool abort) {
    if (state_ == nullptr) return;
    if (!abort) shutdown_write();
    // OpenSSL takes a session for unusable whose connection ended without close_notify.
    if (complete_ && fault_ == nullptr) {
        SSL_set_shutdown(state_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    wire_.drop_all();
    handshake_.reset();
    state_.reset();
    if (end_ == End::none) {
        end_ = End::failed;
        end_error_ = net::Error{net::ErrorKind::cancelled};
    }
}

}  // namespace edgecase::tls
