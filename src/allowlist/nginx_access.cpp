// nginx: `allow` and `deny`, the first that matches on the innermost level that has any.
#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>

#include "allowlist/contains.hpp"
#include "allowlist/rule_parts.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

constexpr size_t kMaxDepth = 32;            // of blocks and includes
constexpr size_t kMaxDirectives = 500'000;  // with those that are included

struct Token {
    std::string_view text;
    uint32_t line = 0;
    size_t offset = 0;
    bool is_sign = false;  // `{`, `}`, `;`
};

std::vector<Token> tokens_of(std::string_view text, uint32_t line) {
    std::vector<Token> tokens;
    for (size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (c == '\n') {
            ++line;
            ++at;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            ++at;
        } else if (c == '#') {
            at = std::min(text.find('\n', at), text.size());
        } else if (c == '{' || c == '}' || c == ';') {
            tokens.push_back({text.substr(at, 1), line, at, true});
            ++at;
        } else if (c == '"' || c == '\'') {
            size_t end = at + 1;
            while (end < text.size() && text[end] != c) end += text[end] == '\\' ? 2 : 1;
            end = std::min(end, text.size());
            tokens.push_back({text.substr(at + 1, end - at - 1), line, at, false});
            line += static_cast<uint32_t>(std::ranges::count(text.substr(at, end - at), '\n'));
            at = end + 1;
        } else {
            size_t end = at;
            // `${name}` is no block.
            while (end < text.size() && !std::string_view(" \t\r\n;{}").contains(text[end])) {
                if (text[end] == '$' && end + 1 < text.size() && text[end + 1] == '{') {
                    end = std::min(text.find('}', end), text.size() - 1);
                }
                ++end;
            }
            if (end == at) ++end;
            tokens.push_back({text.substr(at, end - at), line, at, false});
            at = end;
        }
    }
    return tokens;
}

/// What one level of the configuration says of access.
struct Level {
    std::vector<Rule> rules;
    std::vector<AddressRange> trusted;  // set_real_ip_from
    bool satisfies_any = false;
    std::vector<PortRange> ports;  // of `listen`
    std::string name;
    bool is_stream = false;
    Place place;
};

class NginxReader {
  public:
    NginxReader(Reading& into, uint32_t file) : into_(into), file_(file) {}

    ReadResult read() {
        const Source& source = into_.source(file_);
        // `nginx -T` prints every file behind its name.
        constexpr std::string_view kMark = "# configuration file ";
        std::string_view text = source.text;
        uint32_t line = 1;
        std::string_view main = text;
        uint32_t main_line = 1;
        std::string_view name;
        size_t begin = 0;
        bool is_first = true;
        for_each_line(text, [&](uint32_t number, std::string_view one) {
            if (!one.starts_with(kMark) || !one.ends_with(':')) return;
            const auto at = static_cast<size_t>(one.data() - text.data());
            if (!name.empty()) files_[std::string(name)] = {text.substr(begin, at - begin), line};
            name = one.substr(kMark.size(), one.size() - kMark.size() - 1);
            if (is_first) main_name_ = std::string(name);
            is_first = false;
            begin = at + one.size();
            line = number;
        });
        if (!name.empty()) {
            files_[std::string(name)] = {text.substr(begin), line};
            main = files_[main_name_].first;
            main_line = files_[main_name_].second;
        }
        Level top;
        top.name = "nginx";
        top.place = {file_, 1, 0};
        if (auto error = block(main, main_line, {top}, 0)) return error;
        if (!has_directive_) return ReadError{source.name, 1, 1, "no directive of nginx in it"};
        if (into_.rules.stages.size() == stages_before_) {
            // Nothing denies.
            Stage stage;
            stage.name = "nginx";
            stage.hook = Hook::application;
            stage.policy_place = {file_, 0, 0};
            stage.policy_text = "no `deny` for the whole site";
            stage.is_for_first = true;
            add_stage(into_.rules, std::move(stage), {});
        }
        return std::nullopt;
    }

  private:
    using Levels = std::vector<Level>;

    ReadResult block(std::string_view text, uint32_t line, Levels levels, size_t depth) {
        const auto tokens = tokens_of(text, line);
        size_t at = 0;
        auto error = directives(text, tokens, at, levels, depth, false);
        if (!error && depth == 0) close_level(levels);
        return error;
    }

    ReadResult fail(std::string_view text, const Token& token, std::string what) {
        (void)text;
        const Source& source = into_.source(file_);
        const auto offset = static_cast<size_t>(token.text.data() - source.text.data());
        return error_at(source, std::min(offset, source.text.size()), std::move(what));
    }

    ReadResult directives(std::string_view text, const std::vector<Token>& tokens, size_t& at,
                          Levels& levels, size_t depth, bool is_inner) {
        while (at < tokens.size()) {
            if (tokens[at].is_sign && tokens[at].text == "}") {
                if (!is_inner) return fail(text, tokens[at], "a `}` too many");
                ++at;
                return std::nullopt;
            }
            std::vector<Token> words;
            while (at < tokens.size() && !tokens[at].is_sign) words.push_back(tokens[at++]);
            if (at >= tokens.size()) {
                return fail(text, words.back(), "`;` is missing behind this directive");
            }
            if (++count_ > kMaxDirectives) return fail(text, tokens[at], "more than can be read");
            const Token end = tokens[at++];
            if (end.text == ";") {
                if (words.empty()) continue;
                has_directive_ = true;
                if (auto error = directive(text, words, levels, depth)) return error;
                continue;
            }
            if (end.text == "}" || words.empty())
                return fail(text, end, "a directive was expected");
            if (auto error = inner_block(text, tokens, at, words, levels, depth)) return error;
        }
        if (is_inner)
            return ReadError{into_.source(file_).name, 0, 0, "a `}` is missing at the end"};
        return std::nullopt;
    }

    ReadResult inner_block(std::string_view text, const std::vector<Token>& tokens, size_t& at,
                           const std::vector<Token>& words, Levels& levels, size_t depth) {
        if (depth > kMaxDepth) return fail(text, words[0], "blocks are nested too deep");
        const std::string_view kind = words[0].text;
        has_directive_ = true;
        if (kind == "if") condition(tokens, at, words, levels);
        Levels inner = levels;
        Level level;
        level.name = std::string(kind);
        for (size_t i = 1; i < words.size(); ++i) level.name += " " + std::string(words[i].text);
        level.place = {file_, words[0].line, 0};
        level.is_stream = kind == "stream" || levels.back().is_stream;
        inner.push_back(std::move(level));
        if (auto error = directives(text, tokens, at, inner, depth + 1, true)) return error;
        if (kind == "http" || kind == "stream") levels.back().trusted = inner.back().trusted;
        if (kind == "location" && inner.size() >= 2) {
            const bool is_site = words.size() == 2 && words[1].text == "/";
            if (is_site) {
                site_ = inner.back();
                has_site_ = !site_.rules.empty();
            } else if (!inner.back().rules.empty()) {
                into_.rules.notes.push_back(fmt::format(
                    "{}:{}: {} has an access list of its own; only whole sites are judged",
                    into_.source(file_).name, words[0].line, inner.back().name));
            }
        } else if (kind == "server") {
            close_level(inner);
            has_site_ = false;
        }
        return std::nullopt;
    }

    /// `if ($x) { return 444; }`: whom it is for is not followed. What is asked of the request is
    /// no matter of addresses.
    void condition(const std::vector<Token>& tokens, size_t at, const std::vector<Token>& words,
                   Levels& levels) {
        constexpr std::array<std::string_view, 8> kOfRequest{
            "$host", "$scheme", "$request", "$http_", "$server", "$uri", "$args", "$https"};
        if (words.size() < 2) return;
        std::string_view name = words[1].text;
        if (name.starts_with('(')) name.remove_prefix(1);
        for (const std::string_view of_request : kOfRequest) {
            if (name.starts_with(of_request)) return;
        }
        for (; at + 1 < tokens.size() && tokens[at].text != "}"; ++at) {
            if (tokens[at].text != "return" && tokens[at].text != "deny") continue;
            if (tokens[at + 1].text.starts_with("30")) continue;
            levels.back().rules.push_back(
                make_rule(Action::unclear, {unknown_match("if " + std::string(words[1].text))},
                          {file_, tokens[at].line, 0}));
            return;
        }
    }

    ReadResult directive(std::string_view text, const std::vector<Token>& words, Levels& levels,
                         size_t depth) {
        Level& level = levels.back();
        const std::string_view name = words[0].text;
        const Place place{file_, words[0].line, 0};
        if (name == "allow" || name == "deny") {
            return access(text, words, level, place);
        }
        if (name == "satisfy") {
            level.satisfies_any = words.size() > 1 && words[1].text == "any";
        } else if (name == "set_real_ip_from" && words.size() > 1) {
            if (const auto range = AddressRange::parse(words[1].text))
                level.trusted.push_back(*range);
        } else if (name == "listen" && words.size() > 1) {
            listen(words[1].text, level);
        } else if (name == "return" && words.size() > 1 && !level.name.starts_with("if ")) {
            refuse_all(words[1].text, level, place);
        } else if (name == "include" && words.size() > 1) {
            return include(text, words[1], levels, depth);
        }
        return std::nullopt;
    }

    ReadResult access(std::string_view text, const std::vector<Token>& words, Level& level,
                      const Place& place) {
        if (words.size() != 2) return fail(text, words[0], "one address or `all` was expected");
        const bool allows = words[0].text == "allow";
        const std::string_view who = words[1].text;
        std::vector<Match> matches;
        if (who == "unix:") return std::nullopt;
        if (who != "all") {
            const auto range = AddressRange::parse(who);
            if (!range) return fail(text, words[1], "`" + std::string(who) + "` is no address");
            matches = {only_family(range->family), from_addresses(std::span(&*range, 1))};
        }
        if (allows) {
            level.rules.push_back(make_rule(Action::accept, std::move(matches), place));
        } else {
            level.rules.push_back(refusal(level, std::move(matches), place));
        }
        return std::nullopt;
    }

    static Rule refusal(const Level& level, std::vector<Match> matches, const Place& place) {
        Rule rule = make_refusal(403, std::move(matches), place);
        if (level.is_stream) rule.sees = cause::Cause::resp_empty_fin;
        return rule;
    }

    static void refuse_all(std::string_view code, Level& level, const Place& place) {
        if (code == "444") {
            Rule rule = make_rule(Action::reject, {}, place);
            rule.sees = cause::Cause::resp_empty_fin;
            level.rules.push_back(std::move(rule));
        } else if (code == "403") {
            level.rules.push_back(make_refusal(403, {}, place));
        }
    }

    /// `443`, `443 ssl`, `[::]:443`, `10.0.0.1:8080`
    static void listen(std::string_view text, Level& level) {
        const size_t colon = text.rfind(':');
        const bool is_address_alone = colon == std::string_view::npos && text.contains('.');
        const auto port = parse_ports(
            colon == std::string_view::npos || text.ends_with(']') ? text : text.substr(colon + 1));
        level.ports.push_back(port && !is_address_alone ? *port : PortRange{80, 80});
    }

    ReadResult include(std::string_view text, const Token& pattern, Levels& levels, size_t depth) {
        if (depth > kMaxDepth) return fail(text, pattern, "includes are nested too deep");
        const std::string wanted(pattern.text);
        const std::string absolute = wanted.starts_with('/')
                                         ? wanted
                                         : main_name_.substr(0, main_name_.rfind('/') + 1) + wanted;
        if (!files_.empty()) {
            for (const auto& [name, content] : files_) {
                if (fnmatch(absolute.c_str(), name.c_str(), FNM_PATHNAME) != 0) continue;
                const auto tokens = tokens_of(content.first, content.second);
                size_t at = 0;
                if (auto error = directives(content.first, tokens, at, levels, depth + 1, false)) {
                    return error;
                }
            }
            return std::nullopt;
        }
        for (const std::string_view harmless :
             {"mime.types", "_params", "ssl", "modules", "dhparam"}) {
            if (wanted.contains(harmless)) return std::nullopt;
        }
        const std::string& level = levels.back().name;
        if (level == "nginx" || level == "http" || level == "stream") {
            into_.rules.notes.push_back(
                fmt::format("{}:{}: include {} is not followed; `nginx -T` prints all files",
                            into_.source(file_).name, pattern.line, wanted));
        }
        // It may well be the list of addresses.
        levels.back().rules.push_back(make_rule(
            Action::unclear, {unknown_match("include " + wanted + " (nginx -T prints all files)")},
            {file_, pattern.line, 0}));
        return std::nullopt;
    }

    /// A site's access list is that of its innermost level that has one.
    void close_level(const Levels& levels) {
        const Level* decides = nullptr;
        if (has_site_) decides = &site_;
        for (size_t i = levels.size(); i > 0 && decides == nullptr; --i) {
            if (!levels[i - 1].rules.empty()) decides = &levels[i - 1];
        }
        if (decides == nullptr) return;
        const bool is_server = levels.back().name == "server";
        // What is said outside of servers is for servers, unless there is none: a file to include.
        if (!is_server && has_server_) return;
        has_server_ |= is_server;
        std::vector<Rule> rules;
        std::vector<AddressRange> trusted;
        for (const Level& level : levels) {
            trusted.insert(trusted.end(), level.trusted.begin(), level.trusted.end());
        }
        if (!trusted.empty()) {
            rules.push_back(make_rule(
                Action::unclear,
                {from_addresses(trusted),
                 unknown_match(
                     "set_real_ip_from: the visitor's address is judged, not the edge's")},
                decides->place));
        }
        for (Rule rule : decides->rules) {
            if (rule.action == Action::reject && decides->satisfies_any) {
                rule.matches.push_back(unknown_match("satisfy any"));
                rule.action = Action::unclear;
            }
            rules.push_back(std::move(rule));
        }
        Stage stage;
        stage.name =
            fmt::format("nginx {} (line {})", levels.back().name, levels.back().place.line);
        stage.hook = Hook::application;
        stage.policy_place = decides->place;
        stage.policy_text = "no `deny` that matches";
        stage.is_for_first = true;
        stage.ports = levels.back().ports;
        if (is_server && stage.ports.empty()) stage.ports = {{80, 80}};
        add_stage(into_.rules, std::move(stage), std::move(rules));
    }

    Reading& into_;
    uint32_t file_;
    std::map<std::string, std::pair<std::string_view, uint32_t>> files_;
    std::string main_name_;
    Level site_;
    bool has_site_ = false;
    bool has_server_ = false;
    bool has_directive_ = false;
    size_t count_ = 0;
    size_t stages_before_ = into_.rules.stages.size();
};

}  // namespace

ReadResult read_nginx(Reading& into, uint32_t file) {
    return NginxReader(into, file).read();
}

}  // namespace edgecase::allowlist
