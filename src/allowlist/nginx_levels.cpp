#include "allowlist/nginx_levels.hpp"

#include <algorithm>
#include <array>

#include "allowlist/contains.hpp"
#include "allowlist/flow.hpp"

namespace edgecase::allowlist {
namespace {

/// Whom a list lets in for sure, and whom it refuses for sure.
struct Certain {
    std::vector<ip::AddressSet> let_in;
    std::vector<ip::AddressSet> refused;
};

/// A step for each rule, at the cost of what it takes out.
class Sorting {
  public:
    explicit Sorting(ip::Family family) : family_(family), left_(ip::AddressSet::all(family)) {}

    void meet(const Rule& rule, bool is_sure) {
        std::optional<ip::AddressSet> hit;
        is_sure &= rule.action != Action::unclear;
        for (const Match& match : rule.matches) {
            if (match.kind == MatchKind::family) {
                if (match.first != static_cast<uint32_t>(family_)) return;
            } else if (match.kind == MatchKind::source) {
                const ip::AddressSet& set = match.operand->of(family_);
                if (hit) {
                    hit = match.is_negated ? hit->subtract(set) : hit->intersect(set);
                } else {
                    hit = match.is_negated ? left_.subtract(set) : left_.intersect(set);
                }
            } else {
                is_sure = false;
            }
        }
        if (!hit) hit = left_.snapshot();
        left_.remove(*hit);
        if (!is_sure) return;
        auto& into = rule.action == Action::accept ? let_in_ : refused_;
        if (rule.action != Action::accept && rule.action != Action::reject) return;
        into.insert(into.end(), hit->intervals().begin(), hit->intervals().end());
    }

    void finish(Certain& certain) && {
        const ip::AddressSet rest = left_.snapshot();
        let_in_.insert(let_in_.end(), rest.intervals().begin(), rest.intervals().end());
        certain.let_in.emplace_back(family_, std::move(let_in_));
        certain.refused.emplace_back(family_, std::move(refused_));
    }

  private:
    ip::Family family_;
    Flow left_;
    std::vector<ip::Interval> let_in_;
    std::vector<ip::Interval> refused_;
};

Certain certain_of(const SiteRules& site) {
    Certain certain;
    for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
        Sorting sorting(family);
        for (const Rule& rule : site.before) sorting.meet(rule, true);
        if (site.list != nullptr) {
            for (const Rule& rule : *site.list) {
                sorting.meet(rule, rule.action != Action::reject || !site.satisfies_any);
            }
        }
        std::move(sorting).finish(certain);
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

std::vector<Rule> SiteRules::all() const {
    std::vector<Rule> rules = before;
    if (list == nullptr) return rules;
    for (Rule rule : *list) {
        if (rule.action == Action::reject && satisfies_any) {
            rule.matches.push_back(unknown_match("satisfy any"));
            rule.action = Action::unclear;
        }
        rules.push_back(std::move(rule));
    }
    return rules;
}

std::vector<AddressRange> disagreement(const std::vector<SiteRules>& sites) {
    std::vector<ip::AddressSet> let_in{ip::AddressSet::all(ip::Family::v4),
                                       ip::AddressSet::all(ip::Family::v6)};
    auto refused = let_in;
    // Many servers have the list of the level around them.
    std::set<std::pair<const void*, bool>> seen;
    for (const SiteRules& site : sites) {
        if (site.before.empty() && !seen.emplace(site.list, site.satisfies_any).second) continue;
        const Certain certain = certain_of(site);
        for (size_t f = 0; f < 2; ++f) {
            let_in[f] = let_in[f].intersect(certain.let_in[f]);
            refused[f] = refused[f].intersect(certain.refused[f]);
        }
    }
    std::vector<AddressRange> ranges;
    for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
        const auto f = static_cast<size_t>(family);
        for (const ip::Interval& one : let_in[f].unite(refused[f]).complement().intervals()) {
            ranges.push_back({family, one});
        }
    }
    return ranges;
}

bool is_harmless_include(std::string_view name) {
    constexpr std::array<std::string_view, 16> kNames{
        "mime.types",   "fastcgi_params",         "fastcgi.conf",     "scgi_params",
        "uwsgi_params", "proxy_params",           "koi-utf",          "koi-win",
        "win-utf",      "fastcgi-php.conf",       "snakeoil.conf",    "ssl-params.conf",
        "ssl_params",   "options-ssl-nginx.conf", "ssl-dhparams.pem", "ssl-dhparams.conf"};
    const size_t slash = name.rfind('/');
    if (contains(kNames, slash == std::string_view::npos ? name : name.substr(slash + 1))) {
        return true;
    }
    // Lines of load_module.
    return name.ends_with("modules-enabled/*.conf") || name.ends_with("nginx/modules/*.conf");
}

std::optional<PortGroups> groups_of(const std::vector<Server>& servers) {
    constexpr size_t kMaxCompared = 5'000'000;  // about a second
    std::map<uint32_t, std::vector<std::pair<size_t, bool>>> bounds;
    for (size_t i = 0; i < servers.size(); ++i) {
        for (const Listen& one : servers[i].self.listens) {
            bounds[one.ports.first].emplace_back(i, true);
            bounds[one.ports.last + 1].emplace_back(i, false);
        }
    }
    PortGroups groups;
    std::multiset<size_t> listening;
    size_t compared = 0;
    for (auto at = bounds.begin(); at != bounds.end(); ++at) {
        for (const auto& [server, begins] : at->second) {
            if (begins) listening.insert(server);
        }
        for (const auto& [server, begins] : at->second) {
            if (!begins) listening.erase(listening.find(server));
        }
        if (listening.empty() || std::next(at) == bounds.end()) continue;
        compared += listening.size();
        if (compared > kMaxCompared) return std::nullopt;
        std::vector<size_t> group(listening.begin(), listening.end());
        group.erase(std::unique(group.begin(), group.end()), group.end());
        groups[std::move(group)].push_back({at->first, std::next(at)->first - 1});
    }
    return groups;
}

std::vector<PortRange> ports_beside(const PortGroups& groups) {
    std::vector<PortRange> taken;
    for (const auto& [group, ports] : groups) taken.insert(taken.end(), ports.begin(), ports.end());
    std::ranges::sort(taken);
    std::vector<PortRange> beside;
    uint32_t next = 0;
    for (const PortRange& one : taken) {
        if (one.first > next) beside.push_back({next, one.first - 1});
        next = one.last + 1;
    }
    if (next <= 65535) beside.push_back({next, 65535});
    return beside;
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
