#include "config/load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "base/escape.hpp"
#include "config/document.hpp"
#include "config/keys.hpp"
#include "config/nearest.hpp"
#include "config/profiles.hpp"
#include "config/routes.hpp"
#include "config/settings.hpp"
#include "ip/endpoint.hpp"

namespace edgecase::config {
namespace {

constexpr size_t kMaximumFileBytes = 1 << 20;  // thousands of routes; guards against a wrong path
constexpr size_t kMaximumRoutes = 1000;        // matched one by one on every request

/// Where a value came from: the subject and the position an error begins with.
struct Source {
    std::string subject;  // `timeouts.read` or --read-timeout
    Place place;
    bool is_flag = false;
};

struct Flag {
    std::string_view name;
    std::optional<std::string> Overrides::* text;
    std::string_view table;
    std::string_view key;
};

constexpr std::array kFlags{
    Flag{"--listen", &Overrides::listen, "", "listen"},
    Flag{"--admin", &Overrides::admin, "", "admin"},
    Flag{"--origin", &Overrides::origin, "", "origin"},
    Flag{"--data-dir", &Overrides::data_dir, "", "data_dir"},
    Flag{"--profile", &Overrides::profile, "", "profile"},
    Flag{"--ssl-mode", &Overrides::ssl_mode, "", "ssl_mode"},
    Flag{"--origin-name", &Overrides::origin_name, "", "origin_name"},
    Flag{"--origin-ca", &Overrides::origin_ca, "", "origin_ca"},
    Flag{"--origin-http2", &Overrides::origin_http2, "", "origin_http2"},
    Flag{"--connect-timeout", &Overrides::connect_timeout, "timeouts", "connect"},
    Flag{"--ack-timeout", &Overrides::ack_timeout, "timeouts", "ack"},
    Flag{"--read-timeout", &Overrides::read_timeout, "timeouts", "read"},
    Flag{"--write-timeout", &Overrides::write_timeout, "timeouts", "write"},
    Flag{"--workers", &Overrides::workers, "", "workers"},
    Flag{"--tls-cert", &Overrides::tls_cert, "", "tls_cert"},
    Flag{"--tls-key", &Overrides::tls_key, "", "tls_key"},
    Flag{"--resolver", &Overrides::resolver, "", "resolver"},
    Flag{"--colo", &Overrides::colo, "", "colo"},
};

using Step = std::optional<ConfigError>;

std::string in_ticks(std::string_view name) {
    return "`" + base::escape(name.substr(0, 100)) + "`";
}

std::string with_guess(std::string message, std::string_view guess) {
    if (!guess.empty()) message.append("; did you mean `").append(guess).append("`?");
    return message;
}

/// Builds one Settings from the three sources, in the order profile, file, flags.
class Loader {
  public:
    Loader(std::string_view file, const Overrides& overrides) : file_(file), flags_(overrides) {}

    std::expected<Settings, ConfigError> load(const Document& document);

    ConfigError at(Place place, std::string message) const {
        return ConfigError{file_, place.line, place.column, std::move(message)};
    }

  private:
    void choose_profile(const Document& document);
    Step apply_entry(const Entry& entry);
    Step apply_route(const RouteEntry& entry);
    Step apply_flags();
    Step apply_flag_routes();
    Step check();

    ConfigError unknown_key(const Entry& entry) const;
    ConfigError error(const Source& source, std::string_view problem) const;
    Step set(const Key& key, const Value& value, Source source);
    /// `message` about the first of the keys that was given; the profile fits itself.
    Step conflict(std::initializer_list<std::string_view> paths, std::string_view message) const;
    bool given(std::string_view path) const { return sources_.contains(path); }
    void fit_derived_limits();

    std::string file_;
    const Overrides& flags_;
    Settings settings_;
    std::map<std::string, Source, std::less<>> sources_;                 // by the key's path
    std::map<std::pair<std::string, std::string>, Place> route_places_;  // by host, path
};

ConfigError Loader::error(const Source& source, std::string_view problem) const {
    std::string message = source.subject + " " + std::string(problem);
    if (source.is_flag) return ConfigError{{}, 0, 0, std::move(message)};
    return at(source.place, std::move(message));
}

Step Loader::set(const Key& key, const Value& value, Source source) {
    if (Problem problem = key.set(settings_, value)) return error(source, *problem);
    sources_[key.path()] = std::move(source);
    return std::nullopt;
}

ConfigError Loader::unknown_key(const Entry& entry) const {
    const std::string where = entry.table.empty() ? "" : " in [" + entry.table + "]";
    return at(entry.name_place, with_guess("unknown key " + in_ticks(entry.name) + where,
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
    const Source source{in_ticks(entry.table.empty() ? entry.name : entry.table + "." + entry.name),
                        entry.value_place};
    const Key* key = find_key(entry.table, entry.name);
    if (key == nullptr && entry.table.empty()) {
        if (is_settings_table(entry.name)) {
            return error(source, "must be a table, not " + entry.type);
        }
        if (entry.name == "route") {
            return error(source, "must be written as [[route]] tables, not " + entry.type);
        }
    }
    if (key == nullptr) return unknown_key(entry);
    if (!entry.value) return error(source, "cannot be " + entry.type);
    return set(*key, *entry.value, source);
}

Step Loader::apply_route(const RouteEntry& table) {
    if (settings_.routes.size() >= kMaximumRoutes) {
        return at(table.place, "more than " + std::to_string(kMaximumRoutes) + " routes");
    }
    Route route;
    bool has_origin = false;
    const auto take = [&](const Entry& entry, auto parsed, auto& target) -> Step {
        if (!parsed) {
            return at(entry.value_place, "`route." + entry.name + "` is wrong: " + parsed.error());
        }
        target = std::move(*parsed);
        return std::nullopt;
    };
    for (const Entry& entry : table.entries) {
        constexpr std::array<std::string_view, 3> kNames{"host", "path", "origin"};
        if (std::ranges::find(kNames, entry.name) == kNames.end()) {
            return at(entry.name_place,
                      with_guess("unknown key " + in_ticks(entry.name) + " in [[route]]",
                                 nearest(entry.name, kNames)));
        }
        const auto* text = entry.value ? std::get_if<std::string>(&*entry.value) : nullptr;
        if (text == nullptr) {
            return at(entry.value_place,
                      "`route." + entry.name + "` must be a string, not " + entry.type);
        }
        Step step;
        if (entry.name == "host") step = take(entry, parse_route_host(*text), route.host);
        if (entry.name == "path") step = take(entry, parse_route_path(*text), route.path_prefix);
        if (entry.name == "origin") {
            step = take(entry, parse_origin(*text), route.origin);
            has_origin = true;
        }
        if (step) return step;
    }
    if (!has_origin) return at(table.place, "this [[route]] has no `origin`");
    const auto [former, is_new] =
        route_places_.try_emplace(std::pair(route.host, route.path_prefix), table.place);
    if (!is_new) {
        return at(table.place, "a second route for the same host and path; the first is on line " +
                                   std::to_string(former->second.line));
    }
    settings_.routes.push_back(std::move(route));
    return std::nullopt;
}

Step Loader::apply_flags() {
    for (const Flag& flag : kFlags) {
        const std::optional<std::string>& text = flags_.*flag.text;
        if (!text) continue;
        const Key& key = *find_key(flag.table, flag.key);
        Value value = *text;
        if (key.is_integer) {
            int64_t number = 0;
            const char* const end = text->data() + text->size();
            const auto [rest, problem] = std::from_chars(text->data(), end, number);
            if (problem == std::errc() && rest == end) value = number;
        }
        if (Step step = set(key, value, Source{std::string(flag.name), {}, true})) return step;
    }
    return std::nullopt;
}

Step Loader::apply_flag_routes() {
    std::vector<Route> added;
    for (const std::string& text : flags_.routes) {
        const Source source{"--route", {}, true};
        auto route = parse_route(text);
        if (!route) return error(source, "is wrong: " + route.error());
        const auto same = [&](const Route& other) {
            return other.host == route->host && other.path_prefix == route->path_prefix;
        };
        if (std::ranges::any_of(added, same)) {
            return error(source, "names the same host and path twice");
        }
        if (flags_.origin && route->host.empty() && route->path_prefix.empty()) {
            return error(source, "serves everything, and so does --origin; give one of them");
        }
        std::erase_if(settings_.routes, same);  // a flag overrides the file
        added.push_back(*route);
    }
    settings_.routes.insert(settings_.routes.end(), added.begin(), added.end());
    if (settings_.routes.size() <= kMaximumRoutes) return std::nullopt;
    return error(Source{"--route", {}, true}, "makes more than 1000 routes");
}

// A limit that nobody named follows the one it depends on, so that lowering the section's limit
// alone is not a contradiction.
void Loader::fit_derived_limits() {
    Limits& limits = settings_.limits;
    const auto fit = [&](std::string_view section, uint32_t bytes, std::string_view part,
                         uint32_t& value, uint32_t fitted) {
        if (given(section) && !given(part) && value > bytes) value = fitted;
    };
    const uint32_t response = limits.response_header_bytes;
    fit("limits.response_header_bytes", response, "limits.response_line_bytes",
        limits.response_line_bytes, response);
    fit("limits.response_header_bytes", response, "limits.response_header_warn_bytes",
        limits.response_header_warn_bytes, response / 10 * 9);
    fit("limits.request_header_bytes", limits.request_header_bytes,
        "limits.request_header_line_bytes", limits.request_header_line_bytes,
        limits.request_header_bytes);
}

Step Loader::conflict(std::initializer_list<std::string_view> paths,
                      std::string_view message) const {
    for (const std::string_view path : paths) {
        const auto found = sources_.find(path);
        if (found != sources_.end()) return error(found->second, message);
    }
    return ConfigError{file_, 0, 0, std::string(*paths.begin()) + " " + std::string(message)};
}

Step Loader::check() {
    const Limits& limits = settings_.limits;
    if (limits.response_line_bytes > limits.response_header_bytes) {
        return conflict({"limits.response_line_bytes", "limits.response_header_bytes"},
                        "contradicts: one line cannot exceed response_header_bytes");
    }
    if (limits.response_header_warn_bytes > limits.response_header_bytes) {
        return conflict({"limits.response_header_warn_bytes", "limits.response_header_bytes"},
                        "contradicts: the warning cannot exceed response_header_bytes");
    }
    if (limits.request_header_line_bytes > limits.request_header_bytes) {
        return conflict({"limits.request_header_line_bytes", "limits.request_header_bytes"},
                        "contradicts: one line cannot exceed request_header_bytes");
    }
    if (settings_.admin == settings_.listen && settings_.listen.port != 0) {
        return conflict({"admin", "listen"}, "is the same address as the other listener's");
    }
    if (settings_.routes.empty()) {
        return ConfigError{file_, 0, 0,
                           "no origin: give --origin URL, or `origin` or a [[route]] in a file"};
    }
    return std::nullopt;
}

std::expected<Settings, ConfigError> Loader::load(const Document& document) {
    settings_.listen = {ip::Address::v4(0x7f00'0001), 8520};
    settings_.admin = ip::Endpoint{ip::Address::v4(0x7f00'0001), 8521};
    choose_profile(document);
    for (const Entry& entry : document.entries) {
        if (Step step = apply_entry(entry)) return std::unexpected(std::move(*step));
    }
    if (const auto origin = sources_.find("origin"); origin != sources_.end()) {
        route_places_[{}] = origin->second.place;
    }
    for (const RouteEntry& route : document.routes) {
        if (Step step = apply_route(route)) return std::unexpected(std::move(*step));
    }
    if (Step step = apply_flags()) return std::unexpected(std::move(*step));
    if (Step step = apply_flag_routes()) return std::unexpected(std::move(*step));
    fit_derived_limits();
    if (Step step = check()) return std::unexpected(std::move(*step));
    sort_routes(settings_.routes);
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
        return std::unexpected(loader.at(document.error().place, document.error().message));
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
