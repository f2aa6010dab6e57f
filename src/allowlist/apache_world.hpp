// Owns which conditional sections of Apache's configuration are in force: as is known, or as one of
// the worlds has it that may be.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace edgecase::allowlist {

/// What `<IfModule>` and its like ask for. What nobody knows is assumed, and whoever reads reads
/// again in the other world.
class ApacheWorld {
  public:
    using Assumptions = std::map<std::string, bool>;
    explicit ApacheWorld(Assumptions assumed) : assumed_(std::move(assumed)) {}

    struct Answer {
        bool holds = true;
        std::string assumption;  // empty: it is known
    };
    /// `kind` in lower case: `ifmodule`. `test`: `!mod_ssl.c`.
    Answer ask(std::string_view kind, std::string_view test);
    static bool is_condition(std::string_view kind);

    /// `LoadModule ssl_module modules/mod_ssl.so`
    void load(std::string_view identifier, std::string_view file);
    void define(const std::string& name, bool is_defined) {
        known_["IfDefine " + name] = is_defined;
    }
    /// A directive, in lower case, that Apache refuses without its module.
    void meet(std::string_view directive);
    /// What stands in a section of this assumption may change the answer.
    void matters(const std::string& assumption) {
        if (!assumed_.contains(assumption)) mattering_.insert(assumption);
    }
    /// What matters and was taken to hold without anybody having said so.
    const std::set<std::string>& open() const { return mattering_; }

  private:
    Assumptions assumed_;
    Assumptions known_;
    std::set<std::string> mattering_;
};

}  // namespace edgecase::allowlist
