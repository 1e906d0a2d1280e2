#include "server/admission/address_rules.h"

#include <gtest/gtest.h>

namespace truefork {

namespace {

Ip Parse(const std::string& text) {
  Address address;
  EXPECT_TRUE(ParseIp(text, 0, &address)) << text;
  return *IpOf(address);
}

AddressRules Rules(const std::string& text) {
  AddressRules rules;
  EXPECT_TRUE(rules.Parse(text)) << text;
  return rules;
}

}  // namespace

TEST(SourceTest, Ipv4AddressIpv6NetworkMappedIsIpv4) {
  const auto source = [](const char* text) {
    Address address;
    EXPECT_TRUE(ParseIp(text, 7, &address));
    return SourceOf(address);
  };
  EXPECT_NE(source("10.0.0.1"), source("10.0.0.2"));
  EXPECT_EQ(source("10.0.0.1"), source("::ffff:10.0.0.1"));
  EXPECT_EQ(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::9"));
  EXPECT_NE(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
  EXPECT_NE(source("::1"), source("0.0.0.1"));
  EXPECT_NE(source("::a00:1"), source("10.0.0.1"));
  Address local;
  local.storage.ss_family = AF_UNIX;
  EXPECT_EQ(SourceOf(local), std::nullopt);
}

TEST(AddressRulesTest, WithoutRulesEverybodyComesIn) {
  EXPECT_TRUE(AddressRules().Admits(Parse("10.0.0.1")));
  EXPECT_TRUE(Rules("").Admits(Parse("::1")));
}

TEST(AddressRulesTest, Deny) {
  const AddressRules rules = Rules("deny 10.1.2.0/23\ndeny 2001:db8::/33\ndeny 192.0.2.7\n");
  for (const char* out : {"10.1.2.0", "10.1.3.255", "::ffff:10.1.2.9", "2001:db8::1",
                          "2001:db8:7fff:ffff::", "192.0.2.7", "::ffff:192.0.2.7"})
    EXPECT_FALSE(rules.Admits(Parse(out))) << out;
  for (const char* in :
       {"10.1.1.255", "10.1.4.0", "2001:db8:8000::", "2001:db7:ffff::", "192.0.2.6", "192.0.2.8", "::1"})
    EXPECT_TRUE(rules.Admits(Parse(in))) << in;
}

TEST(AddressRulesTest, AllowKeepsTheOthersOutAndDenyWins) {
  const AddressRules rules = Rules("allow 10.0.0.0/8\nallow ::1\ndeny 10.9.0.0/16");
  EXPECT_TRUE(rules.Admits(Parse("10.1.1.1")));
  EXPECT_TRUE(rules.Admits(Parse("::1")));
  EXPECT_FALSE(rules.Admits(Parse("10.9.1.1")));
  EXPECT_FALSE(rules.Admits(Parse("11.0.0.1")));
  EXPECT_FALSE(rules.Admits(Parse("::2")));
}

TEST(AddressRulesTest, TheWholeOfOneFamilyIsNotTheOther) {
  EXPECT_TRUE(Rules("deny ::/0").Admits(Parse("10.0.0.1")));
  EXPECT_TRUE(Rules("deny ::/0").Admits(Parse("::ffff:10.0.0.1")));
  EXPECT_FALSE(Rules("deny ::/0").Admits(Parse("2001:db8::1")));
  EXPECT_FALSE(Rules("deny 0.0.0.0/0").Admits(Parse("::ffff:10.0.0.1")));
  EXPECT_TRUE(Rules("deny 0.0.0.0/0").Admits(Parse("::1")));
  EXPECT_FALSE(Rules("deny ::ffff:10.0.0.0/104").Admits(Parse("10.7.7.7")));
}

TEST(AddressRulesTest, RangesThatOverlapAndTouch) {
  const AddressRules rules = Rules("deny 10.0.0.0/9\ndeny 10.64.0.0/10\ndeny 10.128.0.0/9\ndeny 10.0.0.0/8");
  EXPECT_FALSE(rules.Admits(Parse("10.0.0.0")));
  EXPECT_FALSE(rules.Admits(Parse("10.255.255.255")));
  EXPECT_TRUE(rules.Admits(Parse("11.0.0.0")));
  EXPECT_TRUE(rules.Admits(Parse("9.255.255.255")));
}

TEST(AddressRulesTest, ManyThousand) {
  std::string text;
  for (int i = 0; i < 60'000; i += 2)
    text += "deny 10.0." + std::to_string(i >> 8) + "." + std::to_string(i & 255) + "\n";
  const AddressRules rules = Rules(text);
  for (int i = 0; i < 60'000; i += 97) {
    const std::string ip = "10.0." + std::to_string(i >> 8) + "." + std::to_string(i & 255);
    EXPECT_EQ(rules.Admits(Parse(ip)), i % 2 == 1) << ip;
  }
}

TEST(AddressRulesTest, WhatIsNoRuleChangesNothing) {
  AddressRules rules = Rules("deny 10.0.0.1");
  for (const char* wrong :
       {"allow", "allow ", "permit 10.0.0.1", "deny 10.0.0.1/33", "deny 10.0.0.1/", "deny ::1/129",
        "deny 10.0.0.0/-1", "deny 10.0.0.0/8x", "deny host", "deny ::ffff:0:0/90"})
    EXPECT_FALSE(rules.Parse(wrong)) << wrong;
  EXPECT_FALSE(rules.Admits(Parse("10.0.0.1")));
  EXPECT_TRUE(rules.Admits(Parse("10.0.0.2")));
}

}  // namespace truefork
