// Apache: `Require`, `Order`/`Allow`/`Deny`, in a server's configuration or in .htaccess.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "allowlist/apache_sites.hpp"

namespace edgecase::allowlist {
namespace {

constexpr size_t kMaxWorlds = 128;         // seven conditions that nobody knows
constexpr size_t kMaxLines = 2'000'000;    // of the first world
constexpr size_t kMaxMoreLines = 500'000;  // of all others together: half a second

/// What comes of all the worlds that may be.
class ApacheAnswer {
  public:
    ApacheAnswer(Reading& into, uint32_t file) : into_(into), file_(file) {}

    ReadResult read() {
        std::vector<ApacheWorld::Assumptions> todo{{}};
        size_t lines = kMaxLines;
        size_t read = 0;
        bool has_directive = false;
        while (!todo.empty()) {
            auto assumed = std::move(todo.back());
            todo.pop_back();
            ApacheWorld world(assumed);
            ModsecurityRules modsecurity;
            auto config = ApacheReader(into_, file_, world, &modsecurity, lines).read();
            if (!config) {
                // The first world alone may be as large as can be read.
                if (read == 0 || lines > 0) return std::move(config.error());
                gives_up_ = true;
                break;
            }
            ++read;
            lines = std::min(lines, kMaxMoreLines);
            auto verdicts = verdicts_of(*config);
            if (!verdicts) return ReadError{into_.source(file_).name, 0, 0, verdicts.error()};
            // It reads all sections by itself, so another world is of interest for its files alone.
            const size_t files = files_.size();
            files_.insert(config->files.begin(), config->files.end());
            if (files_.size() > files && modsecurity.has_rule()) modsecurity.finish(into_, file_);
            has_directive |= config->has_directive;
            take(*config, std::move(*verdicts));
            assumptions_.insert(world.open().begin(), world.open().end());
            if (read + todo.size() + world.open().size() > kMaxWorlds) {
                gives_up_ = true;
                break;
            }
            for (const std::string& key : world.open()) {
                auto other = assumed;
                other[key] = false;
                todo.push_back(std::move(other));
                assumed[key] = true;
            }
        }
        if (!has_directive) {
            return ReadError{into_.source(file_).name, 1, 1, "no directive of access in it"};
        }
        finish();
        return std::nullopt;
    }

  private:
    void take(const ApacheConfig& config, std::vector<SiteVerdict> verdicts) {
        trusted_.insert(trusted_.end(), config.trusted.begin(), config.trusted.end());
        for (const std::string& text : config.notes) note(text);
        for (const std::string& text : notes_on_parts(config, into_.rules)) note(text);
        for (const SiteVerdict& verdict : verdicts) {
            if (verdict.differing == 0) continue;
            note(
                fmt::format("{}: {} virtual hosts of one port differ in whom they let in; the name "
                            "that is asked for decides",
                            into_.source(file_).name, verdict.differing));
        }
        worlds_.push_back(std::move(verdicts));
    }

    /// Each world says the same of what they have in common.
    void note(std::string text) {
        if (noted_.insert(text).second) into_.rules.notes.push_back(std::move(text));
    }

    void finish() {
        if (gives_up_) {
            note(fmt::format("{}: more conditional sections than can be considered both ways: {}",
                             into_.source(file_).name, assumptions_text()));
        }
        std::vector<size_t> at(worlds_.size());
        for (uint32_t port = 0; port <= 65535;) {
            uint32_t last = 65535;
            std::vector<const SiteVerdict*> verdicts;
            for (size_t i = 0; i < worlds_.size(); ++i) {
                while (worlds_[i][at[i]].ports.last < port) ++at[i];
                verdicts.push_back(&worlds_[i][at[i]]);
                last = std::min(last, verdicts.back()->ports.last);
            }
            const bool is_all = port == 0 && last == 65535;
            add_stage_of(verdicts,
                         is_all ? std::vector<PortRange>() : std::vector{PortRange{port, last}});
            port = last + 1;
        }
    }

    void add_stage_of(const std::vector<const SiteVerdict*>& verdicts,
                      std::vector<PortRange> ports) {
        const SiteVerdict* decides = nullptr;
        std::string doubt = "a condition that is not about addresses";
        std::vector<const Let*> lets;
        for (const SiteVerdict* const one : verdicts) {
            lets.push_back(&one->let);
            if (!one->doubt.empty()) doubt = one->doubt;
            if (decides == nullptr && one->is_decided) decides = one;
        }
        const Let unknown = Let::unknown();
        if (gives_up_) lets.push_back(&unknown);
        const bool differ =
            std::ranges::any_of(lets, [&](const Let* let) { return !(*let == *lets.front()); });
        Stage stage;
        stage.name = "apache";
        stage.hook = Hook::application;
        stage.policy_place = {file_, 0, 0};
        stage.policy_text = "no rule of access for the whole site";
        stage.is_for_first = true;
        stage.begins = file_;
        stage.ports = std::move(ports);
        std::vector<Rule> rules;
        if (decides != nullptr || differ) {
            const Place place = decides != nullptr ? decides->place : Place{file_, 1, 0};
            if (!trusted_.empty()) {
                rules.push_back(make_rule(
                    Action::unclear,
                    {from_addresses(trusted_),
                     unknown_match(
                         "mod_remoteip: the visitor's address is judged, not the edge's")},
                    place));
            }
            add_access(differ ? Let::one_of(lets) : *lets.front(), place,
                       differ ? "whether it holds: " + assumptions_text() : doubt, rules);
            stage.policy = Action::reject;
            stage.policy_sees = cause::Cause::origin_status;
            stage.policy_http_status = 403;
            stage.policy_place = place;
            stage.policy_text =
                fmt::format("nothing in {} admits it", decides != nullptr ? decides->where : "it");
        }
        add_stage(into_.rules, std::move(stage), std::move(rules));
    }

    static void add_access(const Let& let, const Place& place, const std::string& doubt,
                           std::vector<Rule>& rules) {
        for (const bool is_sure : {true, false}) {
            SetBuilder builder;
            builder.define(place);
            for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
                const auto& set = (is_sure ? let.sure : let.maybe)[static_cast<size_t>(family)];
                for (const ip::Interval& one : set.intervals()) builder.add({family, one});
            }
            builder.finish();
            std::vector<Match> matches{{MatchKind::source, false, 0, 0, builder.operand()}};
            if (!is_sure) matches.push_back(unknown_match(doubt));
            rules.push_back(
                make_rule(is_sure ? Action::accept : Action::unclear, std::move(matches), place));
        }
    }

    std::string assumptions_text() const {
        constexpr size_t kShown = 6;
        std::string text;
        size_t count = 0;
        for (const std::string& one : assumptions_) {
            if (++count > kShown) return text + ", ...";
            text += (text.empty() ? "<" : ", <") + one + ">";
        }
        return text;
    }

    Reading& into_;
    uint32_t file_;
    std::vector<std::vector<SiteVerdict>> worlds_;
    std::set<std::string> assumptions_;
    std::set<std::string> noted_;
    std::set<uint32_t> files_;  // that any world has read
    std::vector<AddressRange> trusted_;
    bool gives_up_ = false;
};

}  // namespace

ReadResult read_apache(Reading& into, uint32_t file) {
    return ApacheAnswer(into, file).read();
}

}  // namespace edgecase::allowlist
