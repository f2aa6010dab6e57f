// Owns what a section of Apache's configuration says of access, and for how much of the site.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "allowlist/rule_parts.hpp"

namespace edgecase::allowlist {

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
    static Let of(std::span<const AddressRange> ranges);
    /// Whoever is in any of them; all at once, for there may be a line for each address.
    static Let any_of(std::span<const Let> lets);
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
    /// One of the two, and which is not known.
    Let or_perhaps(const Let& other) const {
        Let let = *this | other;
        let.sure = (*this & other).sure;
        return let;
    }
    /// One of them, of which there is at least one.
    static Let one_of(std::span<const Let* const> lets);
    bool operator==(const Let& other) const { return sure == other.sure && maybe == other.maybe; }
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
std::optional<AddressRange> apache_range(std::string_view text);

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
    bool is_unclear = false;  // it has a condition that is not followed
    std::string doubt;        // which one
    bool is_skipped = false;  // a condition that does not hold
    std::string assumption;   // of a condition that nobody knows
    std::vector<Let> allowed, denied;
    std::string root;            // DocumentRoot, of a host
    std::vector<Section> found;  // of a host: the sections within that may be for all of it
};

/// `<IfModule mod_ssl.c>`; of kind and name alone.
Section section_of(std::string_view line);

/// Locations and files that are never the whole site.
bool is_part(const Section& section);

enum class Covers : uint8_t { no, perhaps, yes };

std::string without_slashes(std::string name);
Covers covers(const Section& section, const std::string& root);

void merge(Section& inner, Section& outer);

/// What the section says is not known, because of `doubt`.
void make_unclear(Section& section, const std::string& doubt, const Place& place);

/// Outside of a container any of the requirements is enough.
Let joined(const Section& section);

Let ordered(const Section& section);

/// A location overrules a directory, and a longer directory a shorter one.
std::pair<int, size_t> weight(const Section& section);

bool has_access(const Section& section);

bool names_get(const std::string& methods);

/// `*:443`, `[::]:443 10.0.0.1:443`. Empty: all.
std::vector<PortRange> ports_of(const Section& host);

Let whom(const std::string& word);

}  // namespace edgecase::allowlist
