// Owns the addresses still under way through a chain: a set that rules take parts out of.
#pragma once

#include <map>
#include <unordered_set>

#include "ip/address_set.hpp"

namespace edgecase::allowlist {

/// Taking out a part costs the part's size and a logarithm, not the size of what stays: a chain may
/// have a rule for each of a hundred thousand addresses.
class Flow {
  public:
    explicit Flow(ip::Family family) : family_(family) {}
    explicit Flow(const ip::AddressSet& set);

    bool empty() const { return parts_.empty(); }
    size_t size() const { return parts_.size(); }
    /// What is in both.
    ip::AddressSet intersect(const ip::AddressSet& set) const;
    ip::AddressSet subtract(const ip::AddressSet& set) const { return snapshot().subtract(set); }
    ip::AddressSet snapshot() const;
    void remove(const ip::AddressSet& set);
    void add(const ip::AddressSet& set);
    void clear() { parts_.clear(); }

    /// Nothing of this operand's addresses is in it, nor will be before add(): rules that name one
    /// set again and again cost no search.
    void note_without(const void* operand) { without_.insert(operand); }
    bool is_without(const void* operand) const { return without_.contains(operand); }

  private:
    void add(ip::Interval interval);
    void remove(const ip::Interval& interval);

    ip::Family family_;
    std::map<ip::Number, ip::Number> parts_;  // first to last
    std::unordered_set<const void*> without_;
};

}  // namespace edgecase::allowlist
