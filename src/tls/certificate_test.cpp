#include "tls/test_pair.hpp"

namespace edgecase::tls {
namespace {

class CertificateTest : public TlsTest {
  protected:
    HandshakeError judged(const Wish& wish, const std::string& name = "lab.test") {
        const Identity identity = authority().leaf(wish);
        return judged(identity, name);
    }
    HandshakeError judged(const Identity& identity, const std::string& name = "lab.test") {
        const auto raw = raw_server(identity);
        accepts_without_verification(raw.get());
        return error_of(raw.get(), {}, name);
    }
    void accepts_without_verification(SSL_CTX* context) {
        const auto from = client({.verify = false});
        run([&]() -> net::Task<void> {
            Pair pair = co_await make_pair();
            const Both both = co_await shake(pair, *from, context);
            EXPECT_TRUE(both.client) << both.client.error().detail;
        });
    }
};

TEST_F(CertificateTest, dates_are_judged_first) {
    const HandshakeError expired =
        judged({.names = "DNS:other.test", .first_day = -40, .last_day = -10});
    EXPECT_EQ(expired.fault, HandshakeFault::cert_expired);
    EXPECT_EQ(expired.facts.certificate->days_left, -10);
    EXPECT_EQ(expired.alert, "certificate_expired");
    EXPECT_FALSE(expired.alert_received);
    EXPECT_EQ(expired.detail, "certificate has expired");
    EXPECT_EQ(expired.facts.version, "TLSv1.3");
    EXPECT_EQ(expired.wanted_name, "lab.test");
    EXPECT_EQ(judged({.first_day = 10}).fault, HandshakeFault::cert_not_yet_valid);
    const Identity old_middle = issue(
        {.subject = "Old Intermediate", .is_authority = true, .first_day = -40, .last_day = -10},
        &authority().root);
    Identity below = issue({}, &old_middle);
    below.chain = {old_middle.certificate.get()};
    const HandshakeError chain = judged(below);
    EXPECT_EQ(chain.fault, HandshakeFault::cert_expired);
    EXPECT_EQ(chain.facts.certificate->depth, 1u);
    EXPECT_EQ(chain.facts.certificate->subject, "CN=Old Intermediate");
    EXPECT_EQ(chain.facts.certificate->names.front(), "lab.test") << "those of the leaf";
}

TEST_F(CertificateTest, a_missing_issuer_has_four_names) {
    EXPECT_EQ(judged(issue({})).fault, HandshakeFault::cert_self_signed);
    Identity with_root = issue({}, &authority().stranger_root);
    with_root.chain = {authority().stranger_root.certificate.get()};
    const HandshakeError whole = judged(with_root);
    EXPECT_EQ(whole.fault, HandshakeFault::cert_unknown_ca);
    EXPECT_EQ(whole.alert, "unknown_ca");
    EXPECT_EQ(whole.facts.certificate->chain_length, 2u);
    const Identity middle = issue({.subject = "Strange Intermediate", .is_authority = true},
                                  &authority().stranger_root);
    Identity without_root = issue({.names_issuer = true}, &middle);
    without_root.chain = {middle.certificate.get()};
    EXPECT_EQ(judged(without_root).fault, HandshakeFault::cert_unknown_ca);
    // A private root that signs leaves itself names no place to fetch it from.
    EXPECT_EQ(judged(issue({}, &authority().stranger_root)).fault, HandshakeFault::cert_unknown_ca);
    const Identity alone = issue({.names_issuer = true}, &authority().middle);
    const HandshakeError incomplete = judged(alone);
    EXPECT_EQ(incomplete.fault, HandshakeFault::cert_incomplete_chain);
    EXPECT_EQ(incomplete.facts.certificate->chain_length, 1u);
    EXPECT_EQ(incomplete.facts.certificate->issuer, "CN=Test Intermediate");
}

TEST_F(CertificateTest, weak_keys_and_signatures_are_weak) {
    const HandshakeError key = judged({.rsa_bits = 1024});
    EXPECT_EQ(key.fault, HandshakeFault::cert_weak);
    EXPECT_EQ(key.facts.certificate->key, "RSA 1024");
    const HandshakeError digest = judged({.digest = EVP_sha1()});
    EXPECT_EQ(digest.fault, HandshakeFault::cert_weak);
    EXPECT_EQ(digest.facts.certificate->signature, "ecdsa-with-SHA1");
}

TEST_F(CertificateTest, purpose_name_and_the_rest) {
    EXPECT_EQ(judged({.purpose = "clientAuth"}).fault, HandshakeFault::cert_bad_purpose);
    const HandshakeError name = judged({.names = "DNS:other.test,IP:::1"});
    EXPECT_EQ(name.fault, HandshakeFault::cert_name);
    EXPECT_EQ(name.facts.certificate->names, (std::vector<std::string>{"other.test", "::1"}));
    EXPECT_EQ(judged({.names = ""}).fault, HandshakeFault::cert_name) << "the common name is none";
    EXPECT_EQ(judged(Wish{}, "127.0.0.2").fault, HandshakeFault::cert_name);
    EXPECT_EQ(judged(Wish{}, "a.b.wild.test").fault, HandshakeFault::cert_name);
    const HandshakeError other = judged({.has_unknown_extension = true});
    EXPECT_EQ(other.fault, HandshakeFault::cert_invalid);
    EXPECT_EQ(other.detail, "unhandled critical extension");
}

TEST_F(CertificateTest, a_good_certificate_is_for_its_names_and_addresses) {
    const auto raw = raw_server(authority().good);
    const auto from = client();
    run([&]() -> net::Task<void> {
        for (const std::string name :
             {"lab.test", "LAB.test", "lab.test.", "x.wild.test", "127.0.0.1"}) {
            Pair pair = co_await make_pair();
            const Both both = co_await shake(pair, *from, raw.get(), name);
            EXPECT_TRUE(both.client) << name;
            if (!both.client) continue;
            EXPECT_EQ(both.client->sni.empty(), name == "127.0.0.1");
        }
    });
}

TEST_F(CertificateTest, a_certificate_that_is_named_itself_is_trusted) {
    const Identity own = issue({});
    folder.write("own", own);
    folder.write("middle", authority().middle);
    const auto raw = raw_server(own);
    const auto good = raw_server(authority().good);
    const auto trusts_own = client({.ca_file = folder.path("own.pem")});
    const auto trusts_middle = client({.ca_file = folder.path("middle.pem")});
    run([&]() -> net::Task<void> {
        Pair first = co_await make_pair();
        EXPECT_TRUE((co_await shake(first, *trusts_own, raw.get())).client);
        Pair second = co_await make_pair();
        EXPECT_TRUE((co_await shake(second, *trusts_middle, good.get())).client);
    });
}

TEST_F(CertificateTest, facts_are_bounded_and_printable) {
    std::string names = "DNS:lab.test";
    for (int i = 0; i < 50; ++i) names += ",DNS:n" + std::to_string(i) + ".test";
    const Identity made = issue({.subject = "a\nb\x01" + std::string(50, 'x'), .names = names});
    const base::WallTime now = clock.wall_now();
    const CertificateFacts facts = facts_of(made.certificate.get(), now);
    EXPECT_EQ(facts.names.size(), CertificateFacts::kMaxNames);
    EXPECT_EQ(facts.subject.find('\n'), std::string::npos);
    EXPECT_EQ(facts.subject.substr(0, 12), "CN=a\\0Ab\\01x");
    EXPECT_GE(facts.days_left, 29);
    EXPECT_EQ(facts.not_after.size(), std::string("2026-01-01T00:00:00Z").size());
    EXPECT_EQ(facts.signature, "ecdsa-with-SHA256");
    EXPECT_EQ(facts.serial.substr(0, 1), "1");
    Owned<X509> empty(X509_new());
    EXPECT_EQ(facts_of(empty.get(), now).key, "unknown");
}

}  // namespace
}  // namespace edgecase::tls
