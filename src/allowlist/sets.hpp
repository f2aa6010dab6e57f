// Owns the named sets of a rule set while files are read: rules may name them before they are
// filled.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "allowlist/model.hpp"

namespace edgecase::allowlist {

/// `FIRST-LAST`, `ADDRESS/LENGTH` or an address, of either family. Errors: nullopt.
struct AddressRange {
    ip::Family family = ip::Family::v4;
    ip::Interval interval;
    static std::optional<AddressRange> parse(std::string_view text);
};

/// A number, `FIRST-LAST` (or with `:`), or the name of a well-known service. Errors: nullopt.
std::optional<PortRange> parse_ports(std::string_view text);

class SetBuilder {
  public:
    SetBuilder() : operand_(std::make_shared<Operand>()) { operand_->is_defined = false; }
    void define(Place place) {
        operand_->is_defined = true;
        place_ = place;
    }
    void add(const AddressRange& range);
    void set_shape(SetShape shape) { operand_->shape = shape; }
    /// An exception: the more specific of the two counts (ipset's `nomatch`).
    void except(const AddressRange& range);
    void add_pair(const AddressRange& range, PortRange ports);
    void add_ports(PortRange ports) { operand_->ports.push_back(ports); }
    void make_dynamic() { operand_->is_dynamic = true; }
    /// It has elements that are not modelled, so that nobody knows who is in it. `what` they are.
    void make_unknown(std::string what) {
        is_unknown_ = true;
        if (why_unknown_.empty()) why_unknown_ = std::move(what);
    }
    /// Each gets what the other had; who names one of them gets the new content.
    void swap_content(SetBuilder& other);
    /// A set of sets: all of `other` belongs to it.
    void include(const std::shared_ptr<SetBuilder>& other) { members_.push_back(other); }
    std::shared_ptr<const Operand> operand() const { return operand_; }
    const Place& place() const { return place_; }
    /// Sorts what was added. Done once, when all is read.
    void finish(int depth = 0);

  private:
    std::shared_ptr<Operand> operand_;
    std::array<std::vector<ip::Interval>, 2> intervals_;
    std::vector<std::pair<AddressRange, bool>> ordered_;  // with exceptions; true: in it
    std::vector<std::weak_ptr<SetBuilder>> members_;      // weak: sets can have each other
    Place place_;
    bool is_unknown_ = false;
    std::string why_unknown_;
    bool is_finished_ = false;
};

/// Verdict maps by name (nft), expanded into rules where they are used.
struct MapElement {
    std::vector<std::string> parts;  // more than one: a concatenation
    Action action = Action::proceed;
    std::string chain;
};
struct VerdictMap {
    std::vector<MapElement> elements;
    bool is_defined = false;
    bool is_dynamic = false;  // packets add to it
};

/// Sets by scope (`ipset`, or a table of nft) and name.
class Sets {
  public:
    std::shared_ptr<SetBuilder> at(std::string_view scope, std::string_view name);
    VerdictMap& map_at(std::string_view scope, std::string_view name);
    void finish(Ruleset& rules);

  private:
    std::map<std::string, std::shared_ptr<SetBuilder>, std::less<>> sets_;
    std::string last_scope_, last_name_;  // elements of one set come together
    std::shared_ptr<SetBuilder> last_;
    std::map<std::string, VerdictMap, std::less<>> maps_;
};

}  // namespace edgecase::allowlist
