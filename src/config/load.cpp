#include "config/load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "config/certificates.hpp"
#include "config/checks.hpp"
#include "config/document.hpp"
#include "config/keys.hpp"
#include "config/pools.hpp"
#include "config/profiles.hpp"
#include "config/routes.hpp"
#include "config/settings.hpp"
#include "config/sources.hpp"
#include "config/values.hpp"
#include "ip/endpoint.hpp"

namespace edgecase::config {
namespace {

constexpr size_t kMaximumFileBytes = 1 << 20;  // thousands of routes; guards against a wrong path
constexpr size_t kMaximumRoutes = 1000;        // matched one by one on every request
constexpr size_t kMaximumPools = 256;          // with a name; a route's own origin comes on top
constexpr size_t kMaximumCertificates = 1000;  // as many as hosts that routes can name

struct Flag {
    std::string_view name;
    std::optional<std::string> Overrides::* text;
    std::string_view table;
    std::string_view key;
};

constexpr std::array kFlags{
    Flag{"--listen", &Overrides::listen, "", "listen"},
    Flag{"--admin", &Overrides::admin, "", "admin"},
    Flag{"--admin-token-file", &Overrides::admin_token_file, "", "admin_token_file"},
    Flag{"--origin", &Overrides::origin, "", "origin"},
    Flag{"--data-dir", &Overrides::data_dir, "", "data_dir"},
    Flag{"--profile", &Overrides::profile, "", "profile"},
    Flag{"--ssl-mode", &Overrides::ssl_mode, "", "ssl_mode"},
    Flag{"--origin-name", &Overrides::origin_name, "", "origin_name"},
    Flag{"--origin-ca", &Overrides::origin_ca, "", "origin_ca"},
    Flag{"--origin-client-cert", &Overrides::origin_client_cert, "", "origin_client_cert"},
    Flag{"--origin-client-key", &Overrides::origin_client_key, "", "origin_client_key"},
    Flag{"--origin-http2", &Overrides::origin_http2, "", "origin_http2"},
    Flag{"--connect-timeout", &Overrides::connect_timeout, "timeouts", "connect"},
    Flag{"--ack-timeout", &Overrides::ack_timeout, "timeouts", "ack"},
    Flag{"--read-timeout", &Overrides::read_timeout, "timeouts", "read"},
    Flag{"--write-timeout", &Overrides::write_timeout, "timeouts", "write"},
    Flag{"--workers", &Overrides::workers, "", "workers"},
    Flag{"--listen-plain", &Overrides::listen_plain, "", "listen_plain"},
    Flag{"--tls-cert", &Overrides::tls_cert, "", "tls_cert"},
    Flag{"--tls-key", &Overrides::tls_key, "", "tls_key"},
    Flag{"--resolver", &Overrides::resolver, "", "resolver"},
    Flag{"--colo", &Overrides::colo, "", "colo"},
    Flag{"--traceparent", &Overrides::traceparent, "", "traceparent"},
    Flag{"--access-log", &Overrides::access_log, "access_log", "path"},
    Flag{"--access-log-format", &Overrides::access_log_format, "access_log", "format"},
};

/// Builds one Settings from the three sources, in the order profile, file, flags.
class Loader {
  public:
    Loader(std::string_view file, const Overrides& overrides)
        : sources_(file),
          directory_(std::filesystem::path(file).parent_path()),
          flags_(overrides) {}

    std::expected<Settings, ConfigError> load(const Document& document);

    ConfigError at(const DocumentError& error) const { return sources_.at(error); }

  private:
    void choose_profile(const Document& document);
    Step apply_entry(const Entry& entry);
    Step apply_list(const Key& key, const Entry& entry, const Source& source);
    Step apply_pool(const TableEntry& table);
    Step apply_route(const TableEntry& table);
    Step apply_flags();
    Step apply_flag_routes();
    Step apply_certificate(const TableEntry& table);
    Step apply_all(const Document& document);

    ConfigError unknown_key(const Entry& entry) const;
    Step set(const Key& key, Value value, Source source);

    Sources sources_;
    std::string directory_;  // of the file
    const Overrides& flags_;
    Settings settings_;
    std::map<std::string, Place> pool_places_;                           // by name
    std::map<std::pair<std::string, std::string>, Place> route_places_;  // by host, path
};

Step Loader::set(const Key& key, Value value, Source source) {
    if (key.kind == Key::Kind::file) {
        auto path = read_file_name(value, source.is_flag ? "" : directory_);
        if (!path) return sources_.error(source, path.error());
        value = std::move(*path);
    }
    if (Problem problem = key.set(settings_, value)) return sources_.error(source, *problem);
    sources_.add(key.path(), std::move(source));
    return std::nullopt;
}

ConfigError Loader::unknown_key(const Entry& entry) const {
    const std::string where = entry.table.empty() ? "" : " in [" + entry.table + "]";
    return sources_.at(entry.name_place, with_guess("unknown key " + in_ticks(entry.name) + where,
                                                    nearest_key(entry.table, entry.name)));
}

// The profile comes first whatever its place in the file: other keys change single values of it.
void Loader::choose_profile(const Document& document) {
    std::string name = "default";
    for (const Entry& entry : document.entries) {
        if (!entry.table.empty() || entry.name != "profile" || !entry.value) continue;
        if (const auto* text = std::get_if<std::string>(&*entry.value)) name = *text;
    }
    if (flags_.profile) name = *flags_.profile;
    // A wrong name is told when its own key is set, with its place.
    if (!apply_profile(settings_, name)) settings_.profile = name;
}

Step Loader::apply_entry(const Entry& entry) {
    Source source{in_ticks(entry.table.empty() ? entry.name : entry.table + "." + entry.name),
                  entry.value_place};
    const Key* key = find_key(entry.table, entry.name);
    if (key == nullptr && entry.table.empty()) {
        if (is_settings_table(entry.name)) {
            return sources_.error(source, "must be a table, not " + entry.type);
        }
        if (is_repeated_table(entry.name)) {
            return sources_.error(
                source, "must be written as [[" + entry.name + "]] tables, not " + entry.type);
        }
    }
    if (key == nullptr) return unknown_key(entry);
    if (key->kind == Key::Kind::list) return apply_list(*key, entry, source);
    if (!entry.value) return sources_.error(source, "cannot be " + entry.type);
    return set(*key, *entry.value, std::move(source));
}

Step Loader::apply_list(const Key& key, const Entry& entry, const Source& source) {
    if (entry.type != kArrayType) {
        return sources_.error(
            source, "must be a list such as " + std::string(key.example) + ", not " + entry.type);
    }
    for (const Entry& element : entry.elements) {
        const Source part{source.subject, element.value_place};
        if (!element.value) return sources_.error(part, "cannot hold " + element.type);
        if (Step step = set(key, *element.value, part)) return step;
    }
    return std::nullopt;
}

Step Loader::apply_pool(const TableEntry& table) {
    if (pool_places_.size() >= kMaximumPools) {
        return sources_.at(table.place, "more than " + std::to_string(kMaximumPools) + " pools");
    }
    auto pool = read_pool(table);
    if (!pool) return sources_.at(pool.error());
    const auto [former, is_new] = pool_places_.try_emplace(pool->name, table.place);
    if (!is_new) {
        return sources_.at(table.place, "a second pool named " + in_ticks(pool->name) +
                                            "; the first is on line " +
                                            std::to_string(former->second.line));
    }
    settings_.pools.push_back(std::move(*pool));
    return std::nullopt;
}

Step Loader::apply_route(const TableEntry& table) {
    if (settings_.routes.size() >= kMaximumRoutes) {
        return sources_.at(table.place, "more than " + std::to_string(kMaximumRoutes) + " routes");
    }
    auto route = read_route(table, settings_);
    if (!route) return sources_.at(route.error());
    const auto [former, is_new] =
        route_places_.try_emplace(std::pair(route->host, route->path_prefix), table.place);
    if (!is_new) {
        return sources_.at(table.place,
                           "a second route for the same host and path; the first is on line " +
                               std::to_string(former->second.line));
    }
    settings_.routes.push_back(std::move(*route));
    return std::nullopt;
}

Step Loader::apply_certificate(const TableEntry& table) {
    if (settings_.certificates.size() >= kMaximumCertificates) {
        return sources_.at(table.place,
                           "more than " + std::to_string(kMaximumCertificates) + " certificates");
    }
    auto certificate = read_certificate(table, directory_);
    if (!certificate) return sources_.at(certificate.error());
    if (std::ranges::find(settings_.certificates, *certificate) != settings_.certificates.end()) {
        return sources_.at(table.place, "this certificate is there already, with the same key");
    }
    settings_.certificates.push_back(std::move(*certificate));
    return std::nullopt;
}

Step Loader::apply_flags() {
    for (const Flag& flag : kFlags) {
        const std::optional<std::string>& text = flags_.*flag.text;
        if (!text) continue;
        const Key& key = *find_key(flag.table, flag.key);
        Value value = *text;
        if (key.kind == Key::Kind::integer) {
            int64_t number = 0;
            const char* const end = text->data() + text->size();
            const auto [rest, problem] = std::from_chars(text->data(), end, number);
            if (problem == std::errc() && rest == end) value = number;
        }
        if (Step step = set(key, value, Source{std::string(flag.name), {}, true})) return step;
    }
    if (!flags_.egress.empty()) settings_.egress.clear();
    for (const std::string& text : flags_.egress) {
        if (Step step = set(*find_key("", "egress"), text, Source{"--egress", {}, true})) {
            return step;
        }
    }
    return std::nullopt;
}

Step Loader::apply_flag_routes() {
    const Source source{"--route", {}, true};
    std::vector<Route> added;
    for (const std::string& text : flags_.routes) {
        auto flag = parse_route(text);
        if (!flag) return sources_.error(source, "is wrong: " + flag.error());
        const auto same = [&](const Route& other) {
            return other.host == flag->route.host && other.path_prefix == flag->route.path_prefix;
        };
        if (std::ranges::any_of(added, same)) {
            return sources_.error(source, "names the same host and path twice");
        }
        if (flags_.origin && flag->route.host.empty() && flag->route.path_prefix.empty()) {
            return sources_.error(source,
                                  "serves everything, and so does --origin; give one of them");
        }
        std::erase_if(settings_.routes, same);  // a flag overrides the file
        flag->route.pool = pool_of_one(settings_, flag->origin);
        added.push_back(std::move(flag->route));
    }
    settings_.routes.insert(settings_.routes.end(), added.begin(), added.end());
    if (settings_.routes.size() <= kMaximumRoutes) return std::nullopt;
    return sources_.error(source, "makes more than 1000 routes");
}

Step Loader::apply_all(const Document& document) {
    for (const Entry& entry : document.entries) {
        if (Step step = apply_entry(entry)) return step;
    }
    if (const Source* origin = sources_.find("origin")) route_places_[{}] = origin->place;
    for (const TableEntry& pool : document.pools) {
        if (Step step = apply_pool(pool)) return step;
    }
    for (const TableEntry& route : document.routes) {
        if (Step step = apply_route(route)) return step;
    }
    if (Step step = apply_flags()) return step;
    if (Step step = apply_flag_routes()) return step;
    // The flags' certificate comes first: it is for every name that no other has.
    if (Step step = check_pairs(settings_, sources_)) return step;
    for (const TableEntry& certificate : document.certificates) {
        if (Step step = apply_certificate(certificate)) return step;
    }
    fit_derived_limits(settings_, sources_);
    return check(settings_, sources_);
}

std::expected<Settings, ConfigError> Loader::load(const Document& document) {
    settings_.listen = {ip::Address::v4(0x7f00'0001), 8520};
    settings_.admin = ip::Endpoint{ip::Address::v4(0x7f00'0001), 8521};
    choose_profile(document);
    if (Step step = apply_all(document)) return std::unexpected(std::move(*step));
    sort_routes(settings_.routes);
    tidy_pools(settings_);
    return std::move(settings_);
}

}  // namespace

std::string ConfigError::to_string() const {
    if (file.empty()) return message;
    if (line == 0) return file + ": " + message;
    return file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + message;
}

std::expected<Settings, ConfigError> load(std::string_view toml, std::string_view file,
                                          const Overrides& overrides) {
    Loader loader(file, overrides);
    const auto document = parse_document(toml);
    if (!document) {
        return std::unexpected(loader.at(document.error()));
    }
    return loader.load(*document);
}

std::expected<Settings, ConfigError> load_file(const std::string& path,
                                               const Overrides& overrides) {
    std::error_code problem;
    const auto type = std::filesystem::status(path, problem).type();
    if (type == std::filesystem::file_type::directory) {
        return std::unexpected(ConfigError{path, 0, 0, "is a folder, not a file"});
    }
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        const auto why = problem ? problem : std::error_code(errno, std::generic_category());
        return std::unexpected(ConfigError{path, 0, 0, "cannot be read: " + why.message()});
    }
    std::string text(kMaximumFileBytes + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(in.gcount()));
    if (in.bad()) return std::unexpected(ConfigError{path, 0, 0, "cannot be read to its end"});
    if (text.size() > kMaximumFileBytes) {
        return std::unexpected(ConfigError{path, 0, 0, "is larger than 1 MiB"});
    }
    return load(text, path, overrides);
}

}  // namespace edgecase::config
