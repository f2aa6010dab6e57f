#include "allowlist/apache_sites.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace edgecase::allowlist {
namespace {

constexpr size_t kMaxCompared = 5'000'000;  // hosts with sections, and ports with hosts: a second

/// What counts for a host: `Require` and `Order` are of two modules, and both must let in.
struct Site {
    Let let = Let::all();
    const Section* decides = nullptr;  // null: nothing does
    std::string doubt;
};

class Sites {
  public:
    explicit Sites(const ApacheConfig& config) : config_(config), of_hosts_(config.hosts.size()) {}

    bool are_too_many() const { return compared_ > kMaxCompared; }

    /// Hosts of one port are alternatives: the name that is asked for decides.
    SiteVerdict of(const std::set<size_t>& hosts, PortRange ports) {
        SiteVerdict verdict;
        verdict.ports = ports;
        std::vector<const Site*> sites;
        if (hosts.empty()) sites.push_back(&top());
        for (const size_t i : hosts) sites.push_back(&of_host(i));
        compared_ += sites.size();
        std::vector<const Let*> lets;
        const Section* decides = nullptr;
        bool differ = false;
        for (const Site* const site : sites) {
            lets.push_back(&site->let);
            if (decides == nullptr) decides = site->decides;
            if (verdict.doubt.empty()) verdict.doubt = site->doubt;
            differ |= !(site->let == sites.front()->let);
        }
        verdict.let = differ ? Let::one_of(lets) : sites.front()->let;
        if (differ) verdict.differing = sites.size();
        if (decides != nullptr) {
            verdict.is_decided = true;
            verdict.place = decides->place;
            verdict.where = decides->kind.empty() ? "the file"
                                                  : "<" + decides->kind + " " + decides->name + ">";
        }
        return verdict;
    }

  private:
    const Site& top() {
        if (!of_top_) of_top_ = site_of(config_.top);
        return *of_top_;
    }
    const Site& of_host(size_t i) {
        if (!of_hosts_[i]) of_hosts_[i] = site_of(config_.hosts[i]);
        return *of_hosts_[i];
    }

    Site site_of(const Section& host) {
        Site site;
        const Section& top = config_.top;
        const std::string& root = host.root.empty() ? top.root : host.root;
        std::vector<std::pair<const Section*, Covers>> sections;
        std::vector<const Section*> levels{&top};
        if (&host != &top) levels.push_back(&host);
        const auto look_at = [&](const Section& section) {
            ++compared_;
            const Covers covered = covers(section, root);
            if (covered != Covers::no) sections.emplace_back(&section, covered);
        };
        if (are_too_many()) return site;
        for (const Section* const one : levels) {
            for (const Section& section : one->found) look_at(section);
            if (has_access(*one)) look_at(*one);
        }
        std::array<const Section*, 2> best{};
        std::array<Let, 2> lets{Let::all(), Let::all()};
        for (size_t i = 0; i < 2; ++i) {
            const auto has = [&](const Section& section) {
                return i == 0 ? section.has_require : section.has_order;
            };
            const auto let_of = [&](const Section& section) {
                return i == 0 ? joined(section) : ordered(section);
            };
            for (const auto& [section, covered] : sections) {
                if (!has(*section) || covered != Covers::yes) continue;
                // The later one of two counts.
                if (best[i] == nullptr || weight(*section) >= weight(*best[i])) best[i] = section;
            }
            std::vector<Let> may_be{best[i] != nullptr ? let_of(*best[i]) : Let::all()};
            for (const auto& [section, covered] : sections) {
                if (!has(*section) || covered != Covers::perhaps) continue;
                may_be.push_back(let_of(*section));
                site.decides = section;
            }
            std::vector<const Let*> pointers;
            for (const Let& let : may_be) pointers.push_back(&let);
            lets[i] = Let::one_of(pointers);
        }
        site.let = lets[0] & lets[1];
        if (config_.satisfies_any) site.let = site.let.or_perhaps(lets[0] | lets[1]);
        for (const Section* const section : {best[1], best[0]}) {
            if (section != nullptr) site.decides = section;
        }
        bool is_unclear = false;
        for (const auto& [section, covered] : sections) {
            if (!section->is_unclear) continue;
            is_unclear = true;
            if (site.doubt.empty()) site.doubt = section->doubt;
            if (site.decides == nullptr) site.decides = section;
        }
        is_unclear |= config_.merges && site.decides != nullptr;
        if (is_unclear) site.let = Let::unknown();
        return site;
    }

    const ApacheConfig& config_;
    std::optional<Site> of_top_;
    std::vector<std::optional<Site>> of_hosts_;
    size_t compared_ = 0;
};

}  // namespace

std::expected<std::vector<SiteVerdict>, std::string> verdicts_of(const ApacheConfig& config) {
    constexpr uint32_t kEnd = 65536;
    // Where a host begins to listen, and where it ends.
    std::map<uint32_t, std::vector<std::pair<size_t, bool>>> bounds{{0, {}}, {kEnd, {}}};
    for (size_t i = 0; i < config.hosts.size(); ++i) {
        auto ports = ports_of(config.hosts[i]);
        if (ports.empty()) ports = {{0, kEnd - 1}};
        for (const PortRange& range : ports) {
            bounds[range.first].emplace_back(i, true);
            bounds[range.last + 1].emplace_back(i, false);
        }
    }
    Sites sites(config);
    std::vector<SiteVerdict> verdicts;
    std::multiset<size_t> listening;  // a host may name a port twice
    for (auto at = bounds.begin(); std::next(at) != bounds.end(); ++at) {
        for (const auto& [host, begins] : at->second) {
            if (begins) listening.insert(host);
        }
        for (const auto& [host, begins] : at->second) {
            if (!begins) listening.erase(listening.find(host));
        }
        verdicts.push_back(
            sites.of({listening.begin(), listening.end()}, {at->first, std::next(at)->first - 1}));
        if (sites.are_too_many()) {
            return std::unexpected("more virtual hosts and sections than can be compared");
        }
    }
    return verdicts;
}

std::vector<std::string> notes_on_parts(const ApacheConfig& config, const Ruleset& rules) {
    std::vector<std::string> notes;
    const auto add = [&](const Section& host) {
        const std::string& root = host.root.empty() ? config.top.root : host.root;
        for (const Section& section : host.found) {
            if (covers(section, root) == Covers::yes) continue;
            notes.push_back(fmt::format(
                "{}:{}: <{} {}> has access rules of its own; only whole sites are judged",
                rules.sources[section.place.file].name, section.place.line, section.kind,
                section.name));
        }
    };
    add(config.top);
    for (const Section& host : config.hosts) add(host);
    return notes;
}

}  // namespace edgecase::allowlist
