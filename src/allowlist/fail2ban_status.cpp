// `fail2ban-client status JAIL`: who is banned now.
#include <array>

#include "allowlist/rule_parts.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

/// Jails whose ban is for the web's ports, or for all.
constexpr std::array<std::string_view, 8> kWebJails{"nginx",    "apache",    "http", "php",
                                                    "recidive", "wordpress", "web",  "traefik"};
constexpr std::array<std::string_view, 9> kOtherJails{
    "ssh", "dropbear", "postfix", "dovecot", "exim", "vsftpd", "proftpd", "mysql", "named"};

bool begins_with_any(std::string_view jail, std::span<const std::string_view> names) {
    for (const std::string_view name : names) {
        if (jail.contains(name)) return true;
    }
    return false;
}

}  // namespace

ReadResult read_fail2ban(Reading& into, uint32_t file) {
    std::string jail;
    std::vector<Rule> rules;
    ReadResult error;
    bool has_list = false;
    for_each_line(into.source(file).text, [&](uint32_t number, std::string_view line) {
        constexpr std::string_view kJail = "Status for the jail:";
        constexpr std::string_view kList = "Banned IP list:";
        if (const size_t at = line.find(kJail); at != std::string_view::npos) {
            jail = base::to_lower(base::trim(line.substr(at + kJail.size())));
        }
        const size_t at = line.find(kList);
        if (at == std::string_view::npos || error) return;
        has_list = true;
        std::vector<AddressRange> banned;
        for (const std::string& word : words_of(line.substr(at + kList.size()))) {
            const auto range = AddressRange::parse(word);
            if (!range) {
                // Without its quotes a word is not in the line; then it is somewhere in the list.
                const size_t list = at + kList.size();
                const size_t found = line.find(word, list);
                const size_t column = (found == std::string_view::npos ? list : found) + 1;
                error = ReadError{into.source(file).name, number, column,
                                  "`" + word + "` is no address"};
                return;
            }
            banned.push_back(*range);
        }
        if (banned.empty() || begins_with_any(jail, kOtherJails)) return;
        std::vector<Match> matches{from_addresses(banned)};
        if (!begins_with_any(jail, kWebJails)) {
            matches.push_back(unknown_match("the ports of the jail " + jail));
        }
        rules.push_back(make_rule(Action::reject, std::move(matches), {file, number, 0},
                                  "banned by the jail " + jail));
    });
    if (error) return error;
    if (!has_list) {
        return ReadError{into.source(file).name, 1, 1,
                         "no `Banned IP list:`; give `fail2ban-client status JAIL`"};
    }
    Stage stage;
    stage.name = "fail2ban";
    stage.priority = -1;  // its rules come before the others
    stage.policy_place = {file, 0, 0};
    stage.policy_text = "not banned";
    stage.is_for_first = true;
    add_stage(into.rules, std::move(stage), std::move(rules));
    into.rules.notes.push_back(
        into.source(file).name +
        ": bans are taken for fail2ban's default action, a rejection with port-unreachable");
    return std::nullopt;
}

}  // namespace edgecase::allowlist
