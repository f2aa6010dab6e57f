// Owns the readers of rule sets: one function for each dialect, and which dialect a text is in.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "allowlist/firewalld_zones.hpp"
#include "allowlist/includes.hpp"
#include "allowlist/model.hpp"
#include "allowlist/sets.hpp"

namespace edgecase::allowlist {

/// What is built while files are read.
struct Reading {
    Ruleset rules;
    Sets sets;
    Includes includes;  // of web servers' configurations
    FirewalldZones firewalld;

    const Source& source(uint32_t file) const { return rules.sources[file]; }
};

using ReadResult = std::optional<ReadError>;  // nullopt: read

/// Each adds the rules of source `file`. Errors: the place and what is wrong there.
ReadResult read_nft_text(Reading& into, uint32_t file);
ReadResult read_nft_json(Reading& into, uint32_t file);
ReadResult read_iptables(Reading& into, uint32_t file);
ReadResult read_ip6tables(Reading& into, uint32_t file);
ReadResult read_ipset(Reading& into, uint32_t file);
ReadResult read_ufw(Reading& into, uint32_t file);
ReadResult read_firewalld(Reading& into, uint32_t file);
ReadResult read_firewalld_file(Reading& into, uint32_t file);
ReadResult read_fail2ban(Reading& into, uint32_t file);
ReadResult read_nginx(Reading& into, uint32_t file);
ReadResult read_apache(Reading& into, uint32_t file);
ReadResult read_modsecurity(Reading& into, uint32_t file);
ReadResult read_aws(Reading& into, uint32_t file);
ReadResult read_gcp(Reading& into, uint32_t file);
ReadResult read_azure(Reading& into, uint32_t file);

/// A zone's XML, or firewalld.conf.
bool is_firewalld_file(std::string_view text);

struct Format {
    std::string_view name;   // of --format
    std::string_view title;  // for people
    ReadResult (*read)(Reading&, uint32_t);
    bool (*recognises)(std::string_view name, std::string_view text);
};
std::span<const Format> formats();

/// The format of a text by its content, and where that leaves a doubt by the file's name.
const Format* recognise(std::string_view name, std::string_view text);
const Format* format_named(std::string_view name);

/// Reads all sources as one system. `format`: its name, or empty to recognise each. `find`: where
/// files are looked for that sources with a path include; without it only among the sources.
std::expected<Ruleset, ReadError> read_rules(std::vector<Source> sources, std::string_view format,
                                             FindFiles find = {});

/// The cause with which the edge meets `reject with` TYPE, in nft's or iptables' words.
cause::Cause cause_of_rejection(std::string_view type);

}  // namespace edgecase::allowlist
