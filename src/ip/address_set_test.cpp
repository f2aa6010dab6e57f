#include "ip/address_set.hpp"

#include <gtest/gtest.h>

#include <bitset>
#include <random>

namespace edgecase::ip {
namespace {

AddressSet set_of(std::initializer_list<const char*> texts) {
    std::vector<Interval> intervals;
    Family family = Family::v4;
    for (const char* text : texts) {
        const auto cidr = Cidr::parse(text);
        family = cidr->family;
        intervals.push_back({cidr->first, cidr->last()});
    }
    return {family, intervals};
}

std::string text_of(const AddressSet& set) {
    std::string text;
    for (const Cidr& cidr : set.cidrs()) text += (text.empty() ? "" : " ") + cidr.to_string();
    return text;
}

TEST(Cidr, IsReadInEachNotation) {
    EXPECT_EQ(Cidr::parse("104.16.0.0/13")->to_string(), "104.16.0.0/13");
    EXPECT_EQ(Cidr::parse("10.1.2.3/255.255.0.0")->to_string(), "10.1.0.0/16");
    EXPECT_EQ(Cidr::parse("10.1.2.3")->to_string(), "10.1.2.3/32");
    EXPECT_EQ(Cidr::parse("10.1.2.3/0.0.0.0")->to_string(), "0.0.0.0/0");
    EXPECT_EQ(Cidr::parse("2400:cb00::1/32")->to_string(), "2400:cb00::/32");
    EXPECT_EQ(Cidr::parse("::/0")->last(), Number::ones(128));
    EXPECT_EQ(Cidr::parse("::1")->length, 128U);
}

TEST(Cidr, RefusesWhatIsNone) {
    for (const char* text :
         {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "::/129",
          "10.0.0.0/255.0.255.0", "::1/255.0.0.0", "10.0.0.0/8x", "a/8"}) {
        EXPECT_FALSE(Cidr::parse(text)) << text;
    }
}

TEST(AddressSet, JoinsWhatTouches) {
    EXPECT_EQ(text_of(set_of({"104.24.0.0/14", "104.16.0.0/13", "104.28.0.0/14"})),
              "104.16.0.0/12");
    EXPECT_EQ(text_of(set_of({"0.0.0.0/1", "128.0.0.0/1"})), "0.0.0.0/0");
    EXPECT_TRUE(set_of({"8000::/1", "::/1"}).is_all());
}

TEST(AddressSet, TheLeftOverOfTheOldRangeIsFound) {
    const AddressSet now = set_of({"104.16.0.0/13", "104.24.0.0/14"});
    EXPECT_EQ(text_of(set_of({"104.16.0.0/12"}).subtract(now)), "104.28.0.0/14");
}

TEST(AddressSet, WritesOddIntervalsAsTheFewestBlocks) {
    const AddressSet odd(Family::v4, {{Number{0, 1}, Number{0, 0xfffffffe}}});
    EXPECT_EQ(odd.cidrs().size(), 62U);
    EXPECT_EQ(odd.complement().cidrs().size(), 2U);
    EXPECT_EQ(AddressSet::all(Family::v6).cidrs().size(), 1U);
}

TEST(AddressSet, NumbersCarryAcrossTheMiddle) {
    const Number edge{1, ~uint64_t{0}};
    EXPECT_EQ(edge.next(), (Number{2, 0}));
    EXPECT_EQ(edge.next().previous(), edge);
    EXPECT_EQ(text_of(set_of({"2001:db8:0:1::/64", "2001:db8::/64"})), "2001:db8::/63");
}

/// Every operation beside one on single bits, over the last byte of an address.
TEST(AddressSet, AgreesWithSetsOfSingleAddresses) {
    std::mt19937 random(7);
    using Bits = std::bitset<256>;
    const auto make = [&](Bits& bits) {
        std::vector<Interval> intervals;
        const size_t count = random() % 40;
        for (size_t i = 0; i < count; ++i) {
            const uint64_t first = random() % 256;
            const uint64_t last = std::min<uint64_t>(255, first + random() % 9);
            for (uint64_t n = first; n <= last; ++n) bits.set(n);
            intervals.push_back({{0, first}, {0, last}});
        }
        return AddressSet(Family::v4, intervals);
    };
    const auto expect_same = [](const AddressSet& set, const Bits& bits) {
        for (size_t n = 0; n < 256; ++n) ASSERT_EQ(set.contains({0, n}), bits.test(n)) << n;
        std::vector<Interval> again;
        for (const Cidr& cidr : set.cidrs()) again.push_back({cidr.first, cidr.last()});
        ASSERT_EQ(AddressSet(Family::v4, again), set);
        for (size_t i = 1; i < set.intervals().size(); ++i) {
            ASSERT_LT(set.intervals()[i - 1].last.next(), set.intervals()[i].first);
        }
    };
    for (int round = 0; round < 2000; ++round) {
        Bits a;
        Bits b;
        const AddressSet x = make(a);
        const AddressSet y = make(b);
        expect_same(x, a);
        expect_same(x.unite(y), a | b);
        expect_same(x.intersect(y), a & b);
        expect_same(x.subtract(y), a & ~b);
        std::vector<Interval> part;
        for (const Interval& one : y.intervals()) x.append_part(one, part);
        expect_same(AddressSet(Family::v4, part), a & b);
        ASSERT_EQ(x.covers(y), (b & ~a).none());
        ASSERT_EQ(size_of(x), static_cast<double>(a.count()));
    }
}

}  // namespace
}  // namespace edgecase::ip
