// Owns what a level of nginx's configuration says of access, and the words it is made of.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "allowlist/rule_parts.hpp"

namespace edgecase::allowlist {

struct Token {
    std::string_view text;
    uint32_t line = 0;
    size_t offset = 0;
    bool is_sign = false;  // `{`, `}`, `;`
};

std::vector<Token> tokens_of(std::string_view text, uint32_t line);

struct Listen {
    std::string address;  // empty: every one of IPv4
    PortRange ports;
    auto operator<=>(const Listen&) const = default;
};

/// What one level of the configuration says of access.
struct Level {
    std::vector<Rule> rules;
    // `return` and `if`, which come before any access list, and what is included and not known.
    std::vector<Rule> rewrites;
    std::vector<AddressRange> trusted;  // set_real_ip_from
    bool satisfies_any = false;
    std::vector<Listen> listens;
    bool has_listen = false;    // also one that no edge connects to
    bool is_default = false;    // default_server
    bool is_catch_all = false;  // server_name _
    std::string name;
    bool is_stream = false;
    bool is_data = false;  // `map` and its like: no directives within
    Place place;
};

/// A server is judged when all that is around it has been read.
struct Server {
    Level self;
    std::optional<Level> site;           // `location /`
    std::shared_ptr<const Level> outer;  // `http` or `stream`, of all servers in it
};

/// What a server does with a request for `/`.
struct SiteRules {
    std::vector<Rule> before;                 // whatever the list says
    const std::vector<Rule>* list = nullptr;  // of the innermost level that has one
    bool satisfies_any = false;

    bool empty() const { return before.empty() && (list == nullptr || list->empty()); }
    std::vector<Rule> all() const;
};

/// What nginx is known to ship with, and others to name alike: no rules of access in it.
bool is_harmless_include(std::string_view name);

/// `location /`, `location ^~ /` and patterns that everything fits.
bool is_whole_site(const std::vector<Token>& words);

/// It does nothing but turn away names that no other server has.
bool is_bare_refusal(const Server& server);

std::set<std::string> addresses_at(const Server& server, uint32_t port);

/// Ports, ascending, and which servers listen there; nobody does on those that are missing.
/// Errors: more servers and ports than can be compared.
using PortGroups = std::map<std::vector<size_t>, std::vector<PortRange>>;
std::optional<PortGroups> groups_of(const std::vector<Server>& servers);

/// Those that no group has.
std::vector<PortRange> ports_beside(const PortGroups& groups);

/// `443`, `443 ssl`, `[::]:443`, `10.0.0.1:8080`
void listen(const std::vector<Token>& words, Level& level);

void refuse_all(std::string_view code, Level& level, const Place& place);

/// A stream is closed where http answers 403.
Rule refusal(const Level& level, std::vector<Match> matches, const Place& place);

/// A condition of `if` that is about the request, not about who sends it.
bool is_of_request(std::string_view condition);

/// Addresses of which not every list says the same for sure.
std::vector<AddressRange> disagreement(const std::vector<SiteRules>& sites);

}  // namespace edgecase::allowlist
