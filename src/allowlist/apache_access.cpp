// Apache: `Require`, `Order`/`Allow`/`Deny`, in a server's configuration or in .htaccess.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "allowlist/rule_parts.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

constexpr size_t kMaxSections = 100'000;
constexpr size_t kMaxDepth = 64;

/// Who is let in: for sure, and perhaps.
struct Let {
    std::array<ip::AddressSet, 2> sure{ip::AddressSet(ip::Family::v4),
                                       ip::AddressSet(ip::Family::v6)};
    std::array<ip::AddressSet, 2> maybe = sure;  // has all of sure as well

    static Let all() {
        Let let;
        let.sure = {ip::AddressSet::all(ip::Family::v4), ip::AddressSet::all(ip::Family::v6)};
        let.maybe = let.sure;
        return let;
    }
    static Let unknown() {
        Let let;
        let.maybe = all().sure;
        return let;
    }
    void add(const AddressRange& range) {
        const ip::AddressSet set(range.family, {range.interval});
        const auto f = static_cast<size_t>(range.family);
        sure[f] = sure[f].unite(set);
        maybe[f] = maybe[f].unite(set);
    }
    Let operator|(const Let& other) const {
        Let let;
        for (size_t f = 0; f < 2; ++f) {
            let.sure[f] = sure[f].unite(other.sure[f]);
            let.maybe[f] = maybe[f].unite(other.maybe[f]);
        }
        return let;
    }
    Let operator&(const Let& other) const {
        Let let;
        for (size_t f = 0; f < 2; ++f) {
            let.sure[f] = sure[f].intersect(other.sure[f]);
            let.maybe[f] = maybe[f].intersect(other.maybe[f]);
        }
        return let;
    }
    Let operator~() const {
        Let let;
        for (size_t f = 0; f < 2; ++f) {
            let.sure[f] = maybe[f].complement();
            let.maybe[f] = sure[f].complement();
        }
        return let;
    }
};

/// `104.16` is 104.16.0.0/16, as mod_authz_host has it.
std::optional<AddressRange> apache_range(std::string_view text) {
    if (const auto range = AddressRange::parse(text)) return range;
    if (text.ends_with('.')) text.remove_suffix(1);
    const auto dots = std::ranges::count(text, '.');
    if (text.empty() || dots > 2 ||
        text.find_first_not_of("0123456789.") != std::string_view::npos) {
        return std::nullopt;
    }
    std::string whole(text);
    for (auto i = dots; i < 3; ++i) whole += ".0";
    return AddressRange::parse(whole + "/" + std::to_string(8 * (dots + 1)));
}

/// A section and what it says of access.
struct Section {
    std::string kind;  // lower case; empty: the file itself
    std::string name;
    Place place;
    std::vector<Let> required;  // of one container
    std::vector<Let> refused;   // `Require not`
    bool has_require = false;
    bool is_order_allow_deny = false;
    bool has_order = false;
    Let allowed, denied;
    std::vector<AddressRange> trusted;  // RemoteIP...Proxy
};

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
        } else if (name == "remoteiptrustedproxy" || name == "remoteipinternalproxy") {
            for (size_t i = 1; i < words.size(); ++i) {
                if (const auto range = apache_range(words[i])) section.trusted.push_back(*range);
            }
        } else if (name == "documentroot" && words.size() > 1) {
            root_ = words[1];
        } else if (name == "include" || name == "includeoptional") {
            into_.rules.notes.push_back(fmt::format("{}:{}: {} is not followed",
                                                    into_.source(file_).name, place.line, line));
        }
        return {};
    }

    static void touch(Section& section, const Place& place) {
        if (!section.has_require && !section.has_order) section.place = place;
    }

    static Let whom(const std::string& word) {
        if (base::iequals(word, "all")) return Let::all();
        if (const auto range = apache_range(word)) {
            Let let;
            let.add(*range);
            return let;
        }
        return Let::unknown();  // a host's name, a variable
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
        } else if (kind.starts_with("if") || kind == "limit" || kind == "limitexcept") {
            // <IfModule> and its like: what is inside counts as if it stood outside.
            merge(section, outer);
        } else if (section.has_require || section.has_order) {
            judge_section(std::move(section));
        } else if (kind == "virtualhost") {
            // Sections within have been kept with their host.
        }
        return {};
    }

    static void merge(Section& inner, Section& outer) {
        if (!inner.has_require && !inner.has_order) return;
        if (!outer.has_require && !outer.has_order) outer.place = inner.place;
        outer.has_require |= inner.has_require;
        outer.has_order |= inner.has_order;
        outer.is_order_allow_deny |= inner.is_order_allow_deny;
        outer.allowed = outer.allowed | inner.allowed;
        outer.denied = outer.denied | inner.denied;
        std::ranges::move(inner.required, std::back_inserter(outer.required));
        std::ranges::move(inner.refused, std::back_inserter(outer.refused));
    }

    /// Outside of a container any of the requirements is enough.
    static Let joined(const Section& section) {
        const bool is_all = section.kind == "requireall";
        Let let = is_all || section.required.empty() ? Let::all() : Let();
        for (const Let& one : section.required) let = is_all ? let & one : let | one;
        if (section.kind == "requirenone") let = section.required.empty() ? Let::all() : ~let;
        for (const Let& one : section.refused) let = let & ~one;
        return let;
    }

    static Let access_of(const Section& section) {
        if (section.has_require) return joined(section);
        return section.is_order_allow_deny ? section.allowed & ~section.denied
                                           : ~section.denied | section.allowed;
    }

    void judge_section(Section section) {
        const bool is_host = section.kind == "virtualhost" || section.kind.empty();
        const bool is_site =
            is_host || section.kind == "directory" ||
            (section.kind == "location" && (section.name == "/" || section.name.empty()));
        if (!is_site) {
            into_.rules.notes.push_back(fmt::format(
                "{}:{}: <{} {}> has access rules of its own; only whole sites are judged",
                into_.source(file_).name, section.place.line, section.kind, section.name));
            return;
        }
        found_.push_back(std::move(section));
    }

    /// A location overrules a directory, and a longer directory a shorter one.
    static std::pair<int, size_t> weight(const Section& section, std::string_view root) {
        if (section.kind == "location") return {3, 0};
        if (section.kind != "directory") return {2, 0};
        const std::string_view name = section.name;
        const bool holds_site = !root.empty()
                                    ? root.starts_with(name)
                                    : name.starts_with("/var/www") || name.starts_with("/srv");
        return {holds_site ? 1 : name == "/" ? 0 : -1, name.size()};
    }

    void finish() {
        Section top = std::move(stack_.back());
        const std::vector<AddressRange> trusted = top.trusted;
        if (top.has_require || top.has_order) judge_section(std::move(top));
        const auto best = std::ranges::max_element(
            found_, {}, [&](const Section& section) { return weight(section, root_); });
        std::vector<Rule> rules;
        Stage stage;
        stage.name = "apache";
        stage.hook = Hook::application;
        stage.policy_place = {file_, 0, 0};
        stage.policy_text = "no rule of access for the whole site";
        stage.is_for_first = true;
        if (best != found_.end() && weight(*best, root_).first >= 0) {
            if (!trusted.empty()) {
                rules.push_back(make_rule(
                    Action::unclear,
                    {from_addresses(trusted),
                     unknown_match(
                         "mod_remoteip: the visitor's address is judged, not the edge's")},
                    best->place));
            }
            add_access(access_of(*best), best->place, rules);
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
    std::vector<Section> found_;
    std::string root_;
    bool has_directive_ = false;
    size_t sections_ = 0;
};

}  // namespace

ReadResult read_apache(Reading& into, uint32_t file) {
    return ApacheReader(into, file).read();
}

}  // namespace edgecase::allowlist
