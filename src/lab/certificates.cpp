#include "lab/certificates.hpp"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "lab/socket.hpp"

namespace edgecase::lab {
namespace {

constexpr long kDaySeconds = 24L * 60 * 60;
constexpr int kWeakRsaBits = 1024;

/// What a certificate says.
struct Wish {
    std::string subject;
    std::string names = {};  // as subjectAltName; empty: none
    const char* purpose = "serverAuth";
    bool is_authority = false;
    long first_day = -1;  // from today
    long last_day = 365;
    const EVP_MD* digest = EVP_sha256();
    bool has_unknown_extension = false;
};

struct Authority {
    X509* certificate;
    EVP_PKEY* key;
};

KeyPointer ec_key() {
    return KeyPointer(EVP_EC_gen("P-256"));
}

KeyPointer rsa_key(int bits) {
    return KeyPointer(EVP_RSA_gen(static_cast<unsigned>(bits)));
}

CertificatePointer shared(const CertificatePointer& certificate) {
    X509_up_ref(certificate.get());
    return CertificatePointer(certificate.get());
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

void add_unknown_extension(X509* certificate) {
    ASN1_OBJECT* const name = OBJ_txt2obj("1.3.6.1.4.1.32473.1", 1);  // RFC 5612: for examples
    ASN1_OCTET_STRING* const value = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(value, reinterpret_cast<const unsigned char*>("\x05\x00"), 2);
    X509_EXTENSION* const extension = X509_EXTENSION_create_by_OBJ(nullptr, name, 1, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(name);
}

/// A certificate for `key`, signed by `by`; by itself when that has no certificate.
CertificatePointer issue(const Wish& wish, EVP_PKEY* key, Authority by) {
    CertificatePointer certificate(X509_new());
    X509* const made = certificate.get();
    X509_set_version(made, X509_VERSION_3);
    uint64_t serial = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), serial >> 1 | 1);
    X509_gmtime_adj(X509_getm_notBefore(made), wish.first_day * kDaySeconds);
    X509_gmtime_adj(X509_getm_notAfter(made), wish.last_day * kDaySeconds);
    X509_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wish.subject.c_str()), -1, -1,
                               0);
    X509* const issuer = by.certificate == nullptr ? made : by.certificate;
    X509_set_issuer_name(made, X509_get_subject_name(issuer));

    extend(made, issuer, NID_subject_key_identifier, "hash");
    extend(made, issuer, NID_authority_key_identifier, "keyid");
    extend(made, issuer, NID_basic_constraints,
           wish.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    extend(made, issuer, NID_key_usage,
           wish.is_authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
    if (!wish.is_authority) extend(made, issuer, NID_ext_key_usage, wish.purpose);
    if (!wish.names.empty()) extend(made, issuer, NID_subject_alt_name, wish.names);
    if (!wish.is_authority && issuer != made) {
        extend(made, issuer, NID_info_access, "caIssuers;URI:http://ca.lab.test/issuer.der");
    }
    if (wish.has_unknown_extension) add_unknown_extension(made);
    X509_sign(made, by.key == nullptr ? key : by.key, wish.digest);
    return certificate;
}

std::string good_names(const ip::Address& address) {
    std::string names = "DNS:localhost,DNS:lab.test,DNS:*.lab.test,IP:127.0.0.1,IP:::1";
    if (!address.is_unspecified()) names += ",IP:" + address.to_string();
    return names;
}

using File = std::unique_ptr<FILE, int (*)(FILE*)>;

File create(const std::string& path) {
    return {std::fopen(path.c_str(), "wx"), std::fclose};
}

bool write_chain(const std::string& path, X509* leaf,
                 const std::vector<CertificatePointer>& chain) {
    const File file = create(path);
    if (!file || PEM_write_X509(file.get(), leaf) != 1) return false;
    for (const auto& above : chain) {
        if (PEM_write_X509(file.get(), above.get()) != 1) return false;
    }
    return std::fflush(file.get()) == 0;
}

bool write_key(const std::string& path, EVP_PKEY* key) {
    const File file = create(path);
    return file &&
           PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1 &&
           std::fflush(file.get()) == 0;
}

}  // namespace

Certificates::Certificates(const ip::Address& address) {
    const KeyPointer root_key = ec_key();
    root_ = issue({.subject = "Edgecase Lab Root CA", .is_authority = true}, root_key.get(), {});
    const KeyPointer middle_key = ec_key();
    const Wish middle_wish{.subject = "Edgecase Lab Intermediate CA", .is_authority = true};
    const Authority root{root_.get(), root_key.get()};
    const auto middle = issue(middle_wish, middle_key.get(), root);
    const Authority by{middle.get(), middle_key.get()};

    const auto add = [&](Certificate which, const Wish& wish, KeyPointer key = ec_key()) {
        Identity& made = identities_[static_cast<size_t>(which)];
        made.leaf = issue(wish, key.get(), by);
        made.key = std::move(key);
        made.chain.push_back(shared(middle));
    };
    const std::string names = good_names(address);
    const Wish good{.subject = "lab.test", .names = names};
    add(Certificate::good, good);
    add(Certificate::weak_key, good, rsa_key(kWeakRsaBits));
    add(Certificate::incomplete_chain, good);
    identities_[static_cast<size_t>(Certificate::incomplete_chain)].chain.clear();

    Wish wish = good;
    wish.first_day = -100;
    wish.last_day = -10;
    add(Certificate::expired, wish);
    wish = good;
    wish.first_day = 10;
    add(Certificate::not_yet_valid, wish);
    wish = good;
    wish.names = "DNS:other.example";
    add(Certificate::wrong_name, wish);
    wish = {.subject = address.to_string()};
    add(Certificate::common_name_only, wish);
    wish = good;
    wish.digest = EVP_sha1();
    add(Certificate::weak_signature, wish);
    wish = good;
    wish.purpose = "clientAuth";
    add(Certificate::bad_purpose, wish);
    wish = good;
    wish.has_unknown_extension = true;
    add(Certificate::unknown_extension, wish);

    // Those that the good intermediate did not sign.
    const auto put = [&](Certificate which, EVP_PKEY* key, Authority signer,
                         const std::vector<const CertificatePointer*>& chain) {
        Identity& made = identities_[static_cast<size_t>(which)];
        made.leaf = issue(good, key, signer);
        EVP_PKEY_up_ref(key);
        made.key.reset(key);
        for (const auto* above : chain) made.chain.push_back(shared(*above));
    };
    const KeyPointer leaf_key = ec_key();
    put(Certificate::self_signed, leaf_key.get(), {}, {});
    Wish old = middle_wish;
    old.first_day = -100;
    old.last_day = -10;
    const auto old_middle = issue(old, middle_key.get(), root);
    put(Certificate::expired_intermediate, leaf_key.get(), {old_middle.get(), middle_key.get()},
        {&old_middle});
    const KeyPointer other_key = ec_key();
    const auto other_root =
        issue({.subject = "Somebody Else's Root CA", .is_authority = true}, other_key.get(), {});
    const Authority other{other_root.get(), other_key.get()};
    put(Certificate::unknown_ca, leaf_key.get(), other, {&other_root});
    const auto other_middle =
        issue({.subject = "Somebody Else's Intermediate CA", .is_authority = true},
              middle_key.get(), other);
    put(Certificate::unknown_ca_no_root, leaf_key.get(), {other_middle.get(), middle_key.get()},
        {&other_middle});

    client_.key = ec_key();
    client_.leaf =
        issue({.subject = "edge.lab.test", .purpose = "clientAuth"}, client_.key.get(), by);
    client_.chain.push_back(shared(middle));
    stranger_.key = ec_key();
    stranger_.leaf =
        issue({.subject = "edge.lab.test", .purpose = "clientAuth"}, stranger_.key.get(), other);
}

std::expected<void, std::string> CertificateFiles::write(const Certificates& certificates) {
    std::error_code error;
    std::string wanted =
        (std::filesystem::temp_directory_path(error) / "edgecase-lab-XXXXXX").string();
    if (mkdtemp(wanted.data()) == nullptr) {
        return std::unexpected(fmt::format("cannot make a directory {}: {}", wanted, last_error()));
    }
    directory_ = wanted;
    const Identity& client = certificates.client();
    const Identity& stranger = certificates.stranger();
    if (write_chain(directory_ + "/ca.pem", certificates.root(), {}) &&
        write_chain(directory_ + "/client.pem", client.leaf.get(), client.chain) &&
        write_key(directory_ + "/client-key.pem", client.key.get()) &&
        write_chain(directory_ + "/stranger.pem", stranger.leaf.get(), stranger.chain) &&
        write_key(directory_ + "/stranger-key.pem", stranger.key.get())) {
        return {};
    }
    return std::unexpected(
        fmt::format("cannot write certificates into {}: {}", directory_, last_error()));
}

CertificateFiles::~CertificateFiles() {
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

}  // namespace edgecase::lab
