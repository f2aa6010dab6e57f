// Owns the names of what the build puts into the program: see embed.cmake.
#pragma once

#include <span>
#include <string_view>

namespace edgecase::admin {

struct EmbeddedFile {
    std::string_view name;
    std::string_view content;
};

/// The files of web/dist; empty when the dashboard was not built.
std::span<const EmbeddedFile> embedded_files();

extern const std::string_view kOpenApi;

}  // namespace edgecase::admin
