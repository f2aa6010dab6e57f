// Owns what the TLS sessions of clients share: certificates by name, ticket keys.
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace edgecase::net {
class Descriptor;
}

namespace edgecase::tls {

class TlsLayer;

struct ServerCertificate {
    std::string certificate_file, key_file;  // PEM; the chain follows the leaf
};

/// One object serves all threads: nothing in it changes after create(), and OpenSSL allows SSL_new
/// on one SSL_CTX from many. So every worker opens the tickets of every other. Must outlive the
/// handshakes.
class ServerContext {
  public:
    /// A client's server name chooses: the certificate with exactly that name, else one with a
    /// wildcard for it, else the first of `certificates`. Of several with one name the first wins.
    /// Errors: a sentence that names the file and OpenSSL's reason.
    static std::expected<std::shared_ptr<ServerContext>, std::string> create(
        std::span<const ServerCertificate> certificates, bool offer_h2);
    ServerContext(const ServerContext&) = delete;
    ServerContext& operator=(const ServerContext&) = delete;
    ~ServerContext();

    /// A fresh layer for a client's connection. Null: out of memory.
    std::unique_ptr<TlsLayer> open(net::Descriptor& descriptor) const;

  private:
    ServerContext() = default;
    friend struct ServerHooks;
    ssl_ctx_st* choose(std::string_view name) const;
    void add_names(ssl_ctx_st* context);

    std::vector<ssl_ctx_st*> contexts_;
    std::unordered_map<std::string, ssl_ctx_st*> exact_;
    std::unordered_map<std::string, ssl_ctx_st*> wildcard_;  // by what follows `*.`
    bool offer_h2_ = true;
};

}  // namespace edgecase::tls
