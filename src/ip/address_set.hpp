// Owns a set of addresses of one family, as sorted intervals that neither touch nor overlap.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ip/cidr.hpp"

namespace edgecase::ip {

/// Both ends belong to it.
struct Interval {
    Number first;
    Number last;
    auto operator<=>(const Interval&) const = default;
};

/// Sorts, and joins what touches or overlaps.
void normalise(std::vector<Interval>& intervals);

/// Operations on two sets take time linear in their intervals, unless said otherwise.
class AddressSet {
  public:
    explicit AddressSet(Family family) : family_(family) {}
    AddressSet(Family family, std::vector<Interval> intervals)
        : family_(family), intervals_(std::move(intervals)) {
        normalise(intervals_);
    }
    explicit AddressSet(const Cidr& cidr)
        : family_(cidr.family), intervals_{{cidr.first, cidr.last()}} {}
    static AddressSet all(Family family) { return {family, {{Number{}, last_of(family)}}}; }

    Family family() const { return family_; }
    bool empty() const { return intervals_.empty(); }
    bool is_all() const {
        return intervals_.size() == 1 && intervals_[0] == Interval{Number{}, last_of(family_)};
    }
    std::span<const Interval> intervals() const { return intervals_; }
    bool contains(Number address) const;  // logarithmic

    AddressSet unite(const AddressSet& other) const;
    /// Linear in the smaller set with a logarithm of the larger, where that is less.
    AddressSet intersect(const AddressSet& other) const;
    AddressSet subtract(const AddressSet& other) const;
    AddressSet complement() const;
    /// What it has of one interval, behind what is in `into`; logarithmic.
    void append_part(const Interval& interval, std::vector<Interval>& into) const;
    bool covers(const AddressSet& other) const { return other.subtract(*this).empty(); }

    /// The shortest list of blocks that add up to the set, ascending.
    std::vector<Cidr> cidrs() const;

    bool operator==(const AddressSet&) const = default;

  private:
    Family family_;
    std::vector<Interval> intervals_;
};

/// The blocks of an interval, ascending.
void append_cidrs(Family family, Interval interval, std::vector<Cidr>& into);

/// How many addresses, as a double: for shares.
double size_of(const AddressSet& set);

}  // namespace edgecase::ip
