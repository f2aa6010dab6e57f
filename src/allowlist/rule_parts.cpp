#include "allowlist/rule_parts.hpp"

namespace edgecase::allowlist {
namespace {

Match address_match(MatchKind kind, std::span<const AddressRange> ranges, bool is_negated) {
    SetBuilder builder;
    builder.define({});
    for (const AddressRange& range : ranges) builder.add(range);
    builder.finish();
    return {kind, is_negated, 0, 0, builder.operand()};
}

}  // namespace

Match from_addresses(std::span<const AddressRange> ranges, bool is_negated) {
    return address_match(MatchKind::source, ranges, is_negated);
}

Match to_addresses(std::span<const AddressRange> ranges) {
    return address_match(MatchKind::destination, ranges, false);
}

Match to_ports(std::span<const PortRange> ports) {
    auto operand = std::make_shared<Operand>();
    operand->ports.assign(ports.begin(), ports.end());
    return {MatchKind::destination_port, false, 0, 0, std::move(operand)};
}

Match only_family(ip::Family family) {
    return {MatchKind::family, false, static_cast<uint32_t>(family), 0, nullptr};
}

Match rate_limit() {
    return {MatchKind::limit, false, 0, 0, nullptr};
}

Rule make_rule(Action action, std::vector<Match> matches, Place place, std::string text) {
    Rule rule;
    rule.matches = std::move(matches);
    rule.action = action;
    if (action == Action::drop) rule.sees = cause::Cause::connect_timeout;
    if (action == Action::reject) rule.sees = cause::Cause::connect_rejected;
    rule.place = place;
    rule.text = std::move(text);
    return rule;
}

Rule make_refusal(uint16_t http_status, std::vector<Match> matches, Place place) {
    Rule rule = make_rule(Action::reject, std::move(matches), place);
    rule.sees = cause::Cause::origin_status;
    rule.http_status = http_status;
    return rule;
}

void add_stage(Ruleset& rules, Stage stage, std::vector<Rule> chain) {
    rules.speaks_of = {true, true};
    stage.chain = static_cast<uint32_t>(rules.chains.size());
    rules.chains.push_back({stage.name, std::move(chain), true});
    rules.stages.push_back(std::move(stage));
}

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    for (size_t at = 0; at < line.size();) {
        if (line[at] == ' ' || line[at] == '\t') {
            ++at;
            continue;
        }
        std::string word;
        bool is_quoted = false;
        for (; at < line.size(); ++at) {
            if (line[at] == '"') {
                is_quoted = !is_quoted;
            } else if (!is_quoted && (line[at] == ' ' || line[at] == '\t')) {
                break;
            } else {
                word += line[at];
            }
        }
        words.push_back(std::move(word));
    }
    return words;
}

}  // namespace edgecase::allowlist
