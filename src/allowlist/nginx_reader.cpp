#include "allowlist/nginx_reader.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <utility>

#include "allowlist/contains.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

constexpr size_t kMaxDepth = 32;            // of blocks and includes
constexpr size_t kMaxDirectives = 500'000;  // with those that are included

}  // namespace

/// `nginx -T` prints every file behind its name. What the main file has.
std::string_view NginxReader::split_listing(uint32_t& line) {
    constexpr std::string_view kMark = "# configuration file ";
    const std::string_view text = into_.source(main_).text;
    std::string_view name;
    size_t begin = 0;
    uint32_t begin_line = 1;
    const auto keep = [&](size_t end) {
        if (name.empty()) return;
        files_[std::string(name)] = {text.substr(begin, end - begin), begin_line};
    };
    for_each_line(text, [&](uint32_t number, std::string_view one) {
        if (!one.starts_with(kMark) || !one.ends_with(':')) return;
        const auto at = static_cast<size_t>(one.data() - text.data());
        keep(at);
        name = one.substr(kMark.size(), one.size() - kMark.size() - 1);
        if (main_name_.empty()) main_name_ = std::string(name);
        begin = at + one.size();
        begin_line = number;
    });
    keep(text.size());
    if (main_name_.empty()) return text;
    line = files_[main_name_].second;
    return files_[main_name_].first;
}

ReadResult NginxReader::read() {
    const Source& source = into_.source(main_);
    uint32_t line = 1;
    const std::string_view main = split_listing(line);
    root_ = main_name_.empty() ? Includes::root_of(source)
                               : main_name_.substr(0, main_name_.rfind('/'));
    Levels levels(1);
    levels[0].name = "nginx";
    levels[0].place = {main_, 1, 0};
    const auto tokens = tokens_of(main, line);
    size_t at = 0;
    if (auto error = directives(tokens, at, levels, 0, false)) return error;
    config_.top = std::move(levels[0]);
    if (!has_directive_) return ReadError{source.name, 1, 1, "no directive of nginx in it"};
    return std::nullopt;
}

ReadResult NginxReader::fail(const Token& token, std::string what) {
    const Source& source = into_.source(file_);
    const auto offset = static_cast<size_t>(token.text.data() - source.text.data());
    return error_at(source, std::min(offset, source.text.size()), std::move(what));
}

ReadResult NginxReader::directives(const std::vector<Token>& tokens, size_t& at, Levels& levels,
                                   size_t depth, bool is_inner) {
    while (at < tokens.size()) {
        if (tokens[at].is_sign && tokens[at].text == "}") {
            if (!is_inner) return fail(tokens[at], "a `}` too many");
            ++at;
            return std::nullopt;
        }
        std::vector<Token> words;
        while (at < tokens.size() && !tokens[at].is_sign) words.push_back(tokens[at++]);
        if (at >= tokens.size()) {
            return fail(words.back(), "`;` is missing behind this directive");
        }
        if (++count_ > kMaxDirectives) return fail(tokens[at], "more than can be read");
        const Token end = tokens[at++];
        if (end.text == ";") {
            if (words.empty()) continue;
            has_directive_ = true;
            if (auto error = directive(words, levels, depth)) return error;
            continue;
        }
        if (end.text == "}" || words.empty()) return fail(end, "a directive was expected");
        if (auto error = inner_block(tokens, at, words, levels, depth)) return error;
    }
    if (is_inner) return ReadError{into_.source(file_).name, 0, 0, "a `}` is missing at the end"};
    return std::nullopt;
}

ReadResult NginxReader::inner_block(const std::vector<Token>& tokens, size_t& at,
                                    const std::vector<Token>& words, Levels& levels, size_t depth) {
    if (depth > kMaxDepth) return fail(words[0], "blocks are nested too deep");
    const std::string_view kind = words[0].text;
    has_directive_ = true;
    if (kind == "if") condition(tokens, at, words, levels);
    Level level;
    level.name = std::string(kind);
    for (size_t i = 1; i < words.size(); ++i) level.name += " " + std::string(words[i].text);
    level.place = {file_, words[0].line, 0};
    level.is_stream = kind == "stream" || levels.back().is_stream;
    constexpr std::array<std::string_view, 6> kData{"map",           "geo",         "types",
                                                    "split_clients", "charset_map", "upstream"};
    level.is_data = contains(kData, kind) || levels.back().is_data;
    levels.push_back(std::move(level));
    if (auto error = directives(tokens, at, levels, depth + 1, true)) return error;
    Level own = std::move(levels.back());
    levels.pop_back();
    if (kind == "http" || kind == "stream") {
        const auto outer = std::make_shared<const Level>(std::move(own));
        for (; first_without_outer_ < config_.servers.size(); ++first_without_outer_) {
            config_.servers[first_without_outer_].outer = outer;
        }
        config_.outer = outer;
    } else if (kind == "location") {
        if (is_whole_site(words)) {
            config_.site = std::move(own);
        } else if (!own.rules.empty() || contains(own.rewrites, Action::reject, &Rule::action)) {
            into_.rules.notes.push_back(
                fmt::format("{}:{}: {} has an access list of its own; only whole sites are judged",
                            into_.source(file_).name, words[0].line, own.name));
        }
    } else if (kind == "limit_except") {
        // A visitor's request is a GET, which is what is limited unless it is named.
        const bool names_get = std::ranges::any_of(
            words, [](const Token& word) { return word.text == "GET" || word.text == "HEAD"; });
        if (!names_get && !own.rules.empty()) levels.back().rules = std::move(own.rules);
        auto& rewrites = levels.back().rewrites;
        if (!names_get) std::ranges::move(own.rewrites, std::back_inserter(rewrites));
    } else if (kind == "server") {
        config_.servers.push_back({std::move(own), std::move(config_.site), nullptr});
        config_.site.reset();
    }
    return std::nullopt;
}

/// `if ($x) { return 444; }`: whom it is for is not followed. What is asked of the request is
/// no matter of addresses.
void NginxReader::condition(const std::vector<Token>& tokens, size_t at,
                            const std::vector<Token>& words, Levels& levels) {
    if (words.size() < 2 || is_of_request(words[1].text)) return;
    for (; at + 1 < tokens.size() && tokens[at].text != "}"; ++at) {
        const bool includes =
            tokens[at].text == "include" && !is_harmless_include(tokens[at + 1].text);
        if (tokens[at].text != "return" && tokens[at].text != "deny" && !includes) continue;
        if (tokens[at + 1].text.starts_with("30")) continue;
        levels.back().rewrites.push_back(
            make_rule(Action::unclear, {unknown_match("if " + std::string(words[1].text))},
                      {file_, tokens[at].line, 0}));
        return;
    }
}

ReadResult NginxReader::directive(const std::vector<Token>& words, Levels& levels, size_t depth) {
    Level& level = levels.back();
    const std::string_view name = words[0].text;
    const Place place{file_, words[0].line, 0};
    if (level.is_data) return std::nullopt;
    if (name == "allow" || name == "deny") {
        return access(words, level, place);
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
    } else if (name.starts_with("modsecurity_rules")) {
        // ModSecurity in nginx: its rules may deny addresses, and are not read here.
        level.rewrites.push_back(
            make_rule(Action::unclear, {unknown_match(std::string(name))}, place));
    } else if (name == "include" && words.size() > 1) {
        return include(words[1], levels, depth);
    }
    return std::nullopt;
}

ReadResult NginxReader::access(const std::vector<Token>& words, Level& level, const Place& place) {
    if (words.size() != 2) return fail(words[0], "one address or `all` was expected");
    const bool allows = words[0].text == "allow";
    const std::string_view who = words[1].text;
    std::vector<Match> matches;
    if (who == "unix:") return std::nullopt;
    if (who != "all") {
        const auto range = AddressRange::parse(who);
        if (!range) return fail(words[1], "`" + std::string(who) + "` is no address");
        matches = {only_family(range->family), from_addresses(std::span(&*range, 1))};
    }
    if (allows) {
        level.rules.push_back(make_rule(Action::accept, std::move(matches), place));
    } else {
        level.rules.push_back(refusal(level, std::move(matches), place));
    }
    return std::nullopt;
}

ReadResult NginxReader::include(const Token& pattern, Levels& levels, size_t depth) {
    if (depth > kMaxDepth) return fail(pattern, "includes are nested too deep");
    const std::string wanted(pattern.text);
    if (!files_.empty()) {  // `nginx -T` prints all there are
        const std::string absolute = wanted.starts_with('/') ? wanted : root_ + "/" + wanted;
        for (const auto& [name, content] : files_) {
            if (fnmatch(absolute.c_str(), name.c_str(), FNM_PATHNAME) != 0) continue;
            note_backup(name, pattern);
            if (auto error = read_text(content.first, content.second, levels, depth)) {
                return error;
            }
        }
        return std::nullopt;
    }
    const Included& found = into_.includes.of(into_.rules, main_, root_, wanted);
    for (const uint32_t file : found.files) {
        note_backup(into_.source(file).name, pattern);
        const uint32_t outer = std::exchange(file_, file);
        if (auto error = read_text(into_.source(file).text, 1, levels, depth)) return error;
        file_ = outer;
    }
    if (!found.why_not.empty() && !is_harmless_include(wanted)) {
        leave_open(pattern, levels, found.why_not);
    }
    return std::nullopt;
}

void NginxReader::note_backup(const std::string& name, const Token& pattern) {
    if (!is_backup(name)) return;
    into_.rules.notes.push_back(fmt::format("{}:{}: nginx reads {} as well: include {} fits it",
                                            into_.source(file_).name, pattern.line, name,
                                            pattern.text));
}

ReadResult NginxReader::read_text(std::string_view text, uint32_t line, Levels& levels,
                                  size_t depth) {
    included_bytes_ += text.size();
    if (included_bytes_ > kMaxIncludedBytes) {
        return ReadError{into_.source(main_).name, 0, 0, "includes more than can be read"};
    }
    const auto tokens = tokens_of(text, line);
    size_t at = 0;
    return directives(tokens, at, levels, depth + 1, false);
}

/// It may turn away before any list is asked, have a list, or a site of its own; between
/// servers it may have others.
void NginxReader::leave_open(const Token& pattern, Levels& levels, const std::string& why_not) {
    Level& level = levels.back();
    const std::string name = "include " + std::string(pattern.text);
    Rule rule = make_rule(Action::unclear, {unknown_match(name + ": " + why_not)},
                          {file_, pattern.line, 0});
    const bool is_between = level.name == "nginx" || level.name == "http" || level.name == "stream";
    const bool is_server = level.name == "server";
    if (is_between || is_server) {
        into_.rules.notes.push_back(fmt::format(
            "{}:{}: {} is not followed: {}; --rules may name its files as well, or `nginx -T` "
            "prints them all",
            into_.source(file_).name, pattern.line, name, why_not));
    }
    if (is_between) config_.between.push_back(rule);
    if (is_server) config_.within.push_back(rule);
    level.rewrites.push_back(std::move(rule));
}

}  // namespace edgecase::allowlist
