// Owns the short ways in which the tests of this room load settings.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <expected>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "config/load.hpp"
#include "config/settings.hpp"

namespace edgecase::config {

constexpr std::string_view kOrigin = "origin = \"http://127.0.0.1:3000\"\n";

/// Loads the text with an origin in front, on line 1.
inline std::expected<Settings, ConfigError> with_origin(const std::string& toml,
                                                        const Overrides& overrides = {}) {
    return load(std::string(kOrigin) + toml, "edge.toml", overrides);
}

inline std::string error_of(const std::expected<Settings, ConfigError>& result) {
    return result ? "no error" : result.error().to_string();
}

inline std::string error_of(const std::string& toml) {
    return error_of(with_origin(toml));
}

inline std::string flag_error(std::optional<std::string> Overrides::* flag,
                              const std::string& text) {
    Overrides overrides;
    overrides.*flag = text;
    return error_of(with_origin("", overrides));
}

inline std::string read_text(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// A folder with files in it, for as long as a test runs.
class TestFolder {
  public:
    TestFolder(std::initializer_list<std::string_view> files) {
        std::string path = testing_root() + "/edgecase-config-XXXXXX";
        if (mkdtemp(path.data()) == nullptr) std::abort();
        path_ = path;
        for (const std::string_view file : files) {
            std::filesystem::create_directories((path_ / file).parent_path());
            std::ofstream(path_ / file) << "PEM";
        }
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    ~TestFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    std::string operator/(std::string_view name) const { return (path_ / name).string(); }

    /// Loads the text, with an origin on line 1, as a file in this folder.
    std::expected<Settings, ConfigError> load(const std::string& toml,
                                              const Overrides& overrides = {}) const {
        return config::load(std::string(kOrigin) + toml, *this / "edge.toml", overrides);
    }

    /// The error without the folder in front.
    std::string error(const std::string& toml, const Overrides& overrides = {}) const {
        std::string text = error_of(load(toml, overrides));
        const std::string folder = path_.string() + "/";
        for (size_t at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
            text.erase(at, folder.size());
        }
        return text;
    }

  private:
    static std::string testing_root() { return std::filesystem::temp_directory_path().string(); }
    std::filesystem::path path_;
};

}  // namespace edgecase::config
