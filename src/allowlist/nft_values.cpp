#include "allowlist/nft_values.hpp"

namespace edgecase::allowlist {
namespace {

constexpr int kMaxDefinitionDepth = 8;  // of definitions that name others

bool is_value(const NftToken& token) {
    return token.kind == NftKind::word || token.kind == NftKind::string;
}

/// `a | b`, in parentheses or not.
bool read_flags(NftLexer& lexer, std::vector<std::string_view>& into) {
    const bool has_parenthesis = lexer.accept("(");
    do {
        if (!is_value(lexer.peek())) return false;
        into.push_back(lexer.next().text);
    } while (lexer.accept("|") || lexer.accept(","));
    return !has_parenthesis || lexer.accept(")");
}

/// What an element may have behind it: `timeout 1h expires 5m counter packets 0 bytes 0`.
/// What is not known is skipped: it does not change who is in the set.
bool skip_extras(NftLexer& lexer) {
    while (true) {
        const NftToken& token = lexer.peek();
        if (token.kind == NftKind::newline || token.kind == NftKind::string) {
            lexer.next();
            continue;
        }
        if (token.kind != NftKind::word || token.text == ":") return true;
        lexer.next();
    }
}

bool use_definition(std::string_view name, const NftDefinitions& definitions,
                    std::vector<NftElement>& into, int depth) {
    const auto found = definitions.texts.find(name.substr(1));
    if (found == definitions.texts.end() || depth >= kMaxDefinitionDepth) return false;
    if (++definitions.expanded, definitions.is_exhausted()) return false;
    NftLexer inner(found->second);
    inner.accept("{");
    return read_elements(inner, definitions, into, depth + 1);
}

/// `a . b . c`; the colon behind a map's key may touch it.
bool read_key(NftLexer& lexer, NftElement& element, bool& has_colon) {
    while (true) {
        if (!is_value(lexer.peek())) return false;
        const NftToken token = lexer.next();
        std::string_view text = token.text;
        has_colon = token.kind == NftKind::word && text.size() > 1 && text.ends_with(':') &&
                    !text.substr(0, text.size() - 1).contains(':');
        if (has_colon) text.remove_suffix(1);
        if (element.count == NftElement::kMaxParts) return false;
        element.parts[element.count++] = text;
        if (has_colon) return true;
        lexer.skip_newlines();
        if (!lexer.accept(".")) return true;
        lexer.skip_newlines();
    }
}

bool read_element(NftLexer& lexer, const NftDefinitions& definitions, std::vector<NftElement>& into,
                  int depth) {
    if (lexer.peek().kind == NftKind::word && lexer.peek().text.starts_with('$')) {
        return use_definition(lexer.next().text, definitions, into, depth);
    }
    NftElement element;
    bool has_colon = false;
    if (!read_key(lexer, element, has_colon)) return false;
    if (!has_colon) {
        if (!skip_extras(lexer)) return false;
        has_colon = lexer.accept(":");
    }
    if (has_colon) {
        lexer.skip_newlines();
        element.has_verdict = read_verdict(lexer, element.action, element.chain);
        if (!element.has_verdict) {
            element.action = Action::unclear;  // a map of other values
            while (is_value(lexer.peek())) lexer.next();
        }
        if (!skip_extras(lexer)) return false;
    }
    into.push_back(element);
    if (depth > 0 && (++definitions.expanded, definitions.is_exhausted())) return false;
    return into.size() <= kMaxElements;
}

NftValues::Operator read_operator(NftLexer& lexer) {
    using Operator = NftValues::Operator;
    if (lexer.accept("==")) return Operator::equal;
    if (lexer.accept("!=")) return Operator::unequal;
    if (lexer.accept("<=")) return Operator::at_most;
    if (lexer.accept(">=")) return Operator::at_least;
    if (lexer.accept("<")) return Operator::less;
    if (lexer.accept(">")) return Operator::greater;
    if (lexer.accept("!")) return Operator::none;
    return Operator::implicit;
}

bool read_plain(NftLexer& lexer, const NftDefinitions& definitions, NftValues& into) {
    if (lexer.peek().kind == NftKind::word && lexer.peek().text.starts_with('$')) {
        into.is_set = true;
        return use_definition(lexer.next().text, definitions, into.elements, 0);
    }
    // A concatenation without braces is one element; a list with commas or bars is of flags.
    do {
        NftElement element;
        const bool has_parenthesis = lexer.accept("(");
        while (is_value(lexer.peek())) {
            if (element.count == NftElement::kMaxParts) return false;
            element.parts[element.count++] = lexer.next().text;
            if (!lexer.accept(".")) break;
        }
        if (element.count == 0) return false;
        into.elements.push_back(element);
        if (has_parenthesis && lexer.peek().is("|")) continue;
        if (has_parenthesis && !lexer.accept(")")) return false;
    } while (lexer.accept(",") || lexer.accept("|"));
    lexer.accept(")");
    if (lexer.accept("/")) {
        into.has_mask = true;
        return read_flags(lexer, into.mask);
    }
    return true;
}

}  // namespace

bool read_verdict(NftLexer& lexer, Action& action, std::string_view& chain) {
    const NftToken& token = lexer.peek();
    if (token.kind != NftKind::word) return false;
    if (token.text == "accept") {
        action = Action::accept;
    } else if (token.text == "drop") {
        action = Action::drop;
    } else if (token.text == "return") {
        action = Action::give_back;
    } else if (token.text == "continue") {
        action = Action::proceed;
    } else if (token.text == "jump" || token.text == "goto") {
        action = token.text == "jump" ? Action::jump : Action::go_to;
        lexer.next();
        if (!is_value(lexer.peek())) return false;
        chain = lexer.next().text;
        return true;
    } else {
        return false;
    }
    lexer.next();
    return true;
}

bool read_elements(NftLexer& lexer, const NftDefinitions& definitions,
                   std::vector<NftElement>& into, int depth) {
    while (true) {
        lexer.skip_newlines();
        if (lexer.accept("}") || lexer.peek().kind == NftKind::end) return true;
        if (lexer.accept(",")) continue;
        if (!read_element(lexer, definitions, into, depth)) return false;
    }
}

bool read_defined_elements(NftLexer& lexer, const NftDefinitions& definitions,
                           std::vector<NftElement>& into) {
    return use_definition(lexer.next().text, definitions, into, 0);
}

bool read_values(NftLexer& lexer, const NftDefinitions& definitions, NftValues& into) {
    if (lexer.accept("&")) {
        into.has_mask = true;
        if (!read_flags(lexer, into.mask)) return false;
        into.op = read_operator(lexer);
        if (into.op == NftValues::Operator::implicit) return false;
    } else {
        into.op = read_operator(lexer);
    }
    into.is_map = lexer.accept("vmap");
    const NftToken& token = lexer.peek();
    if (token.is("{")) {
        lexer.next();
        into.is_set = true;
        return read_elements(lexer, definitions, into.elements);
    }
    if (token.kind == NftKind::word && token.text.starts_with('@')) {
        into.set_name = lexer.next().text.substr(1);
        return true;
    }
    return read_plain(lexer, definitions, into);
}

}  // namespace edgecase::allowlist
