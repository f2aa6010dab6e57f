#include "allowlist/includes.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>

#include "allowlist/contains.hpp"

namespace edgecase::allowlist {
namespace {

std::string folder_of(std::string_view path) {
    const size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? "" : std::string(path.substr(0, slash));
}

/// `../`, `//` and `./` of names are for the disk, not for a comparison of names.
bool fits(const std::string& pattern, const std::string& name) {
    return fnmatch(pattern.c_str(), name.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0;
}

/// A configuration that was copied from another machine names paths there, which are others here.
bool is_at_home(std::string_view main, std::string_view root, std::string_view pattern) {
    const auto is_below = [&](std::string_view folder) {
        return !folder.empty() && pattern.starts_with(folder) &&
               pattern.substr(folder.size()).starts_with('/');
    };
    if (is_below(folder_of(main)) || (main.starts_with(root) && is_below(root))) return true;
    constexpr std::array<std::string_view, 4> kOfSystems{"/etc/", "/usr/", "/opt/", "/var/"};
    return std::ranges::any_of(kOfSystems,
                               [&](std::string_view one) { return main.starts_with(one); });
}

}  // namespace

bool is_backup(std::string_view name) {
    constexpr std::array<std::string_view, 9> kEnds{
        "~", ".previous", ".bak", ".old", ".orig", ".save", ".backup", ".dpkg-old", ".dpkg-dist"};
    return std::ranges::any_of(kEnds, [&](std::string_view end) { return name.ends_with(end); });
}

std::string Includes::root_of(const Source& main) {
    constexpr std::array<std::string_view, 9> kParts{
        "sites-enabled", "sites-available", "conf-enabled", "conf-available", "conf.d",
        "snippets",      "mods-enabled",    "vhosts.d",     "default.d"};
    const std::string folder = folder_of(main.path.empty() ? main.name : main.path);
    const std::string last = folder.substr(folder.rfind('/') + 1);
    return contains(kParts, last) ? folder_of(folder) : folder;
}

const Included& Includes::of(Ruleset& rules, uint32_t main, const std::string& root,
                             const std::string& pattern) {
    const std::string key = std::to_string(main) + "\n" + root + "\n" + pattern;
    if (const auto found = answers_.find(key); found != answers_.end()) return found->second;
    return answers_.emplace(key, look(rules, main, root, pattern)).first->second;
}

Included Includes::among_given(Ruleset& rules, uint32_t main, const std::string& pattern) {
    Included found;
    for (uint32_t i = 0; i < given_; ++i) {
        const Source& source = rules.sources[i];
        if (i == main || (!fits(pattern, source.name) && !fits(pattern, source.path))) continue;
        found.files.push_back(i);
        taken_.insert(i);
    }
    std::ranges::sort(found.files, {}, [&](uint32_t i) { return rules.sources[i].name; });
    return found;
}

Included Includes::look(Ruleset& rules, uint32_t main, const std::string& root,
                        const std::string& pattern) {
    const Source& source = rules.sources[main];
    if (pattern.find_first_of("$%") != std::string::npos) return {{}, "its name has a variable"};
    const std::string path =
        pattern.starts_with('/') || root.empty() ? pattern : root + "/" + pattern;
    if (!find_ || source.path.empty() || !is_at_home(source.path, root, path)) {
        Included found = among_given(rules, main, path);
        if (found.files.empty()) found.why_not = "it is not among the files that were given";
        return found;
    }
    FoundFiles on_disk = find_(path);
    Included found;
    found.why_not = std::move(on_disk.why_not);
    for (Source& file : on_disk.files) {
        const auto known = by_path_.find(file.path);
        if (known != by_path_.end()) {
            found.files.push_back(known->second);
            continue;
        }
        bytes_ += file.text.size();
        if (++files_ > kMaxIncludedFiles || bytes_ > kMaxIncludedBytes) {
            found.why_not = "it has more files than can be read";
            break;
        }
        for (uint32_t i = 0; i < given_; ++i) {
            if (i != main && rules.sources[i].path == file.path) taken_.insert(i);
        }
        const auto index = static_cast<uint32_t>(rules.sources.size());
        by_path_.emplace(file.path, index);
        rules.sources.push_back(std::move(file));
        rules.formats.emplace_back("included");
        found.files.push_back(index);
    }
    return found;
}

}  // namespace edgecase::allowlist
