// The text of iptables-save and ip6tables-save, the same for both backends.
#include <algorithm>
#include <array>
#include <map>

#include "allowlist/contains.hpp"
#include "allowlist/iptables_matches.hpp"
#include "allowlist/nft_keys.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

using base::trim;

struct HookRow {
    std::string_view table;
    std::string_view chain;
    Hook hook;
    int priority;
};
/// Source: the kernel's NF_IP_PRI_* and which chains each table has. Replies of a known connection
/// do not meet nat.
constexpr std::array kHooks{
    HookRow{"raw", "PREROUTING", Hook::prerouting, -300},
    HookRow{"mangle", "PREROUTING", Hook::prerouting, -150},
    HookRow{"nat", "PREROUTING", Hook::prerouting, -100},
    HookRow{"mangle", "INPUT", Hook::input, -150},
    HookRow{"filter", "INPUT", Hook::input, 0},
    HookRow{"security", "INPUT", Hook::input, 50},
    HookRow{"nat", "INPUT", Hook::input, 100},
    HookRow{"raw", "OUTPUT", Hook::output, -300},
    HookRow{"mangle", "OUTPUT", Hook::output, -150},
    HookRow{"filter", "OUTPUT", Hook::output, 0},
    HookRow{"security", "OUTPUT", Hook::output, 50},
    HookRow{"mangle", "POSTROUTING", Hook::postrouting, -150},
};

/// They change the packet or tell somebody, and the rule behind is next.
constexpr std::array<std::string_view, 24> kHarmless{
    "LOG", "NFLOG", "ULOG",  "AUDIT",    "TRACE",       "TCPMSS",    "TCPOPTSTRIP", "CLASSIFY",
    "TOS", "DSCP",  "ECN",   "CHECKSUM", "SECMARK",     "IDLETIMER", "LED",         "RATEEST",
    "HL",  "TTL",   "HMARK", "SYSRQ",    "CONNSECMARK", "CT",        "TEE",         "SET"};

class IptablesReader {
  public:
    IptablesReader(Reading& into, uint32_t file, ip::Family family)
        : into_(into), file_(file), family_(family) {}

    ReadResult read() {
        into_.rules.speaks_of[static_cast<size_t>(family_)] = true;
        ReadResult error;
        for_each_line(into_.source(file_).text, [&](uint32_t number, std::string_view line) {
            if (error) return;
            number_ = number;
            const char* what = read_line(trim(line));
            if (what == nullptr) return;
            const std::string_view text = into_.source(file_).text;
            error =
                error_at(into_.source(file_), static_cast<size_t>(line.data() - text.data()), what);
        });
        if (!error) use_ufw_chain();
        if (!error && chains_.empty()) {
            return ReadError{into_.source(file_).name, 1, 1, "there is no table in it"};
        }
        return error;
    }

  private:
    /// What is wrong with the line, or null.
    const char* read_line(std::string_view line) {
        if (line.empty() || line.front() == '#' || line == "COMMIT") return nullptr;
        if (line.front() == '*') {
            table_ = std::string(line.substr(1));
            return nullptr;
        }
        // Counters, `[12:3456]`, come before the rule with -c.
        if (line.front() == '[') {
            const size_t end = line.find(']');
            if (end == std::string_view::npos) return "the counters have no end";
            line = trim(line.substr(end + 1));
        }
        if (line.empty()) return "a rule was expected";
        if (table_.empty()) return "a table such as `*filter` was expected first";
        if (line.front() == ':') return declare(line.substr(1));
        IptablesWords words(line);
        const std::string_view command = words.next();
        if (command == "-N" || command == "--new-chain") {
            into_.rules.chains[chain_at(words.next())].is_defined = true;
            return nullptr;
        }
        if (command == "-P" || command == "--policy") {
            const std::string_view name = words.next();
            return set_policy(name, words.next());
        }
        const bool is_insertion = command == "-I" || command == "--insert";
        if (command != "-A" && command != "--append" && !is_insertion) {
            return "`-A CHAIN ...`, `:CHAIN POLICY` or `*TABLE` was expected";
        }
        if (words.at_option()) return "the name of a chain was expected";
        return append(words.next(), words, is_insertion);
    }

    /// /etc/ufw/user.rules has ufw's own chain alone; what is behind it is in other files.
    void use_ufw_chain() {
        const char* const name = family_ == ip::Family::v4 ? "ufw-user-input" : "ufw6-user-input";
        const auto found = chains_.find(prefix() + " filter " + name);
        if (found == chains_.end() || chains_.contains(prefix() + " filter INPUT")) return;
        Stage stage;
        stage.name = "ufw";
        stage.v4 = family_ == ip::Family::v4;
        stage.v6 = !stage.v4;
        stage.chain = found->second;
        stage.policy = Action::unclear;
        stage.policy_place = {file_, 0, 0};
        stage.policy_text = "ufw's default, which `ufw status verbose` shows";
        stage.is_for_first = true;
        into_.rules.stages.push_back(std::move(stage));
    }

    /// `INPUT DROP [0:0]`
    const char* declare(std::string_view line) {
        const size_t blank = line.find(' ');
        const std::string_view name = line.substr(0, blank);
        if (name.empty() || blank == std::string_view::npos) return "a chain needs name and policy";
        std::string_view policy = line.substr(blank + 1);
        policy = policy.substr(0, policy.find(' '));
        into_.rules.chains[chain_at(name)].is_defined = true;
        return policy == "-" ? nullptr : set_policy(name, policy);
    }

    const char* set_policy(std::string_view name, std::string_view policy) {
        if (policy != "ACCEPT" && policy != "DROP") return "a policy is ACCEPT or DROP";
        const uint32_t chain = chain_at(name);
        into_.rules.chains[chain].is_defined = true;
        const auto row = std::ranges::find_if(
            kHooks, [&](const HookRow& one) { return one.table == table_ && one.chain == name; });
        if (row == kHooks.end()) return nullptr;
        Stage stage;
        stage.name = prefix() + " " + table_ + " " + std::string(name);
        stage.hook = row->hook;
        stage.priority = row->priority;
        stage.v4 = family_ == ip::Family::v4;
        stage.v6 = !stage.v4;
        stage.chain = chain;
        stage.is_for_first = table_ == "nat";
        stage.policy = policy == "DROP" ? Action::drop : Action::accept;
        stage.policy_place = {file_, number_, 0};
        const auto same = std::ranges::find(into_.rules.stages, chain, &Stage::chain);
        if (same != into_.rules.stages.end()) {
            *same = std::move(stage);
        } else {
            into_.rules.stages.push_back(std::move(stage));
        }
        return nullptr;
    }

    std::string prefix() const { return family_ == ip::Family::v4 ? "iptables" : "ip6tables"; }

    uint32_t chain_at(std::string_view name) {
        if (name == last_name_ && table_ == last_table_) return last_chain_;
        std::string key = prefix() + " " + table_ + " " + std::string(name);
        const auto [found, is_new] =
            chains_.try_emplace(key, static_cast<uint32_t>(into_.rules.chains.size()));
        if (is_new) into_.rules.chains.push_back({std::move(key), {}, false});
        last_name_ = std::string(name);
        last_table_ = table_;
        last_chain_ = found->second;
        return last_chain_;
    }

    const char* append(std::string_view chain_name, IptablesWords& words, bool is_insertion) {
        IptablesRule parts;
        parts.family = family_;
        parts.matches.reserve(4);
        Rule rule;
        rule.place = {file_, number_, 0};
        if (is_insertion && !words.at_option()) return "rules with a number are not read";
        while (!words.at_end()) {
            bool is_negated = false;
            if (words.peek() == "!") {
                is_negated = true;
                words.next();
            }
            const std::string_view option = words.next();
            if (!option.starts_with('-')) return "an option was expected";
            if (option == "-j" || option == "--jump" || option == "-g" || option == "--goto") {
                if (words.at_end()) return "the target is missing";
                end_iptables_matches(parts);
                set_target(rule, words, option == "-g" || option == "--goto");
                break;
            }
            // Old listings have the exclamation mark behind the option.
            if (words.peek() == "!") {
                is_negated = true;
                words.next();
            }
            read_iptables_match(into_, parts, option, is_negated, words);
        }
        end_iptables_matches(parts);
        if (rule.action == Action::proceed) return nullptr;  // it only counts
        rule.matches = std::move(parts.matches);
        std::erase_if(rule.matches, [](const Match& match) {
            return match.kind == MatchKind::always && !match.is_negated;
        });
        Chain& chain = into_.rules.chains[chain_at(chain_name)];
        if (chain.rules.size() >= kMaxRules) return "more rules than can be read";
        if (is_insertion) {
            chain.rules.insert(chain.rules.begin(), std::move(rule));
        } else {
            chain.rules.push_back(std::move(rule));
        }
        return nullptr;
    }

    void set_target(Rule& rule, IptablesWords& words, bool is_goto) {
        const std::string_view target = words.next();
        if (target == "ACCEPT" || target == "MASQUERADE" || target == "SNAT") {
            rule.action = Action::accept;
        } else if (target == "DROP") {
            rule.action = Action::drop;
            rule.sees = cause::Cause::connect_timeout;
        } else if (target == "RETURN") {
            rule.action = Action::give_back;
        } else if (target == "REJECT") {
            rule.action = Action::reject;
            std::string_view type = "icmp-port-unreachable";
            if (words.next() == "--reject-with") type = words.next();
            rule.sees = cause_of_rejection(type);
        } else if (target == "MARK" || target == "CONNMARK") {
            into_.rules.sets_marks = true;
        } else if (target == "NOTRACK") {
            into_.rules.skips_tracking = true;
        } else if (contains(kHarmless, target)) {
            harmless(target, words);
        } else if (is_extension(target)) {
            rule.action = Action::unclear;
        } else {
            rule.action = is_goto ? Action::go_to : Action::jump;
            rule.chain = chain_at(target);
        }
    }

    void harmless(std::string_view target, IptablesWords& words) {
        while (!words.at_end()) {
            const std::string_view option = words.next();
            if (target == "CT" && option == "--notrack") into_.rules.skips_tracking = true;
            if (target == "SET" && option == "--add-set") {
                into_.sets.at("ipset", words.next())->make_dynamic();
            }
        }
    }

    static bool is_extension(std::string_view target) {
        constexpr std::array<std::string_view, 11> kUnclear{
            "QUEUE",  "NFQUEUE",   "DNAT",   "REDIRECT", "TPROXY", "SYNPROXY",
            "NETMAP", "CLUSTERIP", "TARPIT", "STEAL",    "MIRROR"};
        return contains(kUnclear, target);
    }

    Reading& into_;
    uint32_t file_;
    ip::Family family_;
    uint32_t number_ = 0;
    std::string table_;
    std::map<std::string, uint32_t> chains_;
    std::string last_name_, last_table_;
    uint32_t last_chain_ = 0;
};

}  // namespace

ReadResult read_iptables(Reading& into, uint32_t file) {
    return IptablesReader(into, file, ip::Family::v4).read();
}

ReadResult read_ip6tables(Reading& into, uint32_t file) {
    return IptablesReader(into, file, ip::Family::v6).read();
}

}  // namespace edgecase::allowlist
