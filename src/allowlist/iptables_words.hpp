// Owns the words of a line of iptables-save: split as its shell quoting says, and taken one by one.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <vector>

namespace edgecase::allowlist {

/// Views into the line; a word with a quote or a backslash is kept in `unquoted`.
class IptablesWords {
  public:
    explicit IptablesWords(std::string_view line);

    bool at_end() const { return at_ >= words_.size(); }
    std::string_view peek() const { return at_end() ? std::string_view() : words_[at_]; }
    std::string_view next() { return at_end() ? std::string_view() : words_[at_++]; }
    /// The next word is an option or the `!` before one.
    bool at_option() const { return at_end() || peek() == "!" || peek().starts_with('-'); }
    void skip_values() {
        while (!at_option()) ++at_;
    }

  private:
    std::vector<std::string_view> words_;
    std::list<std::string> unquoted_;
    size_t at_ = 0;
};

}  // namespace edgecase::allowlist
