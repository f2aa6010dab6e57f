// Owns the reading of nginx's configuration, with what it includes, into its servers and levels.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "allowlist/nginx_levels.hpp"

namespace edgecase::allowlist {

struct NginxConfig {
    Level top;
    std::vector<Server> servers;
    std::shared_ptr<const Level> outer;  // the last `http` or `stream`
    std::optional<Level> site;           // `location /` of no server
    std::vector<Rule> between;           // what is included beside servers, and not known
    std::vector<Rule> within;            // what is included within servers, and not known
};

class NginxReader {
  public:
    NginxReader(Reading& into, uint32_t file) : into_(into), main_(file), file_(file) {}

    ReadResult read();
    NginxConfig take() && { return std::move(config_); }

  private:
    using Levels = std::vector<Level>;  // from the outermost

    ReadResult fail(const Token& token, std::string what);
    std::string_view split_listing(uint32_t& line);
    ReadResult directives(const std::vector<Token>& tokens, size_t& at, Levels& levels,
                          size_t depth, bool is_inner);
    ReadResult inner_block(const std::vector<Token>& tokens, size_t& at,
                           const std::vector<Token>& words, Levels& levels, size_t depth);
    void close(const std::vector<Token>& words, Level own, Level& outer);
    void condition(const std::vector<Token>& tokens, size_t at, const std::vector<Token>& words,
                   Levels& levels);
    ReadResult directive(const std::vector<Token>& words, Levels& levels, size_t depth);
    ReadResult access(const std::vector<Token>& words, Level& level, const Place& place);
    ReadResult include(const Token& pattern, Levels& levels, size_t depth);
    ReadResult read_text(std::string_view text, uint32_t line, Levels& levels, size_t depth);
    void note_backup(const std::string& name, const Token& pattern);
    void leave_open(const Token& pattern, Levels& levels, const std::string& why_not);

    Reading& into_;
    uint32_t main_;
    uint32_t file_;  // that is being read
    std::string root_;
    // Of `nginx -T`: each file's text, and the line where it begins.
    std::map<std::string, std::pair<std::string_view, uint32_t>> files_;
    std::string main_name_;
    NginxConfig config_;
    size_t first_without_outer_ = 0;  // of the servers
    bool has_directive_ = false;
    size_t count_ = 0;           // of directives
    size_t included_bytes_ = 0;  // a file may be included again and again
};

}  // namespace edgecase::allowlist
