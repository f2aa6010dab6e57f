// Apache: `Require`, `Order`/`Allow`/`Deny`, in a server's configuration or in .htaccess.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "allowlist/apache_sections.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

constexpr size_t kMaxSections = 100'000;
constexpr size_t kMaxDepth = 64;
constexpr std::array<std::string_view, 6> kHarmless{
    // files without rules for a whole site
    "mods-enabled", "conf.modules.d", "ports.conf", "mime", "charset", "ssl"};

class ApacheReader {
  public:
    ApacheReader(Reading& into, uint32_t file) : into_(into), file_(file) {}

    ReadResult read() {
        stack_.push_back({});
        stack_.back().place = {file_, 1, 0};
        ReadResult error;
        const std::string_view text = into_.source(file_).text;
        std::string continued;
        uint32_t first = 0;
        for_each_line(text, [&](uint32_t number, std::string_view line) {
            if (error) return;
            if (continued.empty()) first = number;
            if (line.ends_with('\\')) {
                continued += std::string(line.substr(0, line.size() - 1)) + " ";
                return;
            }
            continued += line;
            if (const auto what = read_line(base::trim(continued), {file_, first, 0});
                !what.empty()) {
                error = error_at(into_.source(file_),
                                 static_cast<size_t>(line.data() - text.data()), what);
            }
            continued.clear();
        });
        if (error) return error;
        if (stack_.size() > 1) {
            return ReadError{into_.source(file_).name, 0, 0,
                             "<" + stack_.back().kind + "> is not closed"};
        }
        if (!has_directive_) {
            return ReadError{into_.source(file_).name, 1, 1, "no directive of access in it"};
        }
        finish();
        return std::nullopt;
    }

  private:
    /// What is wrong; empty: nothing.
    std::string read_line(std::string_view line, const Place& place) {
        if (line.empty() || line.front() == '#') return {};
        if (line.starts_with("</")) return close(line);
        if (line.front() == '<') return open(line, place);
        const auto words = words_of(line);
        const std::string name = base::to_lower(words[0]);
        Section& section = stack_.back();
        if (name == "require") {
            has_directive_ = true;
            return require(words, section, place);
        }
        if (name == "order" && words.size() > 1) {
            has_directive_ = true;
            touch(section, place);
            section.has_order = true;
            section.is_order_allow_deny = base::to_lower(words[1]).starts_with("allow");
        } else if ((name == "allow" || name == "deny") && words.size() > 2) {
            has_directive_ = true;
            touch(section, place);
            section.has_order = true;
            Let& let = name == "allow" ? section.allowed : section.denied;
            for (size_t i = 2; i < words.size(); ++i) let = let | whom(words[i]);
        } else if (name == "satisfy" && words.size() > 1) {
            satisfies_any_ |= base::iequals(words[1], "any");
        } else if (name == "authmerging" && words.size() > 1) {
            merges_ |= !base::iequals(words[1], "off");
        } else if (name.ends_with("remoteiptrustedproxylist") ||
                   name.ends_with("remoteipinternalproxylist")) {
            trust_everyone();
        } else if (name.ends_with("remoteiptrustedproxy") ||
                   name.ends_with("remoteipinternalproxy")) {
            for (size_t i = 1; i < words.size(); ++i) {
                const auto range = apache_range(words[i]);
                if (range) trusted_.push_back(*range);
                if (!range) trust_everyone();  // a host's name
            }
        } else if (name == "documentroot" && words.size() > 1) {
            host().root = without_slashes(words[1]);
        } else if (name == "include" || name == "includeoptional") {
            into_.rules.notes.push_back(fmt::format("{}:{}: {} is not followed",
                                                    into_.source(file_).name, place.line, line));
            // It may well have the rules.
            const auto is_harmless = [&](std::string_view one) { return line.contains(one); };
            if (std::ranges::none_of(kHarmless, is_harmless)) {
                if (!has_access(section)) section.place = place;
                section.is_unclear = true;
            }
        }
        return {};
    }

    void trust_everyone() {
        trusted_.push_back(everyone(ip::Family::v4));
        trusted_.push_back(everyone(ip::Family::v6));
    }

    /// The virtual host that is being read, or the server itself.
    Section& host() {
        const auto found =
            std::ranges::find(stack_.rbegin(), stack_.rend(), "virtualhost", &Section::kind);
        return found == stack_.rend() ? stack_.front() : *found;
    }

    static void touch(Section& section, const Place& place) {
        if (!section.has_require && !section.has_order) section.place = place;
    }

    std::string require(const std::vector<std::string>& words, Section& section,
                        const Place& place) {
        size_t at = 1;
        const bool is_negated = words.size() > 1 && base::iequals(words[1], "not");
        if (is_negated) ++at;
        if (at >= words.size()) return "what is required is missing";
        Let let;
        const std::string kind = base::to_lower(words[at]);
        if (kind == "all" && at + 1 < words.size()) {
            if (base::iequals(words[at + 1], "granted")) let = Let::all();
        } else if (kind == "ip") {
            for (size_t i = at + 1; i < words.size(); ++i) {
                const auto range = apache_range(words[i]);
                if (!range) return "`" + words[i] + "` is no address";
                let.add(*range);
            }
        } else if (kind != "local") {  // the edge is another machine
            let = Let::unknown();
        }
        touch(section, place);
        section.has_require = true;
        (is_negated ? section.refused : section.required).push_back(std::move(let));
        return {};
    }

    std::string open(std::string_view line, const Place& place) {
        if (++sections_ > kMaxSections || stack_.size() > kMaxDepth)
            return "more sections than can be read";
        line.remove_prefix(1);
        if (line.ends_with('>')) line.remove_suffix(1);
        const auto words = words_of(line);
        if (words.empty()) return "a section needs a name";
        Section section;
        section.kind = base::to_lower(words[0]);
        for (size_t i = 1; i < words.size(); ++i) section.name += (i > 1 ? " " : "") + words[i];
        section.place = place;
        stack_.push_back(std::move(section));
        return {};
    }

    std::string close(std::string_view line) {
        std::string kind = base::to_lower(line.substr(2));
        kind = kind.substr(0, kind.find('>'));
        if (stack_.size() < 2 || stack_.back().kind != kind)
            return "</" + kind + "> closes no section";
        Section section = std::move(stack_.back());
        stack_.pop_back();
        Section& outer = stack_.back();
        if (kind == "requireall" || kind == "requireany" || kind == "requirenone") {
            if (!outer.has_require) outer.place = section.place;
            outer.has_require = true;
            outer.required.push_back(joined(section));
        } else if (kind == "if" || kind == "elseif" || kind == "else" || kind == "ifdefine") {
            if (has_access(section)) {
                if (!has_access(outer)) outer.place = section.place;
                outer.is_unclear = true;
            }
        } else if (kind == "limit" || kind == "limitexcept") {
            // A visitor's request is a GET.
            if (names_get(section.name) == (kind == "limit")) merge(section, outer);
        } else if (kind.starts_with("if")) {
            // <IfModule> and its like: what is inside counts as if it stood outside.
            if (!is_for_old(section)) merge(section, outer);
        } else if (kind == "virtualhost") {
            hosts_.push_back(std::move(section));
        } else if (has_access(section)) {
            host().found.push_back(std::move(section));
        }
        return {};
    }

    /// What counts for a host: `Require` and `Order` are of two modules, and both must let in.
    struct Site {
        Let let = Let::all();
        const Section* decides = nullptr;  // null: nothing does
    };

    Site site_of(const Section& host) const {
        Site site;
        const Section& top = stack_.front();
        const std::string& root = host.root.empty() ? top.root : host.root;
        std::vector<const Section*> sections;
        std::vector<const Section*> levels{&top};
        if (&host != &top) levels.push_back(&host);
        for (const Section* const one : levels) {
            for (const Section& section : one->found) sections.push_back(&section);
            if (has_access(*one)) sections.push_back(one);
        }
        std::array<const Section*, 2> best{};
        std::array<Let, 2> lets{Let::all(), Let::all()};
        const auto has = [](const Section& section, size_t i) {
            return i == 0 ? section.has_require : section.has_order;
        };
        for (size_t i = 0; i < 2; ++i) {
            for (const Section* const section : sections) {
                if (!has(*section, i) || covers(*section, root) != Covers::yes) continue;
                // The later one of two counts.
                if (best[i] == nullptr || weight(*section) >= weight(*best[i])) best[i] = section;
            }
            if (best[i] != nullptr) lets[i] = i == 0 ? joined(*best[i]) : ordered(*best[i]);
            for (const Section* const section : sections) {
                if (!has(*section, i) || covers(*section, root) != Covers::perhaps) continue;
                lets[i] = lets[i].or_perhaps(i == 0 ? joined(*section) : ordered(*section));
                site.decides = section;
            }
        }
        site.let = lets[0] & lets[1];
        if (satisfies_any_) site.let = site.let.or_perhaps(lets[0] | lets[1]);
        for (const Section* const section : {best[1], best[0]}) {
            if (section != nullptr) site.decides = section;
        }
        bool is_unclear = false;
        for (const Section* const section : sections) {
            if (!section->is_unclear || covers(*section, root) == Covers::no) continue;
            is_unclear = true;
            if (site.decides == nullptr) site.decides = section;
        }
        is_unclear |= merges_ && site.decides != nullptr;
        if (is_unclear) site.let = Let::unknown();
        return site;
    }

    void note_parts(const Section& host) {
        for (const Section& section : host.found) {
            const std::string& root = host.root.empty() ? stack_.front().root : host.root;
            if (covers(section, root) == Covers::yes) continue;
            into_.rules.notes.push_back(fmt::format(
                "{}:{}: <{} {}> has access rules of its own; only whole sites are judged",
                into_.source(file_).name, section.place.line, section.kind, section.name));
        }
    }

    void finish() {
        const Section& top = stack_.front();
        note_parts(top);
        for (const Section& host : hosts_) note_parts(host);
        if (hosts_.empty()) {
            add_site({&top}, {});
            return;
        }
        std::vector<uint32_t> bounds{0, 65536};
        for (const Section& host : hosts_) {
            for (const PortRange& range : ports_of(host)) {
                bounds.push_back(range.first);
                bounds.push_back(range.last + 1);
            }
        }
        std::ranges::sort(bounds);
        for (size_t i = 0; i + 1 < bounds.size(); ++i) {
            if (bounds[i] == bounds[i + 1]) continue;
            const PortRange here{bounds[i], bounds[i + 1] - 1};
            std::vector<const Section*> of_port;
            for (const Section& host : hosts_) {
                const auto ports = ports_of(host);
                const auto is_here = [&](const PortRange& range) {
                    return range.first <= here.first && here.last <= range.last;
                };
                if (ports.empty() || std::ranges::any_of(ports, is_here)) of_port.push_back(&host);
            }
            if (of_port.empty()) of_port.push_back(&top);
            add_site(of_port, {here});
        }
    }

    /// Hosts of one port are alternatives: the name that is asked for decides.
    void add_site(const std::vector<const Section*>& hosts, std::vector<PortRange> ports) {
        Site site = site_of(*hosts.front());
        bool differ = false;
        for (const Section* const host : hosts) {
            const Site other = site_of(*host);
            differ |= !(other.let == site.let);
            site.let = site.let.or_perhaps(other.let);
            if (site.decides == nullptr) site.decides = other.decides;
        }
        if (differ) {
            into_.rules.notes.push_back(
                fmt::format("{}: {} virtual hosts of one port differ in whom they let in; the name "
                            "that is asked for decides",
                            into_.source(file_).name, hosts.size()));
        }
        std::vector<Rule> rules;
        Stage stage;
        stage.name = "apache";
        stage.hook = Hook::application;
        stage.policy_place = {file_, 0, 0};
        stage.policy_text = "no rule of access for the whole site";
        stage.is_for_first = true;
        stage.ports = std::move(ports);
        if (const Section* const best = site.decides; best != nullptr) {
            if (!trusted_.empty()) {
                rules.push_back(make_rule(
                    Action::unclear,
                    {from_addresses(trusted_),
                     unknown_match(
                         "mod_remoteip: the visitor's address is judged, not the edge's")},
                    best->place));
            }
            add_access(site.let, best->place, rules);
            stage.policy = Action::reject;
            stage.policy_sees = cause::Cause::origin_status;
            stage.policy_http_status = 403;
            stage.policy_place = best->place;
            stage.policy_text = fmt::format(
                "nothing in {} admits it",
                best->kind.empty() ? "the file" : "<" + best->kind + " " + best->name + ">");
        }
        add_stage(into_.rules, std::move(stage), std::move(rules));
    }

    static void add_access(const Let& let, const Place& place, std::vector<Rule>& rules) {
        for (const bool is_sure : {true, false}) {
            SetBuilder builder;
            builder.define(place);
            for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
                const auto& set = (is_sure ? let.sure : let.maybe)[static_cast<size_t>(family)];
                for (const ip::Interval& one : set.intervals()) builder.add({family, one});
            }
            builder.finish();
            std::vector<Match> matches{{MatchKind::source, false, 0, 0, builder.operand()}};
            if (!is_sure)
                matches.push_back(unknown_match("a condition that is not about addresses"));
            rules.push_back(
                make_rule(is_sure ? Action::accept : Action::unclear, std::move(matches), place));
        }
    }

    Reading& into_;
    uint32_t file_;
    std::vector<Section> stack_;
    std::vector<Section> hosts_;
    std::vector<AddressRange> trusted_;  // RemoteIP...Proxy
    bool satisfies_any_ = false;
    bool merges_ = false;
    bool has_directive_ = false;
    size_t sections_ = 0;
};

}  // namespace

ReadResult read_apache(Reading& into, uint32_t file) {
    return ApacheReader(into, file).read();
}

}  // namespace edgecase::allowlist
