#include "allowlist/readers.hpp"
#include "allowlist/contains.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

/// Where both backends' listings were given: nft shows iptables' rules too, but without the
/// parameters of its extensions.
void drop_doubles(Ruleset& rules) {
    const auto is_double = [&](const Stage& stage) {
        const bool is_v4 = stage.name.starts_with("nft ip ");
        if (!is_v4 && !stage.name.starts_with("nft ip6 ")) return false;
        const std::string other =
            (is_v4 ? "iptables " : "ip6tables ") + stage.name.substr(is_v4 ? 7 : 8);
        return contains(rules.stages, other, &Stage::name);
    };
    std::vector<std::string> doubles;
    for (const Stage& stage : rules.stages) {
        if (is_double(stage)) doubles.push_back(stage.name);
    }
    std::erase_if(rules.stages, [&](const Stage& stage) { return contains(doubles, stage.name); });
    if (!doubles.empty()) {
        rules.notes.emplace_back(
            "tables of iptables that nft lists as well were read from iptables-save alone");
    }
}

void note_limits(Ruleset& rules) {
    for (const Chain& chain : rules.chains) {
        for (const Rule& rule : chain.rules) {
            for (const Match& match : rule.matches) {
                if (match.kind == MatchKind::limit) rules.has_limits = true;
            }
        }
    }
}

}  // namespace

std::expected<Ruleset, ReadError> read_rules(std::vector<Source> sources, std::string_view format) {
    Reading reading;
    reading.rules.sources = std::move(sources);
    for (uint32_t i = 0; i < reading.rules.sources.size(); ++i) {
        const Source& source = reading.rules.sources[i];
        if (source.text.size() > kMaxSourceBytes) {
            return std::unexpected(ReadError{source.name, 0, 0, "is larger than can be read"});
        }
        const Format* const found =
            format.empty() ? recognise(source.name, source.text) : format_named(format);
        if (found == nullptr) {
            return std::unexpected(
                ReadError{source.name, 1, 1, "not recognised; --format names what it is"});
        }
        reading.rules.formats.emplace_back(found->title);
        if (auto error = found->read(reading, i)) return std::unexpected(std::move(*error));
    }
    reading.sets.finish(reading.rules);
    drop_doubles(reading.rules);
    note_limits(reading.rules);
    return std::move(reading.rules);
}

cause::Cause cause_of_rejection(std::string_view type) {
    using cause::Cause;
    for (const std::string_view prefix : {"icmp6-", "icmp-"}) {
        if (type.starts_with(prefix)) type.remove_prefix(prefix.size());
    }
    if (type == "tcp-reset" || type == "tcp-rst") return Cause::connect_refused;
    if (type.starts_with("port-unreach")) return Cause::connect_rejected;
    if (type == "net-unreachable" || type == "no-route") return Cause::connect_unroutable;
    if (type.starts_with("prot")) return Cause::connect_protocol_unreachable;
    if (type.contains("prohib") || type == "policy-fail" || type == "reject-route") {
        return Cause::connect_prohibited;
    }
    return Cause::connect_host_unreachable;
}

}  // namespace edgecase::allowlist
