#include <gtest/gtest.h>

#include "allowlist/verdicts_for_tests.hpp"

namespace edgecase::allowlist {
namespace {

TEST(Aws, AGroupAdmitsWhatAnyRuleAdmits) {
    const auto rules = rules_of({R"({"SecurityGroups": [{"GroupId": "sg-1", "GroupName": "web",
      "IpPermissions": [
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "104.16.0.0/13"}],
         "Ipv6Ranges": [{"CidrIpv6": "2400:cb00::/32"}], "PrefixListIds": [], "UserIdGroupPairs": []},
        {"IpProtocol": "udp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "PrefixListIds": [{"PrefixListId": "pl-1"}]}],
      "IpPermissionsEgress": []}]})"});
    EXPECT_EQ(verdict(rules, "104.16.1.1"), "admitted");
    EXPECT_EQ(verdict(rules, "2400:cb00::1"), "admitted");
    EXPECT_EQ(verdict(rules, "104.24.1.1"), "dropped");
    EXPECT_EQ(verdict(rules, "104.16.1.1", 80), "unknown");
    const auto listed = rules_of({R"({"SecurityGroupRules": [
      {"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-1", "IsEgress": false, "IpProtocol": "-1",
       "FromPort": -1, "ToPort": -1, "CidrIpv4": "104.16.0.0/13"},
      {"SecurityGroupRuleId": "sgr-2", "GroupId": "sg-1", "IsEgress": true, "IpProtocol": "-1",
       "FromPort": -1, "ToPort": -1, "CidrIpv4": "0.0.0.0/0"}]})"});
    EXPECT_EQ(verdict(listed, "104.16.1.1"), "admitted");
    EXPECT_EQ(verdict(listed, "1.16.1.1"), "dropped");
}

std::string acl(const std::string& egress) {
    return R"({"NetworkAcls": [{"NetworkAclId": "acl-1", "Entries": [
      {"Egress": false, "RuleNumber": 200, "RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"},
      {"Egress": false, "RuleNumber": 100, "RuleAction": "deny", "Protocol": "6", "CidrBlock":
       "104.16.3.0/24", "PortRange": {"From": 443, "To": 443}},
      {"Egress": false, "RuleNumber": 32767, "RuleAction": "deny", "Protocol": "-1", "CidrBlock":
       "0.0.0.0/0"},)" +
           egress + "]}]}";
}

TEST(Aws, ANetworkAclKeepsNoState) {
    const std::string out =
        R"({"Egress": true, "RuleNumber": 100, "RuleAction": "allow", "Protocol": "6", "CidrBlock":
            "0.0.0.0/0", "PortRange": {"From": 1024, "To": 65535}})";
    EXPECT_EQ(verdict(rules_of({acl(out)}), "104.16.1.1"), "admitted");
    EXPECT_EQ(verdict(rules_of({acl(out)}), "104.16.3.1"), "dropped");
    EXPECT_EQ(verdict(rules_of({acl(out)}), "104.16.3.1", 80), "admitted");
    EXPECT_EQ(verdict(rules_of({acl(out)}), "::1"), "dropped");
    const std::string web =
        R"({"Egress": true, "RuleNumber": 100, "RuleAction": "allow", "Protocol": "6",
            "CidrBlock": "0.0.0.0/0", "PortRange": {"From": 443, "To": 443}})";
    EXPECT_EQ(verdict(rules_of({acl(web)}), "104.16.1.1"), "dropped");  // no reply gets out
}

TEST(Gcp, ThePriorityCountsAndDenialBeforeAdmission) {
    const auto rules = rules_of({R"([
      {"name": "web", "direction": "INGRESS", "priority": 1000, "sourceRanges": ["104.16.0.0/13"],
       "allowed": [{"IPProtocol": "tcp", "ports": ["80", "443"]}]},
      {"name": "no", "direction": "INGRESS", "priority": 1000, "sourceRanges": ["104.16.3.0/24"],
       "denied": [{"IPProtocol": "all"}]},
      {"name": "off", "disabled": true, "direction": "INGRESS", "priority": 1, "sourceRanges": ["0.0.0.0/0"],
       "allowed": [{"IPProtocol": "tcp"}]},
      {"name": "tagged", "direction": "INGRESS", "priority": 900, "sourceRanges": ["104.24.0.0/14"],
       "targetTags": ["web"], "allowed": [{"IPProtocol": "tcp", "ports": ["400-500"]}]},
      {"name": "inside", "direction": "INGRESS", "priority": 1, "sourceTags": ["a"],
       "denied": [{"IPProtocol": "all"}]}])"});
    EXPECT_EQ(verdict(rules, "104.16.1.1"), "admitted");
    EXPECT_EQ(verdict(rules, "104.16.3.1"), "dropped");
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "dropped");
    EXPECT_EQ(verdict(rules, "104.24.1.1"), "unknown");
}

TEST(Azure, ThePriorityCounts) {
    const auto rules = rules_of({R"({"name": "nsg", "securityRules": [
      {"name": "late", "priority": 200, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
       "sourceAddressPrefixes": ["104.16.0.0/13", "2400:cb00::/32"], "destinationPortRanges": ["80", "443"],
       "destinationAddressPrefix": "*"},
      {"name": "early", "priority": 100, "direction": "Inbound", "access": "Deny", "protocol": "*",
       "sourceAddressPrefix": "104.16.3.0/24", "destinationPortRange": "*"},
      {"name": "tag", "priority": 150, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
       "sourceAddressPrefix": "AzureFrontDoor.Backend", "destinationPortRange": "8080"},
      {"name": "inner", "priority": 90, "direction": "Inbound", "access": "Deny", "protocol": "*",
       "sourceAddressPrefix": "VirtualNetwork", "destinationPortRange": "*"}]})"});
    EXPECT_EQ(verdict(rules, "104.16.1.1"), "admitted");
    EXPECT_EQ(verdict(rules, "104.16.3.1"), "dropped");
    EXPECT_EQ(verdict(rules, "2400:cb00::1", 80), "admitted");
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "dropped");
    EXPECT_EQ(verdict(rules, "1.1.1.1", 8080), "unknown");
}

TEST(Clouds, AGroupAndAnAclMustBothAdmit) {
    const std::string group =
        R"({"SecurityGroups": [{"GroupId": "sg", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443,
            "ToPort": 443, "IpRanges": [{"CidrIp": "104.0.0.0/8"}]}]}]})";
    const std::string out =
        R"({"Egress": true, "RuleNumber": 1, "RuleAction": "allow", "Protocol": "-1",
            "CidrBlock": "0.0.0.0/0"})";
    const auto rules = rules_of({group, acl(out)});
    EXPECT_EQ(verdict(rules, "104.16.1.1"), "admitted");
    EXPECT_EQ(verdict(rules, "104.16.3.1"), "dropped");
    EXPECT_EQ(verdict(rules, "105.16.3.1"), "dropped");
}

TEST(Azure, AListOfOneGroupAndPortsOfTheOtherSide) {
    const auto group = [](const std::string& source_port) {
        return R"([{"name": "n", "securityRules": [{"name": "web", "priority": 100,
          "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "*",
          "sourcePortRange": ")" +
               source_port + R"(", "destinationPortRange": "443"}]}])";
    };
    EXPECT_EQ(verdict(rules_of({group("*")}), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(rules_of({group("443")}), "1.1.1.1"), "unknown");
    EXPECT_EQ(error_of(R"([{"securityRules": []}, {"securityRules": []}])", "azure"),
              "file:1:1: several security groups; `az network nsg show` prints one");
}

TEST(Gcp, RulesOfSeveralNetworksAreNotJudgedTogether) {
    EXPECT_EQ(
        error_of(R"([{"network": "a", "allowed": []}, {"network": "b", "allowed": []}])", "gcp"),
        "file:1:1: rules of several networks; --filter=network:NAME lists one's");
}

TEST(Clouds, SayWhatIsWrong) {
    EXPECT_EQ(error_of("{\"SecurityGroups\": [", "aws"), "file:1:21: this is no JSON");
    EXPECT_EQ(error_of("{}", "aws"),
              "file:1:1: no SecurityGroups, SecurityGroupRules or NetworkAcls in it");
    EXPECT_EQ(error_of("{}", "gcp"), "file:1:1: an array of firewall rules was expected");
    EXPECT_EQ(error_of("{}", "azure"), "file:1:1: no `securityRules` in it");
}

}  // namespace
}  // namespace edgecase::allowlist
