// Owns the reading of Apache's configuration, with what it includes, in one of the worlds that may
// be.
#pragma once

#include <expected>
#include <set>
#include <string>
#include <vector>

#include "allowlist/apache_sections.hpp"
#include "allowlist/apache_world.hpp"
#include "allowlist/modsecurity.hpp"

namespace edgecase::allowlist {

struct ApacheConfig {
    Section top;
    std::vector<Section> hosts;
    std::vector<AddressRange> trusted;  // of mod_remoteip
    bool satisfies_any = false;
    bool merges = false;
    bool has_directive = false;  // one that is about access
    std::vector<std::string> notes;
    std::set<uint32_t> files;  // that were read
};

class ApacheReader {
  public:
    /// `modsecurity`: who is told of each line; may be null. `lines`: how many may still be read.
    ApacheReader(Reading& into, uint32_t file, ApacheWorld& world, ModsecurityRules* modsecurity,
                 size_t& lines)
        : into_(into),
          main_(file),
          file_(file),
          world_(world),
          modsecurity_(modsecurity),
          lines_(lines),
          root_(Includes::root_of(into.source(file))) {}

    std::expected<ApacheConfig, ReadError> read();

  private:
    /// Each gives what is wrong; empty: nothing.
    std::string read_line(std::string_view line, const Place& place);
    std::string directive(std::string_view line, const Place& place);
    std::string require(const std::vector<std::string>& words, Section& section,
                        const Place& place);
    std::string open(std::string_view line, const Place& place);
    std::string close(std::string_view line);

    ReadResult read_file(uint32_t file);
    void about_server(const std::string& name, const std::vector<std::string>& words);
    void remote_ip(const std::string& name, const std::vector<std::string>& words);
    void include(std::string_view line, const std::string& pattern, const Place& place);
    bool has_assumption() const { return assumptions_ > 0; }
    void mark_assumptions();
    Section& host();

    Reading& into_;
    uint32_t main_;
    uint32_t file_;  // that is being read
    ApacheWorld& world_;
    ModsecurityRules* modsecurity_;
    size_t& lines_;
    std::string root_;  // ServerRoot
    ApacheConfig config_;
    std::vector<Section> stack_;
    ReadResult error_;  // of a file that is included
    size_t depth_ = 0;
    size_t sections_ = 0;
    size_t skipped_ = 0;      // of the sections on the stack
    size_t assumptions_ = 0;  // likewise
    bool has_remote_header_ = false;
    bool has_proxies_ = false;
};

}  // namespace edgecase::allowlist
