#include "config/certificates.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "config/load.hpp"
#include "config/settings.hpp"
#include "config/test_settings.hpp"

namespace edgecase::config {
namespace {

TEST(ConfigTls, WithoutACertificateClientsSpeakPlainHttp) {
    const auto settings = with_origin("");
    ASSERT_TRUE(settings);
    EXPECT_TRUE(settings->certificates.empty());
    EXPECT_FALSE(settings->listen_plain);
    EXPECT_EQ(settings->origin_tls, OriginTls{});
}

TEST(ConfigTls, FilesAreLookedForBesideTheSettingsFile) {
    const TestFolder folder{"certs/a.pem", "certs/a.key", "b.pem", "b.key", "ca.pem", "c.pem"};
    const auto settings = folder.load(R"(
tls_cert = "certs/a.pem"
tls_key = "certs/a.key"
listen_plain = "127.0.0.1:8080"
origin_ca = "ca.pem"
origin_client_cert = "c.pem"
origin_client_key = "certs/../b.key"
[[certificate]]
cert = "b.pem"
key = "b.key"
)");
    ASSERT_TRUE(settings) << error_of(settings);
    ASSERT_EQ(settings->certificates.size(), 2u);
    EXPECT_EQ(settings->certificates[0],
              (Certificate{folder / "certs/a.pem", folder / "certs/a.key"}));
    EXPECT_EQ(settings->certificates[1], (Certificate{folder / "b.pem", folder / "b.key"}));
    EXPECT_EQ(settings->listen_plain->to_string(), "127.0.0.1:8080");
    EXPECT_EQ(settings->origin_tls.ca_file, folder / "ca.pem");
    EXPECT_EQ(settings->origin_tls.certificate_file, folder / "c.pem");
    EXPECT_EQ(settings->origin_tls.key_file, folder / "certs/../b.key");
}

TEST(ConfigTls, FilesOfFlagsAreLookedForInTheWorkingFolder) {
    const TestFolder folder{"a.pem", "a.key", "b.pem"};
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(folder / "");
    Overrides overrides;
    overrides.tls_cert = "a.pem";
    overrides.tls_key = "a.key";
    overrides.listen_plain = "*:80";
    const auto settings = load(kOrigin, "/elsewhere/edge.toml", overrides);
    std::filesystem::current_path(before);
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->certificates[0], (Certificate{"a.pem", "a.key"}));
    EXPECT_EQ(settings->listen_plain->to_string(), "0.0.0.0:80");
}

TEST(ConfigTls, TheFlagsCertificateReplacesTheFilesAndStandsBeforeTheOthers) {
    const TestFolder folder{"a.pem", "a.key", "b.pem", "b.key", "c.pem", "c.key"};
    Overrides overrides;
    overrides.tls_cert = folder / "c.pem";
    overrides.tls_key = folder / "c.key";
    const auto settings = folder.load(
        "tls_cert = \"a.pem\"\ntls_key = \"a.key\"\n[[certificate]]\ncert = \"b.pem\"\nkey = "
        "\"b.key\"\n",
        overrides);
    ASSERT_TRUE(settings) << error_of(settings);
    ASSERT_EQ(settings->certificates.size(), 2u);
    EXPECT_EQ(settings->certificates[0].certificate_file, folder / "c.pem");
    EXPECT_EQ(settings->certificates[1].certificate_file, folder / "b.pem");
}

TEST(ConfigTls, AFileThatIsNotThereIsToldAtItsPlace) {
    const TestFolder folder{"a.pem"};
    EXPECT_EQ(
        folder.error("tls_cert = \"b.pem\""),
        "edge.toml:2:12: `tls_cert` must be the name of a readable file, not \"b.pem\" (there "
        "is none)");
    EXPECT_EQ(folder.error("[[certificate]]\ncert = \"a.pem\"\nkey = \"\""),
              "edge.toml:4:7: `certificate.key` must be the name of a readable file, not \"\"");
    EXPECT_EQ(folder.error("origin_ca = \"/\""),
              "edge.toml:2:13: `origin_ca` must be the name of a readable file, not \"/\" (that is "
              "a folder)");
    EXPECT_EQ(folder.error("origin_ca = \"/dev/zero\""),
              "edge.toml:2:13: `origin_ca` must be the name of a readable file, not \"/dev/zero\" "
              "(that is no plain file)");
    EXPECT_EQ(folder.error("origin_ca = 1"),
              "edge.toml:2:13: `origin_ca` must be the name of a readable file, not 1");
    EXPECT_NE(folder.error("origin_ca = \"a.pem\\u0000\"").find("readable"), std::string::npos);
    EXPECT_NE(folder.error("origin_ca = \"" + std::string(5000, 'a') + "\"").find("readable"),
              std::string::npos);
    EXPECT_EQ(
        flag_error(&Overrides::origin_ca, "no-such.pem"),
        "--origin-ca must be the name of a readable file, not \"no-such.pem\" (there is none)");
}

TEST(ConfigTls, AFileThatMayNotBeReadIsToldAtItsPlace) {
    if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
    const TestFolder folder{"a.pem"};
    std::filesystem::permissions(folder / "a.pem", std::filesystem::perms::none);
    EXPECT_EQ(folder.error("origin_ca = \"a.pem\""),
              "edge.toml:2:13: `origin_ca` must be the name of a readable file, not \"a.pem\" "
              "(Permission denied)");
}

TEST(ConfigTls, ACertificateAndItsKeyComeTogether) {
    const TestFolder folder{"a.pem", "a.key"};
    EXPECT_EQ(folder.error("tls_cert = \"a.pem\""),
              "edge.toml:2:12: `tls_cert` needs its key: give `tls_key` or --tls-key too");
    EXPECT_EQ(folder.error("tls_key = \"a.key\""),
              "edge.toml:2:11: `tls_key` needs its certificate: give `tls_cert` or --tls-cert too");
    EXPECT_EQ(folder.error("origin_client_cert = \"a.pem\""),
              "edge.toml:2:22: `origin_client_cert` needs its key: give `origin_client_key` or "
              "--origin-client-key too");
    EXPECT_EQ(folder.error("[[certificate]]\ncert = \"a.pem\""),
              "edge.toml:2:1: this [[certificate]] has no `key`");
    EXPECT_EQ(folder.error("[[certificate]]\nkey = \"a.pem\""),
              "edge.toml:2:1: this [[certificate]] has no `cert`");
    Overrides overrides;
    overrides.tls_key = folder / "a.key";
    EXPECT_EQ(folder.error("", overrides),
              "--tls-key needs its certificate: give `tls_cert` or --tls-cert too");
    EXPECT_EQ(folder.error("tls_cert = \"a.pem\"", overrides), "no error");
}

TEST(ConfigTls, TheSamePairTwiceIsAnError) {
    const TestFolder folder{"a.pem", "a.key"};
    const std::string pair = "[[certificate]]\ncert = \"a.pem\"\nkey = \"a.key\"\n";
    EXPECT_EQ(folder.error(pair + pair),
              "edge.toml:5:1: this certificate is there already, with the same key");
    EXPECT_EQ(folder.error("tls_cert = \"a.pem\"\ntls_key = \"a.key\"\n" + pair),
              "edge.toml:4:1: this certificate is there already, with the same key");
}

TEST(ConfigTls, UnknownKeysOfACertificateAreAnswered) {
    EXPECT_EQ(error_of("[[certificate]]\ncrt = \"a.pem\""),
              "edge.toml:3:1: unknown key `crt` in [[certificate]]; did you mean `cert`?");
    EXPECT_EQ(error_of("[[certificate]]\ncert = []"),
              "edge.toml:3:8: `certificate.cert` cannot be an array");
    EXPECT_EQ(error_of("certificate = \"a.pem\""),
              "edge.toml:2:15: `certificate` must be written as [[certificate]] tables, not a "
              "string");
}

TEST(ConfigTls, APlainListenerStandsBesideOneWithTls) {
    const TestFolder folder{"a.pem", "a.key"};
    EXPECT_EQ(
        error_of("listen_plain = \"127.0.0.1:80\""),
        "edge.toml:2:16: `listen_plain` is for a second listener beside one with TLS; without "
        "a certificate `listen` is plain already");
    const std::string tls = "tls_cert = \"a.pem\"\ntls_key = \"a.key\"\n";
    EXPECT_EQ(folder.error(tls + "listen_plain = \"127.0.0.1:8520\""),
              "edge.toml:4:16: `listen_plain` is the same address as the other listener's");
    EXPECT_EQ(folder.error(tls + "listen_plain = \"127.0.0.1:8521\""),
              "edge.toml:4:16: `listen_plain` is the same address as the other listener's");
    EXPECT_EQ(folder.error(tls + "listen_plain = \"127.0.0.1:0\""), "no error");
    EXPECT_NE(folder.error(tls + "listen_plain = \"8080\"").find("must be HOST:PORT"),
              std::string::npos);
}

TEST(ConfigTls, OriginsMaySpeakTls) {
    const auto settings = load("origin = \"https://example.com\"", "edge.toml", {});
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(first_origin(*settings, settings->routes[0]).port, 443);
    EXPECT_TRUE(settings->origin_tls.http2);
    EXPECT_EQ(error_of("origin_http2 = \"yes\""),
              "edge.toml:2:16: `origin_http2` must be one of on, off, not \"yes\"");
    EXPECT_EQ(error_of("host_to_origin = \"on\""),
              "edge.toml:2:18: `host_to_origin` must be true or false, not \"on\"");
}

}  // namespace
}  // namespace edgecase::config
