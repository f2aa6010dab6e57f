#include "config/sources.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace edgecase::config {

void Sources::add(std::string path, Source source) {
    sources_[std::move(path)] = std::move(source);
}

const Source* Sources::find(std::string_view path) const {
    const auto found = sources_.find(path);
    return found == sources_.end() ? nullptr : &found->second;
}

ConfigError Sources::at(Place place, std::string message) const {
    return ConfigError{file_, place.line, place.column, std::move(message)};
}

ConfigError Sources::error(const Source& source, std::string_view problem) const {
    std::string message = source.subject + " " + std::string(problem);
    if (source.is_flag) return ConfigError{{}, 0, 0, std::move(message)};
    return at(source.place, std::move(message));
}

ConfigError Sources::conflict(std::initializer_list<std::string_view> paths,
                              std::string_view message) const {
    for (const std::string_view path : paths) {
        if (const Source* source = find(path)) return error(*source, message);
    }
    return ConfigError{file_, 0, 0, std::string(*paths.begin()) + " " + std::string(message)};
}

}  // namespace edgecase::config
