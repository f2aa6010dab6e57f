#include "allowlist/apache_world.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "allowlist/contains.hpp"
#include "allowlist/rule_parts.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

/// Any server of 2.4 has them.
constexpr std::array<std::string_view, 5> kAlwaysLoaded{"core.c", "http_core.c", "so", "authz_core",
                                                        "authz_host"};

/// `mod_ssl.c` and `ssl_module` are one.
std::string module_of(std::string_view name) {
    constexpr std::string_view kFile = "mod_";
    constexpr std::string_view kIdentifier = "_module";
    if (name.starts_with(kFile) && name.ends_with(".c")) {
        return std::string(name.substr(kFile.size(), name.size() - kFile.size() - 2));
    }
    if (name.ends_with(kIdentifier)) {
        return std::string(name.substr(0, name.size() - kIdentifier.size()));
    }
    return std::string(name);
}

/// `2.4.10`, padded with 0.
std::optional<std::array<int, 3>> version_of(std::string_view text) {
    std::array<int, 3> version{};
    for (size_t i = 0; i < version.size() && !text.empty(); ++i) {
        const size_t dot = std::min(text.find('.'), text.size());
        const auto [end, error] = std::from_chars(text.data(), text.data() + dot, version[i]);
        if (error != std::errc() || end != text.data() + dot) return std::nullopt;
        text.remove_prefix(std::min(dot + 1, text.size()));
    }
    return text.empty() ? std::optional(version) : std::nullopt;
}

/// Whether it holds for all of 2.4, or for none.
std::optional<bool> version_holds(std::string_view test) {
    const auto words = words_of(test);
    if (words.empty() || words.size() > 2) return std::nullopt;
    const std::string_view op = words.size() == 2 ? std::string_view(words[0]) : "=";
    const auto wanted = version_of(words.back());
    if (!wanted) return std::nullopt;
    constexpr int kNewest = 999;
    std::optional<bool> all;
    for (int patch = 1; patch <= kNewest; ++patch) {
        const std::array<int, 3> version{2, 4, patch};
        bool holds = false;
        if (op == "=" || op == "==") {
            holds = version == *wanted;
        } else if (op == ">") {
            holds = version > *wanted;
        } else if (op == ">=") {
            holds = version >= *wanted;
        } else if (op == "<") {
            holds = version < *wanted;
        } else if (op == "<=") {
            holds = version <= *wanted;
        } else {
            return std::nullopt;
        }
        if (all && *all != holds) return std::nullopt;
        all = holds;
    }
    return all;
}

}  // namespace

bool ApacheWorld::is_condition(std::string_view kind) {
    constexpr std::array<std::string_view, 6> kKinds{"ifmodule", "ifdefine",    "ifversion",
                                                     "iffile",   "ifdirective", "ifsection"};
    return contains(kKinds, kind);
}

ApacheWorld::Answer ApacheWorld::ask(std::string_view kind, std::string_view test) {
    test = base::trim(test);
    const bool is_negated = test.starts_with('!');
    if (is_negated) test = base::trim(test.substr(1));
    std::string key;
    std::optional<bool> known;
    if (kind == "ifmodule") {
        const std::string module = module_of(test);
        if (contains(kAlwaysLoaded, module)) known = true;
        key = "IfModule " + module;
    } else if (kind == "ifversion") {
        known = version_holds(test);
        key = "IfVersion " + std::string(test);
    } else {
        key = (kind == "ifdefine" ? "IfDefine " : std::string(kind) + " ") + std::string(test);
    }
    if (const auto found = known_.find(key); found != known_.end()) known = found->second;
    if (known) return {*known != is_negated, {}};
    const auto found = assumed_.find(key);
    const bool holds = found == assumed_.end() || found->second;
    return {holds != is_negated, std::move(key)};
}

void ApacheWorld::load(std::string_view identifier, std::string_view file) {
    known_["IfModule " + module_of(identifier)] = true;
    file.remove_prefix(std::min(file.rfind('/') + 1, file.size()));
    if (file.ends_with(".so")) {
        known_["IfModule " + module_of(std::string(file.substr(0, file.size() - 3)) + ".c")] = true;
    }
}

void ApacheWorld::meet(std::string_view directive) {
    constexpr std::array kOwners{
        std::pair{std::string_view("ssl"), std::string_view("ssl")},
        std::pair{std::string_view("rewrite"), std::string_view("rewrite")},
        std::pair{std::string_view("remoteip"), std::string_view("remoteip")},
        std::pair{std::string_view("order"), std::string_view("access_compat")}};
    for (const auto& [prefix, module] : kOwners) {
        if (directive.starts_with(prefix)) known_["IfModule " + std::string(module)] = true;
    }
}

}  // namespace edgecase::allowlist
