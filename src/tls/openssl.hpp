// Owns the owners of OpenSSL's objects, with its last error in words.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace edgecase::tls {

struct FreeOpenssl {
    void operator()(SSL* state) const { SSL_free(state); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(BIGNUM* number) const { BN_free(number); }
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
    void operator()(AUTHORITY_INFO_ACCESS* access) const { AUTHORITY_INFO_ACCESS_free(access); }
};
template <typename T>
using Owned = std::unique_ptr<T, FreeOpenssl>;

/// The reason of an OpenSSL error code in its words.
std::string reason_of(unsigned long code);
/// The reason of the first error in this thread's queue, which is emptied.
std::string take_reason();

/// The queue is the thread's: what another user of OpenSSL left there must not be taken for ours.
inline void forget_errors() {
    if (ERR_peek_error() != 0) ERR_clear_error();
}

/// Reads certificate, chain and key into `context`. Errors: a sentence that names the file.
std::string use_files(SSL_CTX* context, const std::string& certificate_file,
                      const std::string& key_file);

/// What both roles want of every connection.
void set_common_options(SSL_CTX* context);

}  // namespace edgecase::tls
