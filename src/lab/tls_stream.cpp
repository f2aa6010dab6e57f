#include "lab/tls_stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

#include "lab/certificates.hpp"

namespace edgecase::lab {
namespace {

constexpr size_t kReadBytes = 16ULL * 1024;

/// `offered` is a list of names, each with its length before it.
bool offers(std::string_view offered, std::string_view name) {
    while (!offered.empty()) {
        const auto length = static_cast<uint8_t>(offered.front());
        if (offered.substr(1, length) == name) return true;
        offered.remove_prefix(std::min(offered.size(), size_t{1} + length));
    }
    return false;
}

int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned in_size, void* argument) {
    const auto& port = *static_cast<const TlsPort*>(argument);
    const std::string_view offered(reinterpret_cast<const char*>(in), in_size);
    const bool takes_http1 = port.alpn == Alpn::h2 || port.alpn == Alpn::http1;
    std::string_view chosen;
    if (port.takes_h2() && offers(offered, "h2")) {
        chosen = "h2";
    } else if (takes_http1 && offers(offered, "http/1.1")) {
        chosen = "http/1.1";
    } else {
        return takes_http1 ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = reinterpret_cast<const unsigned char*>(chosen.data());
    *out_size = static_cast<unsigned char>(chosen.size());
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace

void FreeSsl::operator()(ssl_ctx_st* context) const {
    SSL_CTX_free(context);
}

void FreeSsl::operator()(ssl_st* state) const {
    SSL_free(state);
}

TlsContext tls_context(const TlsPort& port, const Certificates& certificates) {
    TlsContext context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* const made = context.get();
    SSL_CTX_set_security_level(made, 0);  // the lab may be as weak as a scenario wants
    const Identity& identity = certificates.identity(port.certificate);
    SSL_CTX_use_certificate(made, identity.leaf.get());
    SSL_CTX_use_PrivateKey(made, identity.key.get());
    for (const auto& above : identity.chain) SSL_CTX_add1_chain_cert(made, above.get());
    SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(made, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(made), certificates.root());
    // OpenSSL's signature is not const; the port is not changed.
    SSL_CTX_set_alpn_select_cb(made, select_protocol, const_cast<TlsPort*>(&port));
    if (port.configure != nullptr) port.configure(made);
    ERR_clear_error();
    return context;
}

TlsStream::TlsStream(ssl_ctx_st* context) : state_(SSL_new(context)) {
    BIO* const in = BIO_new(BIO_s_mem());
    BIO* const out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(state_.get(), in, out);
    SSL_set_accept_state(state_.get());
}

TlsStream::Handshake TlsStream::handshake() {
    ERR_clear_error();
    const int result = SSL_do_handshake(state_.get());
    if (result == 1) return Handshake::done;
    const int error = SSL_get_error(state_.get(), result);
    return error == SSL_ERROR_WANT_READ ? Handshake::wants_input : Handshake::failed;
}

void TlsStream::feed(std::string_view bytes) {
    BIO_write(SSL_get_rbio(state_.get()), bytes.data(), static_cast<int>(bytes.size()));
}

bool TlsStream::open(std::string& plain) {
    std::array<char, kReadBytes> buffer;
    while (true) {
        ERR_clear_error();
        const int got = SSL_read(state_.get(), buffer.data(), static_cast<int>(buffer.size()));
        if (got <= 0) return SSL_get_error(state_.get(), got) == SSL_ERROR_WANT_READ;
        plain.append(buffer.data(), static_cast<size_t>(got));
    }
}

std::string TlsStream::seal(std::string_view plain) {
    while (!plain.empty()) {
        ERR_clear_error();
        const int taken = SSL_write(state_.get(), plain.data(),
                                    static_cast<int>(std::min(plain.size(), kReadBytes)));
        if (taken <= 0) break;
        plain.remove_prefix(static_cast<size_t>(taken));
    }
    return take_output();
}

std::string TlsStream::close_notify() {
    ERR_clear_error();
    SSL_shutdown(state_.get());
    return take_output();
}

std::string TlsStream::take_output() {
    BIO* const out = SSL_get_wbio(state_.get());
    std::string bytes(BIO_ctrl_pending(out), '\0');
    if (!bytes.empty()) BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
}

std::string_view TlsStream::alpn() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(state_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

}  // namespace edgecase::lab
