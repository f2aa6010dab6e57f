// Owns the files that a web server's configuration includes: which of them are known, as sources.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "allowlist/model.hpp"

namespace edgecase::allowlist {

/// Each bounds what a configuration that includes itself costs.
constexpr size_t kMaxIncludedFiles = 10'000;
constexpr size_t kMaxIncludedBytes = size_t{64} << 20;
constexpr size_t kMaxIncludeDepth = 16;

struct FoundFiles {
    std::vector<Source> files;  // in the order in which a server reads them
    std::string why_not;        // not empty: nobody knows what is there
};
/// Looks for the files of a pattern (glob(7)) of absolute paths on this machine's disk.
using FindFiles = std::function<FoundFiles(const std::string& pattern)>;

struct Included {
    std::vector<uint32_t> files;  // sources
    std::string why_not;          // not empty: it is not known what is included
};

/// An old copy of a file, by its name: nobody means a server to read it.
bool is_backup(std::string_view name);

class Includes {
  public:
    /// `given`: the sources that there are before any is included. Without `find` only those are
    /// found.
    void begin(size_t given, FindFiles find) {
        given_ = given;
        find_ = std::move(find);
    }

    /// What `pattern` stands for in the configuration that begins with source `main`; a relative
    /// one is below `root`. The answer stays where it is.
    const Included& of(Ruleset& rules, uint32_t main, const std::string& root,
                       const std::string& pattern);

    /// Given by itself, and included by another one: it is read there.
    bool is_taken(uint32_t file) const { return taken_.contains(file); }
    const std::set<uint32_t>& taken() const { return taken_; }

    /// The folder that relative names are below, if nothing else is said: the main file's, or the
    /// one above `sites-enabled` and its like.
    static std::string root_of(const Source& main);

  private:
    Included look(Ruleset& rules, uint32_t main, const std::string& root,
                  const std::string& pattern);
    Included among_given(Ruleset& rules, uint32_t main, const std::string& pattern);

    FindFiles find_;
    std::map<std::string, Included> answers_;
    std::map<std::string, uint32_t> by_path_;
    std::set<uint32_t> taken_;
    size_t given_ = 0;  // sources that no other one includes
    size_t files_ = 0;
    size_t bytes_ = 0;
};

}  // namespace edgecase::allowlist
