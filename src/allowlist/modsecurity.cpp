// ModSecurity: `SecRule REMOTE_ADDR "@ipMatch ..." "..."`.
#include <algorithm>
#include <map>

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
        std::vector<Rule> rules;
        for (auto& [phase, of_phase] : rules_) {
            std::ranges::move(of_phase, std::back_inserter(rules));
        }
        Stage stage;
        stage.name = "modsecurity";
        stage.hook = Hook::application;
        stage.policy_place = {file_, 0, 0};
        stage.policy_text = is_on_ ? "no rule that matches" : "SecRuleEngine is not On";
        stage.is_for_first = true;
        add_stage(into_.rules, std::move(stage), std::move(rules));
        return std::nullopt;
    }

  private:
    std::string read_line(std::string_view line, const Place& place) {
        if (line.empty() || line.front() == '#') return {};
        const auto words = words_of(line);
        if (base::iequals(words[0], "SecRuleEngine") && words.size() > 1) {
            is_on_ = base::iequals(words[1], "On");
        }
        if (base::iequals(words[0], "SecDefaultAction") && words.size() > 1) {
            const std::string actions = base::to_lower(words[1]);
            defaults_[phase_of(actions)] = actions;
        }
        if (base::iequals(words[0], "SecAction") && words.size() > 1) {
            has_rule_ = true;
            add({}, base::to_lower(words[1]), place);
        }
        if (!base::iequals(words[0], "SecRule")) return {};
        has_rule_ = true;
        if (words.size() < 3) return "a SecRule needs a variable and an operator";
        // A rule behind `chain` narrows the one before it.
        const bool is_chained = was_chain_;
        const std::string actions = words.size() > 3 ? base::to_lower(words[3]) : std::string();
        was_chain_ = has_action(actions, "chain");
        if (!is_chained) head_ = actions;
        if (is_chained || !base::iequals(words[1], "REMOTE_ADDR")) {
            if (base::to_lower(words[1]).contains("remote_addr")) {
                add({unknown_match(words[1] + " " + words[2])}, is_chained ? head_ : actions,
                    place);
            }
            return {};
        }
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
        add(std::move(matches), actions, place);
        return {};
    }

    static bool has_any(std::string_view actions, std::initializer_list<std::string_view> wanted) {
        return std::ranges::any_of(wanted,
                                   [&](std::string_view one) { return has_action(actions, one); });
    }

    static uint32_t phase_of(std::string_view actions) {
        uint32_t phase = 2;
        base::for_each_list_element(actions, [&](std::string_view one) {
            if (!one.starts_with("phase:")) return;
            const std::string_view name = one.substr(6);
            if (name == "request") phase = 2;
            if (const auto number = parse_ports(name)) phase = number->first;
        });
        return phase;
    }

    void add(std::vector<Match> matches, std::string actions, const Place& place) {
        const uint32_t phase = phase_of(actions);
        const auto keep = [&](Rule rule) { rules_[phase].push_back(std::move(rule)); };
        const bool is_block = has_action(actions, "block");
        if (!has_any(actions, {"allow", "deny", "drop", "pass", "block"}) || is_block) {
            // What a rule leaves open its phase's default says, whose status may be overruled.
            if (const auto found = defaults_.find(phase); found != defaults_.end()) {
                actions = found->second + "," + actions;
            } else if (is_block) {
                actions += ",deny";
            }
        }
        if (has_action(actions, "drop")) {
            Rule rule = make_rule(Action::reject, std::move(matches), place);
            rule.sees = cause::Cause::resp_empty_fin;
            keep(std::move(rule));
        } else if (has_action(actions, "deny")) {
            keep(make_refusal(status_of(actions), std::move(matches), place));
        } else if (has_any(actions,
                           {"allow", "ctl:ruleengine=off", "ctl:ruleengine=detectiononly"})) {
            keep(make_rule(Action::accept, std::move(matches), place));
        }
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
    std::map<uint32_t, std::vector<Rule>> rules_;  // by phase, in whose order they run
    std::map<uint32_t, std::string> defaults_;     // SecDefaultAction, by phase
    std::string head_;                             // the actions of a chain's first rule
    bool has_rule_ = false;
    bool is_on_ = true;
    bool was_chain_ = false;
};

}  // namespace

ReadResult read_modsecurity(Reading& into, uint32_t file) {
    return ModsecurityReader(into, file).read();
}

}  // namespace edgecase::allowlist
