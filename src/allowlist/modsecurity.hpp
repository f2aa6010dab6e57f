// Owns the rules of ModSecurity about the client's address, as they are read line by line.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "allowlist/apache_sections.hpp"

namespace edgecase::allowlist {

/// Rules may stand anywhere in a server's configuration, so whoever reads that hands over its
/// lines.
class ModsecurityRules {
  public:
    /// One line, with those that continue it. What is wrong; empty: nothing.
    std::string read_line(std::string_view line, const Place& place);
    bool has_rule() const { return has_rule_; }
    /// Adds the stage. `file`: where the configuration begins.
    void finish(Reading& into, uint32_t file);

  private:
    /// For which part of the site the rules at this place are.
    struct Scope {
        Covers covers = Covers::yes;
        std::vector<Match> matches;  // what they demand as well
    };

    Scope scope() const;
    void set_engine(const std::string& state);
    std::string read_rule(std::string_view test, const std::string& actions, const Place& place);
    void add(std::vector<Match> matches, std::string actions, const Place& place);

    std::vector<Section> stack_;
    std::string root_;                             // DocumentRoot
    std::map<uint32_t, std::vector<Rule>> rules_;  // by phase, in whose order they run
    std::map<uint32_t, std::string> defaults_;     // SecDefaultAction, by phase
    std::vector<std::string> notes_;
    std::string head_;  // the actions of a chain's first rule
    bool has_rule_ = false;
    bool is_on_ = true;
    bool was_chain_ = false;
    bool is_engine_unclear_ = false;  // a part of the site, maybe all of it, has another state
    bool are_defaults_unclear_ = false;
};

}  // namespace edgecase::allowlist
