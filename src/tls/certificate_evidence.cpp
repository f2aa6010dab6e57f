#include "tls/certificate_evidence.hpp"

#include <openssl/ec.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string_view>

#include "base/escape.hpp"
#include "ip/endpoint.hpp"
#include "tls/openssl.hpp"

namespace edgecase::tls {
namespace {

constexpr int64_t kDaySeconds = 24 * 60 * 60;

std::string cut(std::string text) {
    if (text.size() > CertificateFacts::kMaxText) {
        text.resize(CertificateFacts::kMaxText - 3);
        text += "...";
    }
    return text;
}

std::string text_of(X509_NAME* name) {
    const Owned<BIO> memory(BIO_new(BIO_s_mem()));
    // RFC 2253 escapes control characters and all that is not ASCII.
    if (!memory || X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
    char* text = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &text);
    if (size <= 0) return {};
    return cut({text, static_cast<size_t>(size)});
}

std::string serial_of(X509* certificate) {
    const Owned<BIGNUM> number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
    if (!number) return {};
    char* const hex = BN_bn2hex(number.get());
    if (hex == nullptr) return {};
    std::string text = cut(hex);
    OPENSSL_free(hex);
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

std::optional<std::tm> utc_of(const ASN1_TIME* time) {
    std::tm utc{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &utc) != 1) return std::nullopt;
    return utc;
}

std::string iso_8601(const std::tm& utc) {
    std::array<char, 80> text{};
    const int size = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02dZ",
                                   utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                                   utc.tm_min, utc.tm_sec);
    return {text.data(), static_cast<size_t>(std::max(size, 0))};
}

int64_t days_between(base::WallTime now, std::tm until) {
    const int64_t now_seconds =
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    const int64_t seconds = static_cast<int64_t>(timegm(&until)) - now_seconds;
    const int64_t days = seconds / kDaySeconds;
    return seconds < 0 ? std::min<int64_t>(days, -1) : days;
}

std::string key_of(X509* certificate) {
    EVP_PKEY* const key = X509_get0_pubkey(certificate);
    if (key == nullptr) {
        forget_errors();
        return "unknown";
    }
    const int type = EVP_PKEY_get_base_id(key);
    if (type == EVP_PKEY_EC) {
        std::array<char, 64> group{};
        size_t size = 0;
        if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) != 1) return "EC";
        const char* const nist = EC_curve_nid2nist(OBJ_txt2nid(group.data()));
        return std::string("EC ") + (nist != nullptr ? nist : group.data());
    }
    const char* const name = OBJ_nid2sn(type);
    std::string text = type == EVP_PKEY_RSA ? "RSA" : name != nullptr ? name : "unknown";
    if (type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448) return text;
    return text + " " + std::to_string(EVP_PKEY_get_bits(key));
}

std::string_view bytes_of(const ASN1_STRING* string) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
            static_cast<size_t>(ASN1_STRING_length(string))};
}

std::string name_of(const GENERAL_NAME* name) {
    if (name->type == GEN_DNS) return cut(base::escape(bytes_of(name->d.dNSName)));
    if (name->type != GEN_IPADD) return {};
    const std::string_view raw = bytes_of(name->d.iPAddress);
    std::array<uint8_t, 16> bytes{};
    if (raw.size() != 4 && raw.size() != bytes.size()) return {};
    std::ranges::copy(raw, bytes.begin());
    if (raw.size() == bytes.size()) return ip::Address::v6(bytes).to_string();
    uint32_t host_order = 0;
    for (size_t i = 0; i < 4; ++i) host_order = host_order << 8 | bytes[i];
    return ip::Address::v4(host_order).to_string();
}

template <typename T>
Owned<T> extension_of(X509* certificate, int nid) {
    return Owned<T>(static_cast<T*>(X509_get_ext_d2i(certificate, nid, nullptr, nullptr)));
}

}  // namespace

std::vector<std::string> names_of(X509* certificate, size_t limit) {
    std::vector<std::string> names;
    const auto all = extension_of<GENERAL_NAMES>(certificate, NID_subject_alt_name);
    forget_errors();
    if (!all) return names;
    for (int i = 0; i < sk_GENERAL_NAME_num(all.get()) && names.size() < limit; ++i) {
        std::string name = name_of(sk_GENERAL_NAME_value(all.get(), i));
        if (!name.empty()) names.push_back(std::move(name));
    }
    return names;
}

bool names_its_issuer(X509* certificate) {
    const auto access = extension_of<AUTHORITY_INFO_ACCESS>(certificate, NID_info_access);
    forget_errors();
    if (!access) return false;
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access.get()); ++i) {
        const ACCESS_DESCRIPTION* const entry = sk_ACCESS_DESCRIPTION_value(access.get(), i);
        if (OBJ_obj2nid(entry->method) == NID_ad_ca_issuers) return true;
    }
    return false;
}

CertificateFacts facts_of(X509* certificate, base::WallTime now) {
    CertificateFacts facts;
    facts.subject = text_of(X509_get_subject_name(certificate));
    facts.issuer = text_of(X509_get_issuer_name(certificate));
    facts.serial = serial_of(certificate);
    facts.names = names_of(certificate, CertificateFacts::kMaxNames);
    if (const auto begin = utc_of(X509_get0_notBefore(certificate))) {
        facts.not_before = iso_8601(*begin);
    }
    if (const auto end = utc_of(X509_get0_notAfter(certificate))) {
        facts.not_after = iso_8601(*end);
        facts.days_left = days_between(now, *end);
    }
    facts.key = key_of(certificate);
    const char* const signature = OBJ_nid2ln(X509_get_signature_nid(certificate));
    facts.signature = signature != nullptr ? signature : "unknown";
    forget_errors();
    return facts;
}

}  // namespace edgecase::tls
