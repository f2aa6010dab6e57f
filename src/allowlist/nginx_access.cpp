// nginx: `allow` and `deny`, the first that matches on the innermost level that has any.
#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>

#include "allowlist/contains.hpp"
#include "allowlist/nginx_levels.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

constexpr size_t kMaxDepth = 32;            // of blocks and includes
constexpr size_t kMaxDirectives = 500'000;  // with those that are included

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
        Levels levels(1);
        levels[0].name = "nginx";
        levels[0].place = {file_, 1, 0};
        const auto tokens = tokens_of(main, main_line);
        size_t at = 0;
        if (auto error = directives(main, tokens, at, levels, 0, false)) return error;
        judge_servers(levels[0]);
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
        constexpr std::array<std::string_view, 5> kData{"map", "geo", "types", "split_clients",
                                                        "charset_map"};
        level.is_data = contains(kData, kind);
        inner.push_back(std::move(level));
        if (auto error = directives(text, tokens, at, inner, depth + 1, true)) return error;
        if (kind == "http" || kind == "stream") {
            for (Server& server : servers_) {
                if (!server.outer) server.outer = inner.back();
            }
            outer_ = inner.back();
        } else if (kind == "location") {
            const Level& own = inner.back();
            if (is_whole_site(words)) {
                site_ = own;
            } else if (!own.rules.empty() || !own.rewrites.empty()) {
                into_.rules.notes.push_back(fmt::format(
                    "{}:{}: {} has an access list of its own; only whole sites are judged",
                    into_.source(file_).name, words[0].line, own.name));
            }
        } else if (kind == "limit_except") {
            // A visitor's request is a GET, which is what is limited unless it is named.
            const bool names_get = std::ranges::any_of(
                words, [](const Token& word) { return word.text == "GET" || word.text == "HEAD"; });
            if (!names_get && !inner.back().rules.empty()) levels.back().rules = inner.back().rules;
        } else if (kind == "server") {
            servers_.push_back({std::move(inner.back()), std::move(site_), std::nullopt});
            site_.reset();
        }
        return std::nullopt;
    }

    /// `if ($x) { return 444; }`: whom it is for is not followed. What is asked of the request is
    /// no matter of addresses.
    void condition(const std::vector<Token>& tokens, size_t at, const std::vector<Token>& words,
                   Levels& levels) {
        if (words.size() < 2 || is_of_request(words[1].text)) return;
        for (; at + 1 < tokens.size() && tokens[at].text != "}"; ++at) {
            if (tokens[at].text != "return" && tokens[at].text != "deny") continue;
            if (tokens[at + 1].text.starts_with("30")) continue;
            levels.back().rewrites.push_back(
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
        if (level.is_data) return std::nullopt;
        if (name == "allow" || name == "deny") {
            return access(text, words, level, place);
        }
        if (name == "satisfy") {
            level.satisfies_any = words.size() > 1 && words[1].text == "any";
        } else if (name == "set_real_ip_from" && words.size() > 1) {
            const std::string_view who = words[1].text;
            if (const auto range = AddressRange::parse(who)) {
                level.trusted.push_back(*range);
            } else if (who != "unix:") {  // a host's name
                level.trusted.push_back(everyone(ip::Family::v4));
                level.trusted.push_back(everyone(ip::Family::v6));
            }
        } else if (name == "listen" && words.size() > 1) {
            listen(words, level);
        } else if (name == "server_name" && words.size() > 1) {
            level.is_catch_all = words[1].text == "_";
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

    /// What a server does with a request for `/`. A site's access list is that of its innermost
    /// level that has one.
    std::vector<Rule> rules_of(const Server& server, const Level& top) const {
        std::vector<const Level*> levels;  // from the innermost
        if (server.site) levels.push_back(&*server.site);
        levels.push_back(&server.self);
        if (server.outer) levels.push_back(&*server.outer);
        if (&server.self != &top) levels.push_back(&top);
        std::vector<Rule> rules = server.self.rewrites;
        if (server.site) {
            rules.insert(rules.end(), server.site->rewrites.begin(), server.site->rewrites.end());
        }
        const auto decides =
            std::ranges::find_if(levels, [](const Level* level) { return !level->rules.empty(); });
        if (decides == levels.end()) return rules;
        std::vector<AddressRange> trusted;
        for (const Level* const level : levels) {
            trusted.insert(trusted.end(), level->trusted.begin(), level->trusted.end());
        }
        if (!trusted.empty()) {
            rules.push_back(make_rule(
                Action::unclear,
                {from_addresses(trusted),
                 unknown_match(
                     "set_real_ip_from: the visitor's address is judged, not the edge's")},
                (*decides)->place));
        }
        const bool satisfies_any =
            std::ranges::any_of(levels, [](const Level* level) { return level->satisfies_any; });
        for (Rule rule : (*decides)->rules) {
            if (rule.action == Action::reject && satisfies_any) {
                rule.matches.push_back(unknown_match("satisfy any"));
                rule.action = Action::unclear;
            }
            rules.push_back(std::move(rule));
        }
        return rules;
    }

    void judge_servers(const Level& top) {
        if (servers_.empty()) {
            // A file to include: what it says is for whoever includes it.
            const Server whole{outer_ ? *outer_ : top, std::move(site_), std::nullopt};
            auto rules = rules_of(whole, top);
            if (!rules.empty()) add_server(whole, std::move(rules), {});
            return;
        }
        std::set<uint32_t> bounds;
        for (Server& server : servers_) {
            if (!server.self.has_listen) server.self.listens = {{"", {80, 80}}};
            for (const Listen& one : server.self.listens) {
                bounds.insert(one.ports.first);
                bounds.insert(one.ports.last + 1);
            }
        }
        // Servers of one port are alternatives: the name that is asked for decides.
        std::map<std::vector<size_t>, std::vector<PortRange>> groups;
        for (auto bound = bounds.begin(); bound != bounds.end() && std::next(bound) != bounds.end();
             ++bound) {
            std::vector<size_t> group;
            for (size_t i = 0; i < servers_.size(); ++i) {
                if (!addresses_at(servers_[i], *bound).empty()) group.push_back(i);
            }
            if (!group.empty()) groups[std::move(group)].push_back({*bound, *std::next(bound) - 1});
        }
        for (const auto& [group, ports] : groups) judge_group(group, ports, top);
    }

    void judge_group(std::vector<size_t> group, const std::vector<PortRange>& ports,
                     const Level& top) {
        drop_catch_all(group, ports.front().first);
        std::vector<std::vector<Rule>> lists;
        for (const size_t i : group) lists.push_back(rules_of(servers_[i], top));
        std::vector<Rule> rules = lists.front();
        if (const auto ranges = disagreement(lists); lists.size() > 1 && !ranges.empty()) {
            into_.rules.notes.push_back(
                fmt::format("{}: {} servers listen on port {} and differ in whom they let in; "
                            "the name that is asked for decides",
                            into_.source(file_).name, lists.size(), ports.front().first));
            rules.insert(rules.begin(),
                         make_rule(Action::unclear,
                                   {from_addresses(ranges),
                                    unknown_match("servers on one port differ; Host decides")},
                                   servers_[group.front()].self.place));
        }
        if (!rules.empty()) add_server(servers_[group.front()], std::move(rules), ports);
    }

    /// The server for unknown names is none that the edge asks for, if another one listens
    /// wherever it does.
    void drop_catch_all(std::vector<size_t>& group, uint32_t port) {
        const auto is_marked = [&](size_t i) { return servers_[i].self.is_default; };
        const bool has_default = std::ranges::any_of(group, is_marked);
        for (size_t at = 0; at < group.size() && group.size() > 1; ++at) {
            const Server& server = servers_[group[at]];
            const bool is_default =
                server.self.is_default || server.self.is_catch_all || (!has_default && at == 0);
            if (!is_default || !is_bare_refusal(server)) continue;
            std::set<std::string> missing = addresses_at(server, port);
            for (const size_t other : group) {
                if (other == group[at]) continue;
                for (const std::string& one : addresses_at(servers_[other], port)) {
                    missing.erase(one);
                }
            }
            if (!missing.empty()) continue;
            into_.rules.notes.push_back(
                fmt::format("{}:{}: the server that turns away unknown names is left out",
                            into_.source(file_).name, server.self.place.line));
            group.erase(group.begin() + static_cast<ptrdiff_t>(at));
            return;
        }
    }

    void add_server(const Server& server, std::vector<Rule> rules, std::vector<PortRange> ports) {
        Stage stage;
        stage.name = fmt::format("nginx {} (line {})", server.self.name, server.self.place.line);
        stage.hook = Hook::application;
        stage.policy_place = server.self.place;
        stage.policy_text = "no `deny` that matches";
        stage.is_for_first = true;
        stage.ports = std::move(ports);
        add_stage(into_.rules, std::move(stage), std::move(rules));
    }

    Reading& into_;
    uint32_t file_;
    std::map<std::string, std::pair<std::string_view, uint32_t>> files_;
    std::string main_name_;
    std::vector<Server> servers_;
    std::optional<Level> site_;   // of the server that is being read
    std::optional<Level> outer_;  // the last `http` or `stream`
    bool has_directive_ = false;
    size_t count_ = 0;
    size_t stages_before_ = into_.rules.stages.size();
};

}  // namespace

ReadResult read_nginx(Reading& into, uint32_t file) {
    return NginxReader(into, file).read();
}

}  // namespace edgecase::allowlist
