// ModSecurity: `SecRule REMOTE_ADDR "@ipMatch ..." "..."`.
#include "allowlist/modsecurity.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "allowlist/apache_world.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

bool has_action(std::string_view actions, std::string_view wanted) {
    bool found = false;
    base::for_each_list_element(actions, [&](std::string_view one) { found |= one == wanted; });
    return found;
}

bool has_any(std::string_view actions, std::initializer_list<std::string_view> wanted) {
    return std::ranges::any_of(wanted,
                               [&](std::string_view one) { return has_action(actions, one); });
}

uint32_t phase_of(std::string_view actions) {
    uint32_t phase = 2;
    base::for_each_list_element(actions, [&](std::string_view one) {
        if (!one.starts_with("phase:")) return;
        const std::string_view name = one.substr(6);
        if (name == "request") phase = 2;
        if (const auto number = parse_ports(name)) phase = number->first;
    });
    return phase;
}

uint16_t status_of(std::string_view actions) {
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

}  // namespace

ModsecurityRules::Scope ModsecurityRules::scope() const {
    Scope scope;
    for (const Section& section : stack_) {
        if (section.kind == "virtualhost") {
            if (const auto ports = ports_of(section); !ports.empty()) {
                scope.matches.push_back(to_ports(ports));
            }
            scope.matches.push_back(
                unknown_match("<VirtualHost " + section.name + ">: the name that is asked for"));
            continue;
        }
        Covers covered = Covers::perhaps;
        if (section.kind == "ifmodule" && section.name.contains("security")) {
            // Without the module its rules say nothing at all.
            covered = section.name.starts_with('!') ? Covers::no : Covers::yes;
        } else if (ApacheWorld::is_condition(section.kind)) {
            const auto answer = ApacheWorld({}).ask(section.kind, section.name);
            if (answer.assumption.empty()) covered = answer.holds ? Covers::yes : Covers::no;
        } else if (section.kind != "if" && section.kind != "elseif" && section.kind != "else") {
            covered = covers(section, root_);
        }
        if (covered == Covers::no) return {Covers::no, {}};
        if (covered == Covers::yes) continue;
        scope.covers = Covers::perhaps;
        scope.matches.push_back(unknown_match("<" + section.kind + " " + section.name +
                                              ">, which may not be the site"));
    }
    if (!scope.matches.empty()) scope.covers = Covers::perhaps;
    return scope;
}

void ModsecurityRules::set_engine(const std::string& state) {
    const bool is_on = base::iequals(state, "On");
    switch (scope().covers) {
        case Covers::yes:
            is_on_ = is_on;
            return;
        case Covers::perhaps:
            is_engine_unclear_ |= is_on != is_on_;
            return;
        case Covers::no:
            return;
    }
}

void ModsecurityRules::finish(Reading& into, uint32_t file) {
    if (!is_on_ && !is_engine_unclear_) rules_.clear();
    std::vector<Rule> rules;
    for (auto& [phase, of_phase] : rules_) {
        std::ranges::move(of_phase, std::back_inserter(rules));
    }
    if (is_engine_unclear_) {
        for (Rule& rule : rules) {
            rule.matches.push_back(unknown_match("SecRuleEngine, which a part of the site sets"));
        }
    }
    std::ranges::move(notes_, std::back_inserter(into.rules.notes));
    Stage stage;
    stage.name = "modsecurity";
    stage.hook = Hook::application;
    stage.policy_place = {file, 0, 0};
    stage.policy_text = is_on_ ? "no rule that matches" : "SecRuleEngine is not On";
    stage.is_for_first = true;
    stage.begins = file;
    add_stage(into.rules, std::move(stage), std::move(rules));
}

std::string ModsecurityRules::read_line(std::string_view line, const Place& place) {
    if (line.empty() || line.front() == '#') return {};
    if (line.starts_with("</")) {
        // Whoever reads the sections says where they do not fit.
        if (!stack_.empty()) stack_.pop_back();
        return {};
    }
    if (line.front() == '<') {
        stack_.push_back(section_of(line));
        return {};
    }
    const std::string name =
        base::to_lower(line.substr(0, std::min(line.find_first_of(" \t"), line.size())));
    if (name != "documentroot" && !name.starts_with("sec")) return {};
    const auto words = words_of(line);
    if (name == "documentroot" && words.size() > 1) root_ = without_slashes(words[1]);
    if (name == "secruleengine" && words.size() > 1) set_engine(words[1]);
    if (name == "secdefaultaction" && words.size() > 1) {
        const std::string actions = base::to_lower(words[1]);
        defaults_[phase_of(actions)] = actions;
        are_defaults_unclear_ |= scope().covers != Covers::yes;
    }
    if (name == "secaction" && words.size() > 1) {
        has_rule_ = true;
        add({}, base::to_lower(words[1]), place);
    }
    if (name != "secrule") return {};
    has_rule_ = true;
    if (words.size() < 3) return "a SecRule needs a variable and an operator";
    // A rule behind `chain` narrows the one before it.
    const bool is_chained = was_chain_;
    const std::string actions = words.size() > 3 ? base::to_lower(words[3]) : std::string();
    was_chain_ = has_action(actions, "chain");
    if (!is_chained) head_ = actions;
    if (is_chained || !base::iequals(words[1], "REMOTE_ADDR")) {
        if (base::to_lower(words[1]).contains("remote_addr")) {
            add({unknown_match(words[1] + " " + words[2])}, is_chained ? head_ : actions, place);
        }
        return {};
    }
    return read_rule(words[2], actions, place);
}

std::string ModsecurityRules::read_rule(std::string_view test, const std::string& actions,
                                        const Place& place) {
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

void ModsecurityRules::add(std::vector<Match> matches, std::string actions, const Place& place) {
    Scope where = scope();
    if (where.covers == Covers::no) {
        notes_.push_back(
            fmt::format("line {}: a rule of ModSecurity in <{} {}>; only whole sites are "
                        "judged",
                        place.line, stack_.back().kind, stack_.back().name));
        return;
    }
    std::ranges::move(where.matches, std::back_inserter(matches));
    const uint32_t phase = phase_of(actions);
    const auto keep = [&](Rule rule) { rules_[phase].push_back(std::move(rule)); };
    const bool is_block = has_action(actions, "block");
    if (!has_any(actions, {"allow", "deny", "drop", "pass", "block"}) || is_block) {
        // What a rule leaves open its phase's default says, whose status may be overruled.
        if (const auto found = defaults_.find(phase); found != defaults_.end()) {
            if (are_defaults_unclear_) {
                matches.push_back(unknown_match("SecDefaultAction, which a part of the site sets"));
                keep(make_rule(Action::unclear, std::move(matches), place));
                return;
            }
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
    } else if (has_any(actions, {"allow", "ctl:ruleengine=off", "ctl:ruleengine=detectiononly"})) {
        keep(make_rule(Action::accept, std::move(matches), place));
    }
}

ReadResult read_modsecurity(Reading& into, uint32_t file) {
    ModsecurityRules rules;
    ReadResult error;
    std::string continued;
    uint32_t first = 0;
    const std::string_view text = into.source(file).text;
    for_each_line(text, [&](uint32_t number, std::string_view line) {
        if (error) return;
        if (continued.empty()) first = number;
        if (line.ends_with('\\')) {
            continued += line.substr(0, line.size() - 1);
            return;
        }
        continued += line;
        const std::string what = rules.read_line(base::trim(continued), {file, first, 0});
        continued.clear();
        if (!what.empty()) {
            error =
                error_at(into.source(file), static_cast<size_t>(line.data() - text.data()), what);
        }
    });
    if (error) return error;
    if (!rules.has_rule()) return ReadError{into.source(file).name, 1, 1, "no SecRule in it"};
    rules.finish(into, file);
    return std::nullopt;
}

}  // namespace edgecase::allowlist
