// Owns the way from TOML text and flags to validated settings.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"

namespace edgecase::config {

struct ConfigError {
    std::string file;   // empty: a flag
    uint32_t line = 0;  // from 1; 0: unknown
    uint32_t column = 0;
    std::string message;  // names the key and what would be right

    /// `FILE:LINE:COLUMN: MESSAGE`, or the message alone for flags.
    std::string to_string() const;
};

/// What the command line says; set values override the file. Texts are still unchecked.
struct Overrides {
    std::optional<std::string> listen, admin, admin_token_file, origin, data_dir, profile, ssl_mode,
        origin_name, origin_ca, origin_client_cert, origin_client_key, origin_http2,
        connect_timeout, ack_timeout, read_timeout, write_timeout, workers, listen_plain, tls_cert,
        tls_key, resolver, colo, traceparent, access_log, access_log_format;
    std::vector<std::string> egress;  // replaces the file's
    std::vector<std::string> routes;  // `[HOST][/PATH]=URL`
};

/// Parses `toml` (named `file` in errors), applies the profile, then the file's values, then the
/// overrides, and checks the whole. Unknown keys are errors. Pass an empty text for no file. Files
/// that the text names are looked for in the folder of `file`, those of flags in the working one.
std::expected<Settings, ConfigError> load(std::string_view toml, std::string_view file,
                                          const Overrides& overrides);

/// The same for a file on disk. Errors: also an unreadable file.
std::expected<Settings, ConfigError> load_file(const std::string& path, const Overrides& overrides);

/// HOST:PORT where HOST is an address, `localhost` or `*` (0.0.0.0). Errors: nullopt.
std::optional<ip::Endpoint> parse_listen(std::string_view text);

/// The names `profile` may have.
std::vector<std::string_view> profile_names();

}  // namespace edgecase::config
