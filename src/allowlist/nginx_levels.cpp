#include "allowlist/nginx_levels.hpp"

#include <algorithm>
#include <array>

#include "allowlist/contains.hpp"

namespace edgecase::allowlist {
namespace {

/// Whom a list lets in for sure, and whom it refuses for sure.
struct Certain {
    std::vector<ip::AddressSet> let_in;
    std::vector<ip::AddressSet> refused;
};

Certain certain_of(const std::vector<Rule>& rules) {
    Certain certain;
    for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
        ip::AddressSet left = ip::AddressSet::all(family);
        ip::AddressSet let_in(family);
        ip::AddressSet refused(family);
        for (const Rule& rule : rules) {
            ip::AddressSet hit = left;
            bool is_sure = rule.action != Action::unclear;
            for (const Match& match : rule.matches) {
                if (match.kind == MatchKind::family) {
                    if (match.first != static_cast<uint32_t>(family)) hit = ip::AddressSet(family);
                } else if (match.kind == MatchKind::source) {
                    hit = match.is_negated ? hit.subtract(match.operand->of(family))
                                           : hit.intersect(match.operand->of(family));
                } else {
                    is_sure = false;
                }
            }
            left = left.subtract(hit);
            if (is_sure && rule.action == Action::accept) let_in = let_in.unite(hit);
            if (is_sure && rule.action == Action::reject) refused = refused.unite(hit);
        }
        certain.let_in.push_back(let_in.unite(left));
        certain.refused.push_back(std::move(refused));
    }
    return certain;
}

}  // namespace

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

bool is_whole_site(const std::vector<Token>& words) {
    constexpr std::array<std::string_view, 7> kAll{"/", "^/", ".", ".*", "^.*", "^/.*", "^"};
    if (words.size() == 2) return words[1].text == "/";
    if (words.size() != 3 || words[1].text == "=") return false;
    return words[1].text == "^~" ? words[2].text == "/" : contains(kAll, words[2].text);
}

bool is_bare_refusal(const Server& server) {
    return !server.site && server.self.rewrites.size() == 1 &&
           server.self.rewrites[0].action == Action::reject;
}

std::set<std::string> addresses_at(const Server& server, uint32_t port) {
    std::set<std::string> addresses;
    for (const Listen& one : server.self.listens) {
        if (one.ports.first <= port && port <= one.ports.last) addresses.insert(one.address);
    }
    return addresses;
}

void listen(const std::vector<Token>& words, Level& level) {
    const std::string_view text = words[1].text;
    level.has_listen = true;
    bool is_quic = false;
    for (const Token& word : words) {
        level.is_default |= word.text == "default_server" || word.text == "default";
        is_quic |= word.text == "quic" || word.text == "udp";
    }
    if (is_quic || text.starts_with("unix:")) return;
    const bool is_v6_alone = text.ends_with(']');
    const size_t colon = is_v6_alone ? std::string_view::npos : text.rfind(':');
    const bool has_colon = colon != std::string_view::npos;
    const auto port = parse_ports(has_colon ? text.substr(colon + 1) : text);
    std::string address;
    if (has_colon) address = std::string(text.substr(0, colon));
    if (!has_colon && !port) address = std::string(text);
    if (address == "*" || address == "0.0.0.0") address.clear();
    level.listens.push_back({std::move(address), port ? *port : PortRange{80, 80}});
}

void refuse_all(std::string_view code, Level& level, const Place& place) {
    if (code == "444") {
        Rule rule = make_rule(Action::reject, {}, place);
        rule.sees = cause::Cause::resp_empty_fin;
        level.rewrites.push_back(std::move(rule));
    } else if (code == "403") {
        level.rewrites.push_back(make_refusal(403, {}, place));
    }
}

std::vector<AddressRange> disagreement(const std::vector<std::vector<Rule>>& lists) {
    std::vector<AddressRange> ranges;
    for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
        const auto f = static_cast<size_t>(family);
        ip::AddressSet let_in = ip::AddressSet::all(family);
        ip::AddressSet refused = let_in;
        for (const auto& list : lists) {
            const Certain certain = certain_of(list);
            let_in = let_in.intersect(certain.let_in[f]);
            refused = refused.intersect(certain.refused[f]);
        }
        for (const ip::Interval& one : let_in.unite(refused).complement().intervals()) {
            ranges.push_back({family, one});
        }
    }
    return ranges;
}

Rule refusal(const Level& level, std::vector<Match> matches, const Place& place) {
    Rule rule = make_refusal(403, std::move(matches), place);
    if (level.is_stream) rule.sees = cause::Cause::resp_empty_fin;
    return rule;
}

bool is_of_request(std::string_view condition) {
    constexpr std::array<std::string_view, 8> kOfRequest{
        "$host", "$scheme", "$request", "$http_", "$server", "$uri", "$args", "$https"};
    if (condition.starts_with('(')) condition.remove_prefix(1);
    return std::ranges::any_of(kOfRequest,
                               [&](std::string_view one) { return condition.starts_with(one); });
}

}  // namespace edgecase::allowlist
