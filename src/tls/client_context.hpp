// Owns what the connections to origins share: trust, our certificate, sessions to resume.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

struct ssl_ctx_st;

namespace edgecase::net {
class Descriptor;
}

namespace edgecase::tls {

class SessionCache;
class TlsLayer;

struct ClientOptions {
    bool verify = true;              // false: any certificate will do, and weak ones too
    std::string ca_file{};           // trusted, instead of the system's store
    std::string certificate_file{};  // ours, if the origin asks; both or none
    std::string key_file{};
    bool offer_h2 = true;
    uint16_t maximum_version = 0;  // as on the wire; 0: the newest there is
};

/// Belongs to one thread. Connections may outlive it.
class ClientContext {
  public:
    /// Errors: a sentence that names the file and OpenSSL's reason.
    static std::expected<std::shared_ptr<ClientContext>, std::string> create(
        const ClientOptions& options);
    ClientContext(const ClientContext&) = delete;
    ClientContext& operator=(const ClientContext&) = delete;
    ~ClientContext();

    /// A fresh layer for a connection to `name`. Errors: a sentence.
    std::expected<std::unique_ptr<TlsLayer>, std::string> open(net::Descriptor& descriptor,
                                                               std::string name,
                                                               std::string session_key,
                                                               bool offer_h2);
    /// How many origins' sessions are kept.
    size_t sessions() const;

  private:
    ClientContext() = default;

    ssl_ctx_st* context_ = nullptr;
    std::shared_ptr<SessionCache> sessions_;
    bool verify_ = true;
    bool offer_h2_ = true;
};

}  // namespace edgecase::tls
