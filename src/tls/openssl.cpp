#include "tls/openssl.hpp"

#include <cstring>

namespace edgecase::tls {

std::string reason_of(unsigned long code) {
    if (code == 0) return {};
    if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
    const char* const reason = ERR_reason_error_string(code);
    return reason != nullptr ? reason : "OpenSSL error " + std::to_string(code);
}

std::string take_reason() {
    std::string reason = reason_of(ERR_peek_error());
    ERR_clear_error();
    return reason.empty() ? "unknown error" : reason;
}

std::string use_files(SSL_CTX* context, const std::string& certificate_file,
                      const std::string& key_file) {
    // Without this OpenSSL asks the terminal for the passphrase of an encrypted key.
    SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return 0; });
    forget_errors();
    if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
        return "cannot use the certificate " + certificate_file + ": " + take_reason();
    }
    if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        return "cannot use the key " + key_file + ": " + take_reason();
    }
    if (SSL_CTX_check_private_key(context) != 1) {
        return "the key " + key_file + " does not belong to the certificate " + certificate_file +
               ": " + take_reason();
    }
    return {};
}

void set_common_options(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

}  // namespace edgecase::tls
