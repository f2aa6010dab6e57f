// ModSecurity: `SecRule REMOTE_ADDR "@ipMatch ..." "..."`.
#include "allowlist/rule_parts.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

class ModsecurityReader {
  public:
    ModsecurityReader(Reading& into, uint32_t file) : into_(into), file_(file) {}

    ReadResult read() {
        ReadResult error;
        std::string continued;
        uint32_t first = 0;
        const std::string_view text = into_.source(file_).text;
        for_each_line(text, [&](uint32_t number, std::string_view line) {
            if (error) return;
            if (continued.empty()) first = number;
            if (line.ends_with('\\')) {
                continued += std::string(line.substr(0, line.size() - 1));
                return;
            }
            continued += line;
            const std::string what = read_line(base::trim(continued), {file_, first, 0});
            continued.clear();
            if (!what.empty()) {
                error = error_at(into_.source(file_),
                                 static_cast<size_t>(line.data() - text.data()), what);
            }
        });
        if (error) return error;
        if (!has_rule_) return ReadError{into_.source(file_).name, 1, 1, "no SecRule in it"};
        if (!is_on_) rules_.clear();
        Stage stage;
        stage.name = "modsecurity";
        stage.hook = Hook::application;
        stage.policy_place = {file_, 0, 0};
        stage.policy_text = is_on_ ? "no rule that matches" : "SecRuleEngine is not On";
        stage.is_for_first = true;
        add_stage(into_.rules, std::move(stage), std::move(rules_));
        return std::nullopt;
    }

  private:
    std::string read_line(std::string_view line, const Place& place) {
        if (line.empty() || line.front() == '#') return {};
        const auto words = words_of(line);
        if (base::iequals(words[0], "SecRuleEngine") && words.size() > 1) {
            is_on_ = base::iequals(words[1], "On");
        }
        if (!base::iequals(words[0], "SecRule")) return {};
        has_rule_ = true;
        if (words.size() < 3) return "a SecRule needs a variable and an operator";
        // A rule behind `chain` narrows the one before it.
        const bool is_chained = was_chain_;
        const std::string actions = words.size() > 3 ? base::to_lower(words[3]) : std::string();
        was_chain_ = has_action(actions, "chain");
        if (is_chained || !base::iequals(words[1], "REMOTE_ADDR")) return {};
        return read_rule(words[2], actions, place);
    }

    static bool has_action(std::string_view actions, std::string_view wanted) {
        bool found = false;
        base::for_each_list_element(actions, [&](std::string_view one) { found |= one == wanted; });
        return found;
    }

    std::string read_rule(std::string_view test, const std::string& actions, const Place& place) {
        std::vector<Match> matches;
        const bool is_negated = test.starts_with('!');
        if (is_negated) test.remove_prefix(1);
        const size_t blank = std::min(test.find(' '), test.size());
        if (base::iequals(test.substr(0, blank), "@ipMatch")) {
            std::vector<AddressRange> ranges;
            std::string wrong;
            base::for_each_list_element(test.substr(blank), [&](std::string_view one) {
                const auto range = AddressRange::parse(one);
                if (range) ranges.push_back(*range);
                if (!range && wrong.empty()) wrong = "`" + std::string(one) + "` is no address";
            });
            if (!wrong.empty()) return wrong;
            matches.push_back(from_addresses(ranges, is_negated));
        } else {
            matches.push_back(unknown_match("REMOTE_ADDR " + std::string(test)));
        }
        if (was_chain_) matches.push_back(unknown_match("a chained rule"));
        if (has_action(actions, "allow")) {
            rules_.push_back(make_rule(Action::accept, std::move(matches), place));
        } else if (has_action(actions, "drop")) {
            Rule rule = make_rule(Action::reject, std::move(matches), place);
            rule.sees = cause::Cause::resp_empty_fin;
            rules_.push_back(std::move(rule));
        } else if (has_action(actions, "deny") || has_action(actions, "block")) {
            rules_.push_back(make_refusal(status_of(actions), std::move(matches), place));
        }
        return {};
    }

    static uint16_t status_of(std::string_view actions) {
        uint16_t status = 403;
        base::for_each_list_element(actions, [&](std::string_view one) {
            if (!one.starts_with("status:")) return;
            const auto number = parse_ports(one.substr(7));
            if (number && number->first >= 100 && number->first <= 599) {
                status = static_cast<uint16_t>(number->first);
            }
        });
        return status;
    }

    Reading& into_;
    uint32_t file_;
    std::vector<Rule> rules_;
    bool has_rule_ = false;
    bool is_on_ = true;
    bool was_chain_ = false;
};

}  // namespace

ReadResult read_modsecurity(Reading& into, uint32_t file) {
    return ModsecurityReader(into, file).read();
}

}  // namespace edgecase::allowlist
