// Owns the certificates that the tests of this room make, and the files they lie in.
#pragma once

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "tls/openssl.hpp"

namespace edgecase::tls {

struct Identity {
    Owned<EVP_PKEY> key;
    Owned<X509> certificate;
    std::vector<X509*> chain{};  // sent after it, borrowed
};

struct Wish {
    std::string subject = "lab.test";
    std::string names = "DNS:lab.test,DNS:*.wild.test,IP:127.0.0.1";
    bool is_authority = false;
    long first_day = -1;
    long last_day = 30;
    int rsa_bits = 0;  // 0: P-256
    const char* purpose = "serverAuth";
    const EVP_MD* digest = EVP_sha256();
    bool names_issuer = false;
    bool has_unknown_extension = false;
};

inline void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    X509_add_ext(certificate, made, -1);
    X509_EXTENSION_free(made);
}

/// Signed by `by`, or by itself.
inline Identity issue(const Wish& wish, const Identity* by = nullptr) {
    Identity made;
    made.key.reset(wish.rsa_bits > 0 ? EVP_RSA_gen(static_cast<unsigned>(wish.rsa_bits))
                                     : EVP_EC_gen("P-256"));
    made.certificate.reset(X509_new());
    X509* const certificate = made.certificate.get();
    static long serial = 0x1000;
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), wish.first_day * 86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), wish.last_day * 86400);
    X509_set_pubkey(certificate, made.key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wish.subject.c_str()), -1, -1,
                               0);
    X509* const issuer = by != nullptr ? by->certificate.get() : certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    extend(certificate, issuer, NID_subject_key_identifier, "hash");
    extend(certificate, issuer, NID_authority_key_identifier, "keyid");
    extend(certificate, issuer, NID_basic_constraints,
           wish.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!wish.is_authority) extend(certificate, issuer, NID_ext_key_usage, wish.purpose);
    if (!wish.names.empty() && !wish.is_authority) {
        extend(certificate, issuer, NID_subject_alt_name, wish.names);
    }
    if (wish.names_issuer) {
        extend(certificate, issuer, NID_info_access, "caIssuers;URI:http://ca.test/issuer.der");
    }
    if (wish.has_unknown_extension) {
        ASN1_OBJECT* const id = OBJ_txt2obj("1.3.6.1.4.1.32473.1", 1);  // RFC 5612
        ASN1_OCTET_STRING* const value = ASN1_OCTET_STRING_new();
        ASN1_OCTET_STRING_set(value, reinterpret_cast<const unsigned char*>("\x05\x00"), 2);
        X509_EXTENSION* const extension = X509_EXTENSION_create_by_OBJ(nullptr, id, 1, value);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
        ASN1_OCTET_STRING_free(value);
        ASN1_OBJECT_free(id);
    }
    X509_sign(certificate, by != nullptr ? by->key.get() : made.key.get(), wish.digest);
    return made;
}

/// A root, an intermediate below it, and a server's and a client's certificate below that.
struct Authority {
    Authority() {
        good.chain = {middle.certificate.get()};
        client.chain = {middle.certificate.get()};
    }
    /// Below the intermediate, which is sent.
    Identity leaf(const Wish& wish) const {
        Identity made = issue(wish, &middle);
        made.chain = {middle.certificate.get()};
        return made;
    }
    Identity root = issue({.subject = "Test Root", .is_authority = true});
    Identity middle = issue({.subject = "Test Intermediate", .is_authority = true}, &root);
    Identity good = issue({.names_issuer = true}, &middle);
    Identity client = issue({.subject = "edge", .names = "", .purpose = "clientAuth"}, &middle);
    Identity stranger_root = issue({.subject = "Strange Root", .is_authority = true});
    Identity stranger =
        issue({.subject = "edge", .names = "", .purpose = "clientAuth"}, &stranger_root);
};

class Folder {
  public:
    Folder() {
        path_ = (std::filesystem::temp_directory_path() / "edgecase-tls-XXXXXX").string();
        if (mkdtemp(path_.data()) == nullptr) path_.clear();
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }

    std::string path(const std::string& name) const { return path_ + "/" + name; }
    /// NAME.pem with the chain, NAME-key.pem.
    void write(const std::string& name, const Identity& identity) const {
        std::FILE* file = std::fopen(path(name + ".pem").c_str(), "w");
        PEM_write_X509(file, identity.certificate.get());
        for (X509* const above : identity.chain) PEM_write_X509(file, above);
        std::fclose(file);
        file = std::fopen(path(name + "-key.pem").c_str(), "w");
        PEM_write_PrivateKey(file, identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(file);
    }

  private:
    std::string path_;
};

/// A server that may be wrong in any way.
inline Owned<SSL_CTX> raw_server(const Identity& identity) {
    Owned<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_use_certificate(context.get(), identity.certificate.get());
    for (X509* const above : identity.chain) SSL_CTX_add1_chain_cert(context.get(), above);
    SSL_CTX_use_PrivateKey(context.get(), identity.key.get());
    constexpr unsigned char kUse[] = "test";
    SSL_CTX_set_session_id_context(context.get(), kUse, 4);
    return context;
}

}  // namespace edgecase::tls
