#include "tls/client_context.hpp"

#include "ip/endpoint.hpp"
#include "tls/tls_layer.hpp"

namespace edgecase::tls {
namespace {

constexpr unsigned char kBoth[] = "\x02h2\x08http/1.1";
constexpr unsigned char kHttp1[] = "\x08http/1.1";

std::string trust(SSL_CTX* context, const std::string& ca_file) {
    if (ca_file.empty()) {
        if (SSL_CTX_set_default_verify_paths(context) == 1) return {};
        return "cannot read the system's CA certificates: " + take_reason();
    }
    if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
        return "cannot read CA certificates from " + ca_file + ": " + take_reason();
    }
    // Whatever a person names is trusted, an intermediate or the origin's own certificate too.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    return {};
}

/// Whom the certificate must be for.
bool want_name(SSL* state, const std::string& name, bool is_address) {
    X509_VERIFY_PARAM* const wanted = SSL_get0_param(state);
    if (is_address) return X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) == 1;
    // The common name has not been one since RFC 6125; `*` stands for a whole label.
    X509_VERIFY_PARAM_set_hostflags(
        wanted, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(wanted, name.data(), name.size()) == 1;
}

}  // namespace

ClientContext::~ClientContext() {
    SSL_CTX_free(context_);
}

std::expected<std::shared_ptr<ClientContext>, std::string> ClientContext::create(
    const ClientOptions& options) {
    forget_errors();
    std::shared_ptr<ClientContext> made(new ClientContext);
    made->context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX* const context = made->context_;
    if (context == nullptr) return std::unexpected("cannot start OpenSSL: " + take_reason());
    made->sessions_ = std::make_shared<SessionCache>();
    made->verify_ = options.verify;
    made->offer_h2_ = options.offer_h2;
    set_common_options(context);
    TlsLayer::prepare_client(context);
    if (options.maximum_version != 0 &&
        SSL_CTX_set_max_proto_version(context, options.maximum_version) != 1) {
        return std::unexpected("OpenSSL does not know that TLS version");
    }
    if (options.verify) {
        if (std::string why = trust(context, options.ca_file); !why.empty()) {
            return std::unexpected(std::move(why));
        }
    } else {
        SSL_CTX_set_security_level(context, 0);
    }
    if (options.certificate_file.empty() != options.key_file.empty()) {
        return std::unexpected(options.key_file.empty()
                                   ? "the certificate " + options.certificate_file + " has no key"
                                   : "the key " + options.key_file + " has no certificate");
    }
    if (!options.certificate_file.empty()) {
        std::string why = use_files(context, options.certificate_file, options.key_file);
        if (!why.empty()) return std::unexpected(std::move(why));
    }
    return made;
}

std::expected<std::unique_ptr<TlsLayer>, std::string> ClientContext::open(
    net::Descriptor& descriptor, std::string name, std::string session_key, bool offer_h2) {
    if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
        name = name.substr(1, name.size() - 2);
    }
    const bool is_address = ip::Address::parse(name).has_value();
    if (!is_address && name.ends_with('.')) name.pop_back();  // RFC 6066: without the dot
    if (name.empty() || name.find('\0') != std::string::npos) {
        return std::unexpected("there is no name to verify");
    }
    forget_errors();
    Owned<SSL> state(SSL_new(context_));
    if (!state) return std::unexpected(take_reason());
    if (!is_address && SSL_set_tlsext_host_name(state.get(), name.c_str()) != 1) {
        return std::unexpected("`" + name + "` cannot be a server name: " + take_reason());
    }
    if (verify_ && !want_name(state.get(), name, is_address)) {
        return std::unexpected("`" + name + "` cannot be verified: " + take_reason());
    }
    const bool offers_both = offer_h2 && offer_h2_;
    SSL_set_alpn_protos(state.get(), offers_both ? kBoth : kHttp1,
                        static_cast<unsigned>(offers_both ? sizeof kBoth : sizeof kHttp1) - 1);
    TlsLayer::ClientSide side{
        .name = name,
        .is_address = is_address,
        .verifies = verify_,
        .sessions = sessions_,
        // A session vouches for the name that was verified, and for nothing else.
        .session_key = std::move(session_key) + '\n' + name + (offers_both ? "\nh2" : "\n"),
    };
    if (SSL_SESSION* const session = sessions_->find(side.session_key)) {
        SSL_set_session(state.get(), session);
    }
    return std::make_unique<TlsLayer>(descriptor, std::move(state), std::move(side));
}

size_t ClientContext::sessions() const {
    return sessions_->size();
}

}  // namespace edgecase::tls
