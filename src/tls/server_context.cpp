#include "tls/server_context.hpp"

#include <algorithm>
#include <optional>

#include "tls/certificate_evidence.hpp"
#include "tls/tls_layer.hpp"

namespace edgecase::tls {
namespace {

constexpr size_t kMaxNames = 1000;  // of one certificate; public CAs sign up to 100

std::string lower(std::string_view name) {
    std::string text(name);
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (text.ends_with('.')) text.pop_back();
    return text;
}

/// One entry of a client's list, whose format OpenSSL has checked.
bool offers(std::string_view list, std::string_view wanted) {
    while (!list.empty()) {
        const auto size = static_cast<unsigned char>(list.front());
        if (list.substr(1, size) == wanted) return true;
        list.remove_prefix(std::min<size_t>(size_t{1} + size, list.size()));
    }
    return false;
}

}  // namespace

/// The functions that OpenSSL calls.
struct ServerHooks {
    static int name(SSL* state, int* /*alert*/, void* argument) {
        const auto& context = *static_cast<const ServerContext*>(argument);
        const char* const name = SSL_get_servername(state, TLSEXT_NAMETYPE_host_name);
        if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
        SSL_CTX* const chosen = context.choose(name);
        if (chosen == nullptr) return SSL_TLSEXT_ERR_NOACK;
        SSL_set_SSL_CTX(state, chosen);
        return SSL_TLSEXT_ERR_OK;
    }

    static int alpn(SSL* /*state*/, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void* argument) {
        const auto& context = *static_cast<const ServerContext*>(argument);
        const std::string_view list(reinterpret_cast<const char*>(offered), offered_size);
        const auto choose = [&](std::string_view name) {
            if (!offers(list, name)) return false;
            *chosen = reinterpret_cast<const unsigned char*>(name.data());
            *chosen_size = static_cast<unsigned char>(name.size());
            return true;
        };
        if (context.offer_h2_ && choose("h2")) return SSL_TLSEXT_ERR_OK;
        if (choose("http/1.1")) return SSL_TLSEXT_ERR_OK;
        return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 section 3.2
    }
};

ServerContext::~ServerContext() {
    for (SSL_CTX* const context : contexts_) SSL_CTX_free(context);
}

std::expected<std::shared_ptr<ServerContext>, std::string> ServerContext::create(
    std::span<const ServerCertificate> certificates, bool offer_h2) {
    if (certificates.empty()) return std::unexpected("there is no certificate to serve TLS with");
    forget_errors();
    std::shared_ptr<ServerContext> made(new ServerContext);
    made->offer_h2_ = offer_h2;
    for (const ServerCertificate& files : certificates) {
        SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
        if (context == nullptr) return std::unexpected("cannot start OpenSSL: " + take_reason());
        made->contexts_.push_back(context);
        set_common_options(context);
        SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets need none
        constexpr unsigned char kUse[] = "edgecase";
        SSL_CTX_set_session_id_context(context, kUse, sizeof kUse - 1);
        std::string why = use_files(context, files.certificate_file, files.key_file);
        if (!why.empty()) return std::unexpected(std::move(why));
        SSL_CTX_set_tlsext_servername_callback(context, ServerHooks::name);
        SSL_CTX_set_tlsext_servername_arg(context, made.get());
        SSL_CTX_set_alpn_select_cb(context, ServerHooks::alpn, made.get());
        made->add_names(context);
    }
    return made;
}

void ServerContext::add_names(SSL_CTX* context) {
    for (const std::string& name : names_of(SSL_CTX_get0_certificate(context), kMaxNames)) {
        std::string wanted = lower(name);
        if (wanted.starts_with("*.")) {
            wildcard_.try_emplace(wanted.substr(2), context);
        } else {
            exact_.try_emplace(std::move(wanted), context);
        }
    }
}

SSL_CTX* ServerContext::choose(std::string_view name) const {
    const std::string wanted = lower(name);
    if (const auto found = exact_.find(wanted); found != exact_.end()) return found->second;
    const size_t dot = wanted.find('.');
    if (dot == std::string::npos) return nullptr;
    const auto found = wildcard_.find(wanted.substr(dot + 1));
    return found != wildcard_.end() ? found->second : nullptr;
}

std::unique_ptr<TlsLayer> ServerContext::open(net::Descriptor& descriptor) const {
    forget_errors();
    Owned<SSL> state(SSL_new(contexts_.front()));
    if (!state) return nullptr;
    return std::make_unique<TlsLayer>(descriptor, std::move(state));
}

}  // namespace edgecase::tls
