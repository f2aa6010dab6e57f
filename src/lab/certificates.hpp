// Owns the certificates that a lab makes at its start, with their keys and files.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "ip/endpoint.hpp"
#include "lab/tls_port.hpp"

namespace edgecase::lab {

struct FreeOpenssl {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using CertificatePointer = std::unique_ptr<X509, FreeOpenssl>;
using KeyPointer = std::unique_ptr<EVP_PKEY, FreeOpenssl>;

struct Identity {
    KeyPointer key;
    CertificatePointer leaf;
    std::vector<CertificatePointer> chain;  // sent after the leaf
};

class Certificates {
  public:
    /// `address` becomes one of the good names. Takes some ten milliseconds.
    explicit Certificates(const ip::Address& address);

    const Identity& identity(Certificate which) const {
        return identities_[static_cast<size_t>(which)];
    }
    X509* root() const { return root_.get(); }
    const Identity& client() const { return client_; }      // signed below root()
    const Identity& stranger() const { return stranger_; }  // signed by somebody else

  private:
    std::array<Identity, kCertificates> identities_;
    CertificatePointer root_;
    Identity client_;
    Identity stranger_;
};

/// A directory with what an edge needs, removed with this object: ca.pem, and as client
/// certificates client.pem with client-key.pem, stranger.pem with stranger-key.pem.
class CertificateFiles {
  public:
    CertificateFiles() = default;
    CertificateFiles(const CertificateFiles&) = delete;
    CertificateFiles& operator=(const CertificateFiles&) = delete;
    ~CertificateFiles();

    /// Errors: a sentence that names the file.
    std::expected<void, std::string> write(const Certificates& certificates);

    const std::string& directory() const { return directory_; }

  private:
    std::string directory_;
};

}  // namespace edgecase::lab
