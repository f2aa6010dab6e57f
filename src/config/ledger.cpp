#include "config/ledger.hpp"

#include <algorithm>
#include <string_view>

#include "base/ascii.hpp"
#include "config/choices.hpp"
#include "http/url.hpp"

namespace edgecase::config {
namespace {

constexpr size_t kMaximumUrls = 64;
constexpr size_t kMaximumNameBytes = 64;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_word_byte(char c) {
    return (base::lower(c) >= 'a' && base::lower(c) <= 'z') || is_digit(c) || c == '_';
}

/// What stands unquoted in SQL: nothing of it needs to be escaped.
Problem set_word(std::string& target, const Value& value) {
    const auto* text = as_text(value);
    if (text == nullptr || !is_word(*text))
        return must_be("a name of letters, digits and _, such as \"edgecase\"", value);
    target = *text;
    return std::nullopt;
}

Problem set_text(std::string& target, const Value& value, std::string_view what) {
    const auto* text = as_text(value);
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
    if (text == nullptr || text->size() > kMaximumNameBytes ||
        std::ranges::any_of(*text, is_control)) {
        return must_be(what, value);
    }
    target = *text;
    return std::nullopt;
}

}  // namespace

bool is_word(std::string_view text) {
    return !text.empty() && text.size() <= kMaximumNameBytes &&
           std::ranges::all_of(text, is_word_byte) && !is_digit(text.front());
}

Problem set_ledger_kind(Settings& settings, const Value& value) {
    const auto kind = read_choice(value, kLedgerKinds);
    if (!kind) return kind.error();
    settings.ledger.kind = *kind;
    return std::nullopt;
}

Problem add_ledger_url(Settings& settings, const Value& value) {
    const auto* text = as_text(value);
    if (text != nullptr && text->contains('@')) {  // not repeated, for it may hold a password
        return "must be a URL without a user: who asks is `ledger.user`, and "
               "`ledger.password_file`";
    }
    if (text == nullptr || !http::OriginUrl::parse(*text)) {
        return must_be("a URL of ClickHouse's HTTP port, such as \"http://10.0.0.1:8123\"", value);
    }
    auto& urls = settings.ledger.urls;
    const std::string whole = http::OriginUrl::parse(*text)->to_string();
    if (std::ranges::find(urls, whole) != urls.end()) return "names " + whole + " twice";
    if (urls.size() >= kMaximumUrls) return "has more than 64 servers";
    urls.push_back(whole);
    return std::nullopt;
}

Problem set_ledger_database(Settings& settings, const Value& value) {
    return set_word(settings.ledger.database, value);
}

Problem set_ledger_cluster(Settings& settings, const Value& value) {
    return set_word(settings.ledger.cluster, value);
}

Problem set_ledger_password_env(Settings& settings, const Value& value) {
    return set_word(settings.ledger.password_env, value);
}

Problem set_ledger_user(Settings& settings, const Value& value) {
    const auto* text = as_text(value);
    if (text != nullptr && text->contains(':')) return must_be("a name without a colon", value);
    return set_text(settings.ledger.user, value, "the name of a user");
}

Problem set_ledger_node(Settings& settings, const Value& value) {
    return set_text(settings.ledger.node, value, "a name of at most 64 bytes, such as \"fra-1\"");
}

Problem set_ledger_secrets(Settings& settings, const Value& value) {
    const auto kept = read_choice(value, kSecrets);
    if (!kept) return kept.error();
    settings.ledger.secrets = *kept;
    return std::nullopt;
}

Problem set_ledger_password_file(Settings& settings, const Value& value) {
    settings.ledger.password_file = std::get<std::string>(value);
    return std::nullopt;
}

Problem set_ledger_ca(Settings& settings, const Value& value) {
    settings.ledger.ca_file = std::get<std::string>(value);
    return std::nullopt;
}

std::optional<std::pair<std::string, std::string>> ledger_conflict(const Settings& settings) {
    const Ledger& ledger = settings.ledger;
    const auto conflict = [](std::string key, std::string why) {
        return std::pair("ledger." + std::move(key), std::move(why));
    };
    if (ledger.kind == Ledger::Kind::sqlite) {
        if (ledger.urls.empty()) return std::nullopt;
        return conflict("urls",
                        "is of a ledger that is not used; give `ledger.kind` = "
                        "\"clickhouse\" too");
    }
    if (ledger.urls.empty()) {
        return conflict("kind", "needs `ledger.urls`, where ClickHouse is");
    }
    if (ledger.urls.size() > 1 && ledger.cluster.empty()) {
        return conflict("urls",
                        "names several servers, each of which would have a part of the "
                        "records; give `ledger.cluster`, the name that they have together "
                        "in ClickHouse's remote_servers");
    }
    if (!ledger.password_file.empty() && !ledger.password_env.empty()) {
        return conflict("password_env", "and `ledger.password_file` both give a password");
    }
    if (settings.retention.records == Recorded::none) {
        return conflict("kind", "gets its records from `data_dir`, and `retention.records` is off");
    }
    return std::nullopt;
}

}  // namespace edgecase::config
