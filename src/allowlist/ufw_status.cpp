// `ufw status verbose` and `ufw status numbered`.
#include <array>

#include "allowlist/rule_parts.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

struct Profile {
    std::string_view name;
    std::string_view ports;
};
/// Source: the application profiles of Debian's packages.
constexpr std::array kProfiles{Profile{"Nginx Full", "80,443/tcp"},
                               Profile{"Nginx HTTP", "80/tcp"},
                               Profile{"Nginx HTTPS", "443/tcp"},
                               Profile{"Apache", "80/tcp"},
                               Profile{"Apache Full", "80,443/tcp"},
                               Profile{"Apache Secure", "443/tcp"},
                               Profile{"WWW", "80/tcp"},
                               Profile{"WWW Full", "80,443/tcp"},
                               Profile{"WWW Secure", "443/tcp"},
                               Profile{"OpenSSH", "22/tcp"}};

constexpr std::array<std::string_view, 4> kActions{"ALLOW", "DENY", "REJECT", "LIMIT"};

/// Where the action's column begins, and which it is. Npos: no rule.
size_t find_action(std::string_view line, std::string_view& action) {
    size_t first = std::string_view::npos;
    for (const std::string_view word : kActions) {
        for (size_t at = line.find(word); at != std::string_view::npos && at < first;
             at = line.find(word, at + 1)) {
            const size_t end = at + word.size();
            const bool begins = at > 0 && line[at - 1] == ' ';
            if (begins && (end == line.size() || line[end] == ' ')) {
                action = word;
                first = at;
            }
        }
    }
    return first;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
    if (!text.ends_with(suffix)) return false;
    text.remove_suffix(suffix.size());
    text = base::trim(text);
    return true;
}

class UfwReader {
  public:
    UfwReader(Reading& into, uint32_t file) : into_(into), file_(file) {}

    ReadResult read() {
        bool is_active = false;
        bool has_status = false;
        for_each_line(into_.source(file_).text, [&](uint32_t number, std::string_view line) {
            if (line.starts_with("Status:")) {
                has_status = true;
                is_active = base::trim(line.substr(7)) == "active";
            } else if (line.starts_with("Default:")) {
                set_default(line, number);
            } else {
                read_rule(line, number);
            }
        });
        if (!has_status) {
            return ReadError{into_.source(file_).name, 1, 1, "`Status: active` was expected"};
        }
        Stage stage;
        stage.name = "ufw";
        stage.policy = policy_;
        stage.policy_sees = policy_sees_;
        stage.policy_place = policy_place_;
        if (policy_place_.line == 0) {
            stage.policy_place.file = file_;
            stage.policy_text = "the default, which only `ufw status verbose` shows";
        }
        if (!is_active) {
            rules_.clear();
            stage.policy = Action::accept;
            stage.policy_text = "Status: inactive";
        }
        // After the first packet: ufw's own rules accept what is established.
        stage.is_for_first = true;
        add_stage(into_.rules, std::move(stage), std::move(rules_));
        return std::nullopt;
    }

  private:
    void set_default(std::string_view line, uint32_t number) {
        policy_place_ = {file_, number, 0};
        const std::string_view word =
            words_of(line.substr(8)).empty() ? "" : base::trim(line.substr(8));
        if (word.starts_with("allow")) policy_ = Action::accept;
        if (word.starts_with("deny")) policy_ = Action::drop;
        if (word.starts_with("reject")) {
            policy_ = Action::reject;
            policy_sees_ = cause::Cause::connect_rejected;
        }
    }

    void read_rule(std::string_view line, uint32_t number) {
        // A comment may have any words.
        line = line.substr(0, line.find(" # "));
        std::string_view action;
        const size_t at = find_action(line, action);
        if (at == std::string_view::npos) return;
        std::string_view to = base::trim(line.substr(0, at));
        if (to.starts_with('[')) to = base::trim(to.substr(std::min(to.size(), to.find(']') + 1)));
        std::string_view from = base::trim(line.substr(at + action.size()));
        if (from.starts_with("OUT") || from.starts_with("FWD")) return;
        if (from.starts_with("IN ")) from = base::trim(from.substr(3));
        const Place place{file_, number, 0};
        std::vector<Match> matches;
        bool is_v6 = take_suffix(to, "(v6)");
        is_v6 |= take_suffix(from, "(v6)");
        if (!read_to(to, matches) || !read_from(from, is_v6, matches)) return;
        if (action == "ALLOW") {
            rules_.push_back(make_rule(Action::accept, std::move(matches), place));
        } else if (action == "DENY") {
            rules_.push_back(make_rule(Action::drop, std::move(matches), place));
        } else if (action == "REJECT") {
            rules_.push_back(make_rule(Action::reject, std::move(matches), place));
        } else {
            std::vector<Match> limited = matches;
            limited.push_back(rate_limit());
            rules_.push_back(make_rule(Action::accept, std::move(limited), place));
            rules_.push_back(make_rule(Action::reject, std::move(matches), place));
        }
    }

    /// `443/tcp`, `80,443/tcp`, `10.0.0.1 443/tcp`, `Anywhere`, a profile; `on eth0` behind.
    /// False: for another protocol.
    static bool read_to(std::string_view to, std::vector<Match>& matches) {
        if (const size_t on = to.find(" on "); on != std::string_view::npos) {
            auto operand = std::make_shared<Operand>();
            operand->text = std::string(base::trim(to.substr(on + 4)));
            matches.push_back({MatchKind::interface_in, false, 0, 0, std::move(operand)});
            to = base::trim(to.substr(0, on));
        }
        for (const Profile& profile : kProfiles) {
            if (to == profile.name) to = profile.ports;
        }
        for (std::string_view word : words_of_view(to)) {
            if (word == "Anywhere") continue;
            if (const auto address = AddressRange::parse(word)) {
                matches.push_back(to_addresses(std::span(&*address, 1)));
                continue;
            }
            if (word.ends_with("/udp") || word.ends_with("/esp") || word.ends_with("/ah"))
                return false;
            if (word.ends_with("/tcp")) word.remove_suffix(4);
            std::vector<PortRange> ports;
            bool is_known = true;
            base::for_each_list_element(word, [&](std::string_view one) {
                const auto range = parse_ports(one);
                is_known &= range.has_value();
                if (range) ports.push_back(*range);
            });
            matches.push_back(is_known ? to_ports(ports)
                                       : unknown_match("the profile " + std::string(to)));
            if (!is_known) break;
        }
        return true;
    }

    static std::vector<std::string_view> words_of_view(std::string_view text) {
        std::vector<std::string_view> words;
        while (!text.empty()) {
            const size_t end = std::min(text.find(' '), text.size());
            if (end > 0) words.push_back(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return words;
    }

    /// `Anywhere`, `104.16.0.0/13`, either with `PORT/tcp` behind. False: no source of ours.
    static bool read_from(std::string_view from, bool is_v6, std::vector<Match>& matches) {
        const ip::Family family = is_v6 ? ip::Family::v6 : ip::Family::v4;
        const auto words = words_of_view(from);
        if (words.empty()) return false;
        if (words[0] == "Anywhere") {
            matches.push_back(only_family(family));
        } else if (const auto range = AddressRange::parse(words[0])) {
            matches.push_back(only_family(range->family));
            matches.push_back(from_addresses(std::span(&*range, 1)));
        } else {
            matches.push_back(unknown_match("the source " + std::string(from)));
        }
        if (words.size() > 1) matches.push_back(unknown_match("a port of the edge's side"));
        return true;
    }

    Reading& into_;
    uint32_t file_;
    std::vector<Rule> rules_;
    Action policy_ = Action::unclear;
    cause::Cause policy_sees_ = cause::Cause::connect_timeout;
    Place policy_place_;
};

}  // namespace

ReadResult read_ufw(Reading& into, uint32_t file) {
    return UfwReader(into, file).read();
}

}  // namespace edgecase::allowlist
