// nginx: `allow` and `deny`, the first that matches on the innermost level that has any.
#include <fmt/format.h>

#include <algorithm>

#include "allowlist/nginx_reader.hpp"

namespace edgecase::allowlist {
namespace {

class NginxJudge {
  public:
    NginxJudge(Reading& into, uint32_t file, NginxConfig config)
        : into_(into), file_(file), config_(std::move(config)) {}

    ReadResult judge() {
        const size_t before = into_.rules.stages.size();
        if (auto error = judge_servers()) return error;
        if (into_.rules.stages.size() == before) {
            // Nothing denies.
            Stage stage = stage_of({});
            stage.name = "nginx";
            stage.policy_place = {file_, 0, 0};
            stage.policy_text = "no `deny` for the whole site";
            add_stage(into_.rules, std::move(stage), {});
        }
        return std::nullopt;
    }

  private:
    /// A site's access list is that of its innermost level that has one.
    SiteRules rules_of(const Server& server) const {
        std::vector<const Level*> levels;  // from the innermost
        if (server.site) levels.push_back(&*server.site);
        levels.push_back(&server.self);
        if (server.outer) levels.push_back(server.outer.get());
        if (&server.self != &config_.top) levels.push_back(&config_.top);
        SiteRules rules;
        rules.before = server.self.rewrites;
        if (server.site) {
            const auto& more = server.site->rewrites;
            rules.before.insert(rules.before.end(), more.begin(), more.end());
        }
        const auto decides =
            std::ranges::find_if(levels, [](const Level* level) { return !level->rules.empty(); });
        if (decides == levels.end()) return rules;
        std::vector<AddressRange> trusted;
        for (const Level* const level : levels) {
            trusted.insert(trusted.end(), level->trusted.begin(), level->trusted.end());
        }
        if (!trusted.empty()) {
            rules.before.push_back(make_rule(
                Action::unclear,
                {from_addresses(trusted),
                 unknown_match(
                     "set_real_ip_from: the visitor's address is judged, not the edge's")},
                (*decides)->place));
        }
        rules.satisfies_any =
            std::ranges::any_of(levels, [](const Level* level) { return level->satisfies_any; });
        rules.list = &(*decides)->rules;
        return rules;
    }

    ReadResult judge_servers() {
        if (!config_.between.empty()) {
            Stage stage = stage_of(config_.top);
            stage.name = "nginx";
            add_stage(into_.rules, std::move(stage), config_.between);
        }
        if (config_.servers.empty()) {
            // A file to include: what it says is for whoever includes it.
            const Server whole{config_.outer ? *config_.outer : config_.top,
                               std::move(config_.site), nullptr};
            const SiteRules rules = rules_of(whole);
            if (!rules.empty()) add_server(whole.self, rules.all(), {});
            return std::nullopt;
        }
        for (Server& server : config_.servers) {
            if (!server.self.has_listen) server.self.listens = {{"", {80, 80}}};
        }
        // Servers of one port are alternatives: the name that is asked for decides.
        const auto groups = groups_of(config_.servers);
        if (!groups) {
            return ReadError{into_.source(file_).name, 0, 0,
                             "more servers and ports than can be compared"};
        }
        for (const auto& [group, ports] : *groups) judge_group(group, ports);
        if (const auto beside = ports_beside(*groups); !config_.within.empty() && !beside.empty()) {
            Stage stage = stage_of(config_.top);
            stage.name = "nginx, where no server is known to listen";
            stage.ports = beside;
            add_stage(into_.rules, std::move(stage), config_.within);
        }
        return std::nullopt;
    }

    void judge_group(std::vector<size_t> group, const std::vector<PortRange>& ports) {
        drop_catch_all(group, ports.front().first);
        std::vector<SiteRules> sites;
        for (const size_t i : group) sites.push_back(rules_of(config_.servers[i]));
        std::vector<Rule> rules = sites.front().all();
        const Level& first = config_.servers[group.front()].self;
        if (sites.size() > 1) {
            if (const auto ranges = disagreement(sites); !ranges.empty()) {
                into_.rules.notes.push_back(
                    fmt::format("{}: {} servers listen on port {} and differ in whom they let in; "
                                "the name that is asked for decides",
                                into_.source(file_).name, sites.size(), ports.front().first));
                rules.insert(rules.begin(),
                             make_rule(Action::unclear,
                                       {from_addresses(ranges),
                                        unknown_match("servers on one port differ; Host decides")},
                                       first.place));
            }
        }
        if (!rules.empty()) add_server(first, std::move(rules), ports);
    }

    /// The server for unknown names is none that the edge asks for, if another one listens
    /// wherever it does.
    void drop_catch_all(std::vector<size_t>& group, uint32_t port) {
        const auto is_marked = [&](size_t i) { return config_.servers[i].self.is_default; };
        const bool has_default = std::ranges::any_of(group, is_marked);
        std::map<std::string, size_t> listeners;
        for (const size_t i : group) {
            for (const std::string& address : addresses_at(config_.servers[i], port))
                ++listeners[address];
        }
        for (size_t at = 0; at < group.size() && group.size() > 1; ++at) {
            const Server& server = config_.servers[group[at]];
            const bool is_default =
                server.self.is_default || server.self.is_catch_all || (!has_default && at == 0);
            if (!is_default || !is_bare_refusal(server)) continue;
            const auto has_others = [&](const std::string& address) {
                return listeners[address] > 1;
            };
            if (!std::ranges::all_of(addresses_at(server, port), has_others)) continue;
            into_.rules.notes.push_back(
                fmt::format("{}:{}: the server that turns away unknown names is left out",
                            into_.source(file_).name, server.self.place.line));
            group.erase(group.begin() + static_cast<ptrdiff_t>(at));
            return;
        }
    }

    Stage stage_of(const Level& level) const {
        Stage stage;
        stage.hook = Hook::application;
        stage.begins = file_;
        stage.policy_place = level.place;
        stage.policy_text = "no `deny` that matches";
        stage.is_for_first = true;
        return stage;
    }

    void add_server(const Level& level, std::vector<Rule> rules, std::vector<PortRange> ports) {
        Stage stage = stage_of(level);
        stage.name = fmt::format("nginx {} (line {})", level.name, level.place.line);
        stage.ports = std::move(ports);
        add_stage(into_.rules, std::move(stage), std::move(rules));
    }

    Reading& into_;
    uint32_t file_;
    NginxConfig config_;
};

}  // namespace

ReadResult read_nginx(Reading& into, uint32_t file) {
    NginxReader reader(into, file);
    if (auto error = reader.read()) return error;
    return NginxJudge(into, file, std::move(reader).take()).judge();
}

}  // namespace edgecase::allowlist
