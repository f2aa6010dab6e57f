#include "cli/ranges_input.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "allowlist/readers.hpp"
#include "cli/ranges_command.hpp"
#include "cli/ranges_fetch.hpp"

namespace edgecase::cli {
namespace {

using allowlist::Source;

struct LiveCommand {
    std::vector<std::string> argv;
    bool may_be_empty;
};

/// Each with everything it shows; iptables-save shows its own backend alone.
std::vector<LiveCommand> live_commands() {
    return {{{"nft", "-a", "list", "ruleset"}, true},
            {{"iptables-save"}, true},
            {{"ip6tables-save"}, true},
            {{"iptables-legacy-save"}, true},
            {{"ip6tables-legacy-save"}, true},
            {{"ipset", "save"}, true}};
}

}  // namespace

std::expected<Source, std::string> read_source(const std::string& path, size_t most_bytes) {
    Source source{path == "-" ? "standard input" : path, ""};
    std::ifstream file;
    if (path != "-") {
        file.open(path, std::ios::binary);
        if (!file) return std::unexpected(path + ": " + std::strerror(errno));
    }
    std::error_code error;
    const auto size = path == "-" ? 0 : std::filesystem::file_size(path, error);
    // Not of what is no file: of a pipe nobody knows.
    if (!error) source.text.reserve(std::min<size_t>(size, most_bytes));
    std::istream& stream = path == "-" ? std::cin : file;
    std::array<char, 65536> block{};
    while (stream) {
        stream.read(block.data(), block.size());
        source.text.append(block.data(), static_cast<size_t>(stream.gcount()));
        if (source.text.size() > most_bytes) {
            return std::unexpected(source.name + ": is larger than can be read");
        }
    }
    if (stream.bad()) return std::unexpected(source.name + ": cannot be read");
    if (path != "-" && source.text.empty()) {
        // A directory opens, and gives nothing.
        return std::unexpected(source.name + ": is empty or no file");
    }
    return source;
}

std::expected<std::vector<Source>, std::string> live_sources() {
    std::vector<Source> sources;
    std::string refused;
    for (const LiveCommand& command : live_commands()) {
        std::string name;
        for (const std::string& word : command.argv) name += (name.empty() ? "" : " ") + word;
        const auto output = run_command(command.argv, allowlist::kMaxSourceBytes);
        if (!output) {
            refused += (refused.empty() ? "" : "; ") + name + ": " + output.error();
            continue;
        }
        if (!output->is_found) continue;
        if (output->status != 0) {
            refused += (refused.empty() ? "" : "; ") + name + ": " + output->errors;
            continue;
        }
        // A backend without rules is in nobody's way.
        if (output->text.find_first_not_of(" \n") != std::string::npos) {
            sources.push_back({name, output->text});
        }
    }
    // One that may not be asked may have the rule that matters.
    if (!refused.empty()) return std::unexpected(refused);
    if (sources.empty()) {
        return std::unexpected("no firewall tool is installed, or none has any rule");
    }
    return sources;
}

std::expected<allowlist::Published, std::string> published_of(const std::string& file,
                                                              const std::string& url,
                                                              const std::string& ca) {
    if (!file.empty() && !url.empty()) return std::unexpected("--ranges or --url, not both");
    if (file.empty() && url.empty()) return allowlist::built_in();
    auto source = url.empty() ? read_source(file, kMaxListBytes) : fetch(url, ca);
    if (!source) return std::unexpected(source.error());
    auto published = allowlist::parse_published(*source);
    if (!published) return std::unexpected(published.error().to_string());
    return std::move(*published);
}

}  // namespace edgecase::cli
