#include <algorithm>
#include <array>

#include "allowlist/contains.hpp"
#include "allowlist/nft_reader.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

/// They change nothing that matters here, and end with their line.
constexpr std::array<std::string_view, 3> kHarmlessToTheEnd{"flow", "dup", "secmark"};

}  // namespace

ReadResult NftRule::read() {
    const uint32_t line = lexer_.line();
    first_rule_ = chain_.rules.size();
    lexer_.take_handle();
    lexer_.peek();
    const size_t begin = lexer_.offset();
    while (!lexer_.peek().ends_rule()) statement();
    if (reader_.definitions_.is_exhausted()) return reader_.too_many_expanded();
    if (reader_.rules_ > kMaxRules) return reader_.fail("more rules than can be read");
    const uint64_t handle = lexer_.take_handle();
    std::string text;
    if (reader_.is_translated_ && chain_.rules.size() > first_rule_) {
        text = std::string(base::trim(reader_.text_.substr(begin, lexer_.offset() - begin)));
        text = text.substr(0, text.find(" # handle "));
    }
    for (size_t i = first_rule_; i < chain_.rules.size(); ++i) {
        chain_.rules[i].place = reader_.place(line, handle);
        chain_.rules[i].text = text;
    }
    return std::nullopt;
}

void NftRule::emit(Action action, std::string_view chain, cause::Cause sees) {
    // A map becomes a rule for each element wherever it is used.
    if (++reader_.rules_ > kMaxRules) return;
    Rule rule;
    rule.matches = matches_;
    rule.action = action;
    if (action == Action::drop || action == Action::reject) rule.sees = sees;
    if (!chain.empty()) rule.chain = reader_.chain_at(table_, chain);
    chain_.rules.push_back(std::move(rule));
    has_verdict_ = true;
}

void NftRule::skip_rest() {
    while (!lexer_.peek().ends_rule()) {
        if (lexer_.next().is("{")) lexer_.skip_block();
    }
}

/// The rest of the rule is not understood: only what it decides is looked for.
void NftRule::give_up(std::string what) {
    matches_.push_back(unknown_match(std::move(what)));
    while (!lexer_.peek().ends_rule()) {
        Action action = Action::proceed;
        std::string_view chain;
        if (read_verdict(lexer_, action, chain)) {
            emit(action, chain);
        } else if (lexer_.accept("reject")) {
            reject();
        } else if (lexer_.next().is("{")) {
            lexer_.skip_block();
        }
    }
    if (!has_verdict_) emit(Action::unclear);
}

void NftRule::statement() {
    const NftToken token = lexer_.peek();
    if (token.kind == NftKind::word) {
        if (simple_statement(token.text) || deciding_statement(token.text)) return;
        if (auto key = read_nft_key(lexer_)) {
            std::vector<NftKey> keys{std::move(*key)};
            while (lexer_.accept(".")) {
                auto more = read_nft_key(lexer_);
                if (!more) return give_up("a concatenation");
                keys.push_back(std::move(*more));
            }
            return match_statement(std::move(keys));
        }
    }
    std::string what(lexer_.next().text);
    if (token.is("{")) lexer_.skip_block();
    give_up(std::move(what));
}

bool NftRule::simple_statement(std::string_view word) {
    if (word == "counter") {
        lexer_.next();
        if (lexer_.accept("packets")) {
            lexer_.next();
            if (lexer_.accept("bytes")) lexer_.next();
        } else if (lexer_.accept("name")) {
            lexer_.next();
        }
    } else if (word == "comment") {
        lexer_.next();
        lexer_.next();
    } else if (word == "log") {
        lexer_.next();
        log();
    } else if (word == "limit") {
        lexer_.next();
        limit();
    } else if (word == "add" || word == "update" || word == "delete" || word == "meter") {
        lexer_.next();
        touch_set();
    } else if (word == "notrack") {
        lexer_.next();
        reader_.into_.rules.skips_tracking = true;
    } else if (contains(kHarmlessToTheEnd, word)) {
        skip_rest();
    } else {
        return false;
    }
    return true;
}

bool NftRule::deciding_statement(std::string_view word) {
    Action action = Action::proceed;
    std::string_view chain;
    if (read_verdict(lexer_, action, chain)) {
        if (action != Action::proceed) emit(action, chain);
        skip_rest();
        return true;
    }
    if (word == "reject") {
        lexer_.next();
        reject();
        return true;
    }
    if (word == "masquerade" || word == "snat") {
        emit(Action::accept);  // of the source of what leaves: it ends the chain and admits
        skip_rest();
        return true;
    }
    constexpr std::array<std::string_view, 7> kUnclear{"queue",    "dnat", "redirect", "tproxy",
                                                       "synproxy", "fwd",  "xt"};
    if (!contains(kUnclear, word)) return false;
    if (word == "xt") {
        lexer_.next();
        if (lexer_.accept("match")) {
            give_up("an iptables match, whose parameters only iptables-save shows");
            return true;
        }
    }
    emit(Action::unclear);
    skip_rest();
    return true;
}

/// `with tcp reset`, `with icmp port-unreachable`, `with icmpx type admin-prohibited`
void NftRule::reject() {
    std::string type = "port-unreachable";
    if (lexer_.accept("with")) {
        if (lexer_.accept("tcp")) {
            lexer_.next();
            type = "tcp-reset";
        } else {
            // An error of one family is for packets of that family alone.
            const std::string_view family = lexer_.next().text;
            if (family != "icmpx") {
                matches_.push_back(
                    {MatchKind::family, false, family == "icmpv6" ? 1U : 0U, 0, nullptr});
            }
            lexer_.accept("type");
            type = std::string(lexer_.next().text);
        }
    }
    emit(Action::reject, {}, cause_of_rejection(type));
    skip_rest();
}

void NftRule::log() {
    constexpr std::array<std::string_view, 7> kWithValue{
        "prefix", "level", "group", "snaplen", "queue-threshold", "flags", "audit"};
    while (lexer_.peek().kind == NftKind::word && contains(kWithValue, lexer_.peek().text)) {
        const bool has_flags = lexer_.next().text == "flags";
        if (lexer_.peek().ends_rule()) return;
        const bool has_layer = has_flags && (lexer_.peek().is("tcp") || lexer_.peek().is("ip"));
        lexer_.next();
        if (has_layer && !lexer_.peek().ends_rule()) lexer_.next();
        while (lexer_.accept(",")) lexer_.next();
    }
}

/// `rate [over] 10/second [burst 5 packets]`, `rate 1 mbytes/second`, `name "x"`
void NftRule::limit() {
    Match match{MatchKind::limit, false, 0, 0, nullptr};
    if (lexer_.accept("rate")) {
        match.is_negated = lexer_.accept("over");
        lexer_.next();
        if (lexer_.peek().kind == NftKind::word && lexer_.peek().text.contains("bytes/")) {
            lexer_.next();
        }
        if (lexer_.accept("burst")) {
            lexer_.next();
            lexer_.next();
        }
    } else {
        lexer_.accept("name");
        lexer_.next();
    }
    matches_.push_back(std::move(match));
}

/// `add @SET { ip saddr limit rate over 10/second }`: the set changes as packets come; a limit
/// within is a match.
void NftRule::touch_set() {
    const std::string_view name = lexer_.next().text;
    if (name.starts_with('@')) scope_.sets.at(scope_.name, name.substr(1))->make_dynamic();
    if (lexer_.accept("size")) lexer_.next();
    if (!lexer_.accept("{")) return;
    size_t depth = 1;
    while (depth > 0 && lexer_.peek().kind != NftKind::end) {
        if (lexer_.accept("limit")) {
            limit();
        } else if (lexer_.accept("ct")) {
            if (!lexer_.accept("count")) continue;
            matches_.push_back({MatchKind::limit, lexer_.accept("over"), 0, 0, nullptr});
        } else {
            const NftToken token = lexer_.next();
            if (token.is("{")) ++depth;
            if (token.is("}")) --depth;
        }
    }
}

void NftRule::match_statement(std::vector<NftKey> keys) {
    for (const NftKey& key : keys) {
        matches_.insert(matches_.end(), key.guards.begin(), key.guards.end());
    }
    if (keys.size() == 1 && lexer_.accept("set")) {
        // A field of the packet is written. Marks are matched later on.
        reader_.into_.rules.sets_marks |= keys[0].kind == NftKey::Kind::mark;
        while (lexer_.peek().kind == NftKind::string || lexer_.peek().kind == NftKind::word ||
               lexer_.peek().kind == NftKind::sign) {
            const NftToken token = lexer_.peek();
            if (token.ends_rule() || token.is("counter") || token.is("accept") ||
                token.is("drop") || token.is("return") || token.is("jump") || token.is("goto") ||
                token.is("comment")) {
                return;
            }
            lexer_.next();
            if (token.is("{")) lexer_.skip_block();
        }
        return;
    }
    if (keys[0].text == "ct count") {
        matches_.push_back({MatchKind::limit, lexer_.accept("over"), 0, 0, nullptr});
        lexer_.next();
        return;
    }
    NftValues values;
    if (!read_values(lexer_, reader_.definitions_, values)) return give_up(keys[0].text);
    if (values.is_map) return expand_map(keys, values);
    matches_.push_back(nft_match(keys, values, scope_));
}

/// A lookup that finds nothing goes on with the next rule; so does a rule for each element.
void NftRule::expand_map(const std::vector<NftKey>& keys, const NftValues& values) {
    std::vector<NftElement> elements = values.elements;
    VerdictMap* named = nullptr;
    if (!values.set_name.empty()) {
        named = &scope_.sets.map_at(scope_.name, values.set_name);
        if (!named->is_defined || named->is_dynamic) {
            return give_up("the map @" + std::string(values.set_name));
        }
        for (const MapElement& one : named->elements) {
            NftElement element;
            for (const std::string& part : one.parts) element.parts[element.count++] = part;
            element.action = one.action;
            element.chain = one.chain;
            element.has_verdict = true;
            elements.push_back(element);
        }
    }
    // `*` is for all that no other element has.
    const auto is_default = [](const NftElement& element) {
        return element.count == 1 && element.parts[0] == "*";
    };
    const bool has_default = std::ranges::any_of(elements, is_default);
    const size_t before = matches_.size();
    std::vector<Match> gone_on;  // what comes back from its verdict is not for the default
    for (const NftElement& element : elements) {
        if (is_default(element)) continue;
        NftValues one;
        one.is_set = true;
        one.elements = {element};
        const Match match = nft_match(keys, one, scope_);
        if (has_default && (element.action == Action::proceed || element.action == Action::jump)) {
            gone_on.push_back(match);
            gone_on.back().is_negated = !match.is_negated;
        }
        if (element.action == Action::proceed) continue;
        matches_.push_back(match);
        emit(element.action, element.chain);
        matches_.resize(before);
    }
    for (const NftElement& element : elements) {
        if (!is_default(element) || element.action == Action::proceed) continue;
        matches_.insert(matches_.end(), gone_on.begin(), gone_on.end());
        emit(element.action, element.chain);
        matches_.resize(before);
    }
    has_verdict_ = true;
    skip_rest();
}

}  // namespace edgecase::allowlist
