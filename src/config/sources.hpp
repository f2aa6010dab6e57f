// Owns where every value came from, so that an error can point there.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/document.hpp"
#include "config/load.hpp"

namespace edgecase::config {

using Step = std::optional<ConfigError>;

/// Where a value came from: the subject and the position an error begins with.
struct Source {
    std::string subject;  // `timeouts.read` or --read-timeout
    Place place;
    bool is_flag = false;
};

class Sources {
  public:
    explicit Sources(std::string_view file) : file_(file) {}

    void add(std::string path, Source source);
    bool given(std::string_view path) const { return find(path) != nullptr; }
    /// Null: nobody gave that key.
    const Source* find(std::string_view path) const;

    ConfigError at(Place place, std::string message) const;
    ConfigError at(const DocumentError& error) const { return at(error.place, error.message); }
    ConfigError error(const Source& source, std::string_view problem) const;
    /// `message` about the first of the keys that was given; the profile fits itself.
    ConfigError conflict(std::initializer_list<std::string_view> paths,
                         std::string_view message) const;

    const std::string& file() const { return file_; }

  private:
    std::string file_;
    std::map<std::string, Source, std::less<>> sources_;  // by the key's path
};

}  // namespace edgecase::config
