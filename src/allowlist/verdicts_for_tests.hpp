// Owns the short form in which unit tests of readers ask for a verdict.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "allowlist/evaluate.hpp"
#include "allowlist/readers.hpp"

namespace edgecase::allowlist {

/// The rule sets, or a failed test. A name before the first newline is not looked for: sources are
/// called `a`, `b`...
inline Ruleset rules_of(std::vector<std::string> texts, std::string_view format = {}) {
    std::vector<Source> sources;
    std::string name = "a";
    for (std::string& text : texts) {
        sources.push_back({name, std::move(text)});
        ++name[0];
    }
    auto rules = read_rules(std::move(sources), format);
    if (!rules) {
        ADD_FAILURE() << rules.error().to_string();
        return {};
    }
    return std::move(*rules);
}

/// The rule sets of files whose names matter, or a failed test.
inline Ruleset named(std::vector<Source> sources, FindFiles find = {}) {
    auto rules = read_rules(std::move(sources), "", std::move(find));
    if (!rules) ADD_FAILURE() << rules.error().to_string();
    return rules ? std::move(*rules) : Ruleset();
}

/// What becomes of a connection from one address: `admitted`, `dropped`, `rejected CAUSE`,
/// `rate_limited` or `unknown`.
inline std::string verdict(const Ruleset& rules, std::string_view address, uint16_t port = 443,
                           std::string interface_in = {}) {
    const auto cidr = ip::Cidr::parse(address);
    Question question;
    question.family = cidr->family;
    question.port = port;
    question.interface_in = std::move(interface_in);
    const Judgement judgement = judge(rules, question, ip::AddressSet(*cidr));
    if (!judgement.admitted.empty()) return "admitted";
    if (!judgement.dropped.empty()) return "dropped";
    if (!judgement.rate_limited.empty()) return "rate_limited";
    if (!judgement.unknown.empty()) return "unknown";
    for (const Piece& piece : judgement.pieces) {
        if (piece.outcome != Outcome::rejected) continue;
        const Stage& stage = rules.stages[piece.decider.stage];
        const bool is_policy = piece.decider.rule == kPolicy;
        const auto sees = is_policy
                              ? stage.policy_sees
                              : rules.chains[piece.decider.chain].rules[piece.decider.rule].sees;
        return "rejected " + std::string(cause::row(sees).name);
    }
    return "nothing";
}

inline std::string error_of(std::string text, std::string_view format) {
    auto rules = read_rules({{"file", std::move(text)}}, format);
    return rules ? "none" : rules.error().to_string();
}

}  // namespace edgecase::allowlist
