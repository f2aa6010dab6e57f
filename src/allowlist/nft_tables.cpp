#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "allowlist/nft_reader.hpp"

namespace edgecase::allowlist {
namespace {

std::optional<int> priority_of(std::string_view word) {
    constexpr std::array kNames{
        std::pair{std::string_view("raw"), -300},    std::pair{std::string_view("mangle"), -150},
        std::pair{std::string_view("dstnat"), -100}, std::pair{std::string_view("filter"), 0},
        std::pair{std::string_view("security"), 50}, std::pair{std::string_view("srcnat"), 100}};
    for (const auto& [name, priority] : kNames) {
        if (word == name) return priority;
    }
    if (word.starts_with('+')) word.remove_prefix(1);
    int number = 0;
    const char* const end = word.data() + word.size();
    const auto [rest, error] = std::from_chars(word.data(), end, number);
    return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

std::optional<Hook> hook_of(std::string_view word) {
    if (word == "ingress") return Hook::ingress;
    if (word == "prerouting") return Hook::prerouting;
    if (word == "input") return Hook::input;
    if (word == "output") return Hook::output;
    if (word == "postrouting") return Hook::postrouting;
    if (word == "egress") return Hook::egress;
    return std::nullopt;
}

bool is_family(std::string_view word) {
    return word == "ip" || word == "ip6" || word == "inet" || word == "netdev" ||
           word == "bridge" || word == "arp";
}

}  // namespace

ReadResult NftReader::fail(std::string what) {
    if (is_translated_) return ReadError{into_.source(file_).name, 0, 0, std::move(what)};
    return error_at(into_.source(file_), lexer_.offset(), std::move(what));
}

ReadResult NftReader::too_many_expanded() {
    return fail("definitions stand for more than " + std::to_string(NftDefinitions::kMaxExpanded) +
                " elements altogether");
}

ReadResult NftReader::read() {
    into_.rules.speaks_of = {true, true};
    while (true) {
        lexer_.skip_newlines();
        if (lexer_.accept(";")) continue;
        const NftToken token = lexer_.peek();
        if (token.kind == NftKind::end) break;
        if (token.is("table")) {
            lexer_.next();
            if (auto error = read_table()) return error;
        } else if (token.is("define")) {
            lexer_.next();
            read_definition();
        } else if (token.is("flush") || token.is("destroy") || token.is("delete")) {
            lexer_.rest_of_statement();
        } else if (token.is("include")) {
            return fail("`include` is not followed; give the output of `nft list ruleset`");
        } else {
            return fail("`" + std::string(token.text.substr(0, 40)) +
                        "` where `table FAMILY NAME {` was expected");
        }
    }
    for (const auto& [name, index] : chains_) into_.rules.chains[index].is_defined = true;
    return std::nullopt;
}

void NftReader::read_definition() {
    const std::string_view name = lexer_.next().text;
    if (lexer_.accept("=")) definitions_.texts[name] = lexer_.rest_of_statement();
}

ReadResult NftReader::read_table() {
    Table table;
    table.family = "ip";
    if (is_family(lexer_.peek().text)) table.family = std::string(lexer_.next().text);
    if (lexer_.peek().kind != NftKind::word && lexer_.peek().kind != NftKind::string) {
        return fail("a table needs a name");
    }
    table.scope = "nft " + table.family + " " + std::string(lexer_.next().text);
    table.v4 = table.family != "ip6";
    table.v6 = table.family != "ip";
    table.first_stage = into_.rules.stages.size();
    if (lexer_.peek().ends_rule()) return std::nullopt;  // `table inet filter` alone makes one
    if (!lexer_.accept("{")) return fail("`{` was expected behind the table's name");
    bool is_dormant = false;
    while (!lexer_.accept("}")) {
        if (lexer_.peek().kind == NftKind::end) return fail("the table's `}` is missing");
        if (auto error = read_table_item(table, is_dormant)) return error;
    }
    const bool is_other = table.family == "bridge" || table.family == "arp";
    if (is_dormant || is_other) {
        into_.rules.stages.resize(table.first_stage);
        into_.rules.notes.push_back(
            table.scope + (is_other ? ": not about IP, left out" : ": dormant, left out"));
    }
    return std::nullopt;
}

ReadResult NftReader::read_table_item(const Table& table, bool& is_dormant) {
    const NftToken token = lexer_.next();
    if (token.kind == NftKind::newline || token.is(";")) return std::nullopt;
    if (token.is("chain")) return read_chain(table);
    if (token.is("set")) return read_set(table, false);
    if (token.is("map")) return read_set(table, true);
    if (token.is("flags")) {
        is_dormant |= lexer_.rest_of_statement().contains("dormant");
        return std::nullopt;
    }
    // flowtable, counter, quota, limit, ct helper, comment...: with a block or without.
    while (!lexer_.peek().ends_rule()) {
        if (lexer_.next().is("{")) {
            lexer_.skip_block();
            break;
        }
    }
    return std::nullopt;
}

uint32_t NftReader::chain_at(const Table& table, std::string_view name) {
    const std::string key = table.scope + " " + std::string(name);
    const auto [found, is_new] =
        chains_.try_emplace(key, static_cast<uint32_t>(into_.rules.chains.size()));
    if (is_new) into_.rules.chains.push_back({key, {}, false});
    return found->second;
}

ReadResult NftReader::read_chain(const Table& table) {
    const std::string name(lexer_.next().text);
    if (!lexer_.accept("{")) return fail("`{` was expected behind the chain's name");
    const uint32_t index = chain_at(table, name);
    // Aside: rules that name new chains make the list of chains grow.
    Chain chain = std::move(into_.rules.chains[index]);
    while (!lexer_.accept("}")) {
        const NftToken token = lexer_.peek();
        if (token.kind == NftKind::end) return fail("the chain's `}` is missing");
        if (token.kind == NftKind::newline || token.is(";")) {
            lexer_.next();
        } else if (token.is("type")) {
            lexer_.next();
            if (auto error = read_hook(table, name, index)) return error;
        } else if (token.is("comment")) {
            lexer_.rest_of_statement();
        } else {
            if (chain.rules.size() >= kMaxRules) return fail("more rules than can be read");
            if (auto error = NftRule(*this, table, chain).read()) return error;
        }
    }
    into_.rules.chains[index] = std::move(chain);
    return std::nullopt;
}

/// `filter hook input device "eth0" priority filter + 10; policy drop;`
ReadResult NftReader::read_hook(const Table& table, std::string_view chain_name, uint32_t chain) {
    Stage stage;
    stage.name = table.scope + " " + std::string(chain_name);
    stage.v4 = table.v4;
    stage.v6 = table.v6;
    stage.chain = chain;
    stage.policy_place = place(lexer_.line(), 0);
    stage.policy_text = "policy accept";
    const bool is_nat = lexer_.next().is("nat");
    stage.is_for_first = is_nat;
    if (!lexer_.accept("hook")) return fail("`hook` was expected");
    const auto hook = hook_of(lexer_.next().text);
    if (hook) stage.hook = *hook;
    std::string devices;  // each on its line
    while (!lexer_.accept("priority")) {
        if (lexer_.peek().ends_rule()) return fail("`priority` was expected");
        const NftToken token = lexer_.next();
        if (!token.is("device") && !token.is("devices")) continue;
        lexer_.accept("=");
        const bool is_list = lexer_.accept("{");
        do {
            lexer_.skip_newlines();
            if (lexer_.peek().ends_rule()) break;
            if (!devices.empty()) devices += '\n';
            devices += lexer_.next().text;
            lexer_.skip_newlines();
        } while (is_list && lexer_.accept(","));
        if (is_list) lexer_.accept("}");
    }
    int sign = 1;
    bool is_any = false;
    while (!lexer_.peek().ends_rule()) {
        const std::string_view word = lexer_.next().text;
        if (word == "+" || word == "-") {
            sign = word == "-" ? -1 : 1;
            continue;
        }
        const auto number = priority_of(word);
        if (!number) return fail("`" + std::string(word) + "` is no priority");
        stage.priority += sign * *number;
        is_any = true;
    }
    if (!is_any) return fail("a priority was expected");
    while (lexer_.accept(";")) lexer_.skip_newlines();
    if (lexer_.accept("policy")) {
        const bool drops = lexer_.next().is("drop");
        stage.policy_place = place(lexer_.line(), 0);
        if (drops) {
            stage.policy = Action::drop;
            stage.policy_text = "policy drop";
        }
    }
    if (!devices.empty()) bind_to_devices(stage, devices);
    // Replies to a connection that is known do not meet the nat chains.
    if (hook && !(is_nat && is_reply(*hook))) into_.rules.stages.push_back(std::move(stage));
    return std::nullopt;
}

/// The stage gets a chain of its own, which asks for the device first.
void NftReader::bind_to_devices(Stage& stage, std::string devices) {
    Match on_device{is_reply(stage.hook) ? MatchKind::interface_out : MatchKind::interface_in,
                    false, 0, 0, nullptr};
    auto names = std::make_shared<Operand>();
    names->text = devices;
    on_device.operand = std::move(names);
    std::vector<Match> conditions{on_device};
    // A packet of eth0.10 or br0 passes the hooks of eth0 as well; none of them is below lo.
    if (devices != "lo") {
        std::ranges::replace(devices, '\n', ' ');
        conditions.push_back(unknown_match("the hook of device " + devices));
    }
    Chain chain{stage.name, {}, true};
    for (const Match& condition : conditions) {
        Rule jump;
        jump.matches = {condition};
        jump.action = Action::jump;
        jump.chain = stage.chain;
        jump.place = stage.policy_place;
        Rule policy = jump;
        policy.action = stage.policy;
        if (policy.action == Action::drop) policy.sees = stage.policy_sees;
        policy.chain = kNoChain;
        policy.text = stage.policy_text;
        chain.rules.push_back(std::move(jump));
        chain.rules.push_back(std::move(policy));
    }
    stage.chain = static_cast<uint32_t>(into_.rules.chains.size());
    stage.policy = Action::accept;
    into_.rules.chains.push_back(std::move(chain));
}

ReadResult NftReader::read_set(const Table& table, bool is_map) {
    const std::string name(lexer_.next().text);
    const Place at = place(lexer_.line(), 0);
    if (!lexer_.accept("{")) return fail("`{` was expected behind the set's name");
    const auto set = into_.sets.at(table.scope, name);
    VerdictMap& map = into_.sets.map_at(table.scope, name);
    if (!is_map) set->define(at);
    while (!lexer_.accept("}")) {
        const NftToken token = lexer_.peek();
        if (token.kind == NftKind::end) return fail("the set's `}` is missing");
        if (lexer_.accept("elements")) {
            std::vector<NftElement> elements;
            if (!lexer_.accept("=")) return fail("`= {` was expected");
            const bool is_definition = lexer_.peek().text.starts_with('$');
            if (!is_definition && !lexer_.accept("{")) return fail("`= {` was expected");
            if (!(is_definition ? read_defined_elements(lexer_, definitions_, elements)
                                : read_elements(lexer_, definitions_, elements))) {
                if (definitions_.is_exhausted()) return too_many_expanded();
                return fail("not an element of a set");
            }
            if (is_map) {
                for (const NftElement& element : elements) {
                    const auto parts = std::span(element.parts).first(element.count);
                    map.elements.push_back({{parts.begin(), parts.end()},
                                            element.has_verdict ? element.action : Action::unclear,
                                            std::string(element.chain)});
                }
            } else {
                fill_set(*set, elements);
            }
        } else if (token.is("flags")) {
            const std::string_view flags = lexer_.rest_of_statement();
            if (flags.contains("dynamic")) {
                set->make_dynamic();
                map.is_dynamic = true;
            }
        } else {
            lexer_.next();
            if (token.is("{")) lexer_.skip_block();
        }
    }
    map.is_defined = is_map;
    return std::nullopt;
}

void NftReader::fill_set(SetBuilder& set, const std::vector<NftElement>& elements) {
    for (const NftElement& element : elements) {
        std::optional<AddressRange> range;
        std::optional<PortRange> ports;
        bool is_other_protocol = false;
        for (size_t i = 0; i < element.count; ++i) {
            const std::string_view part = element.parts[i];
            if (part == "udp" || part == "icmp" || part == "ipv6-icmp" || part == "sctp") {
                is_other_protocol = true;
            } else if (const auto read = AddressRange::parse(part)) {
                if (range) return set.make_unknown("elements of two addresses");
                range = read;
            } else if (const auto numbers = parse_ports(part)) {
                if (ports) return set.make_unknown("elements of two numbers");
                ports = numbers;
            } else if (part != "tcp") {
                return set.make_unknown("elements such as " + std::string(part));
            }
        }
        if (is_other_protocol) continue;
        if (range && ports) {
            set.add_pair(*range, *ports);
        } else if (range) {
            set.add(*range);
        } else if (ports) {
            set.add_ports(*ports);
        }
    }
}

ReadResult read_nft_text(Reading& into, uint32_t file) {
    return NftReader(into, file, into.source(file).text, false).read();
}

}  // namespace edgecase::allowlist
