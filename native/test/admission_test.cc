#include "server/admission/admission.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace truefork {

namespace {

using protocol::Policy;
using protocol::Reason;

using namespace std::chrono_literals;

constexpr uint32_t kSecondUs = 1'000'000;

Address From(const std::string& text) {
  Address address;
  EXPECT_TRUE(ParseIp(text, 7, &address)) << text;
  return address;
}

// An admission with a clock of its own.
struct Gate {
  explicit Gate(protocol::AdmissionCommand limits) { admission.SetLimits(limits); }
  std::optional<Reason> Comes(const std::string& from, size_t live = 0) {
    return admission.Refuse(From(from), live, now);
  }
  void Goes(const std::string& from) { admission.Release(SourceOf(From(from)), now); }
  size_t Admits(const std::string& from, int times) {
    size_t admitted = 0;
    for (int i = 0; i < times; i++) admitted += Comes(from) ? 0 : 1;
    return admitted;
  }

  Admission admission;
  Time now{1000s};
};

protocol::AdmissionCommand Limits() { return {100, 0, 0, 1, 0, 1}; }

}  // namespace

TEST(TokenBucketTest, BurstThenSteadyRate) {
  const Rate rate{100ms, 3};
  TokenBucket bucket;
  Time now{50s};
  for (int i = 0; i < 3; i++) {
    EXPECT_TRUE(bucket.IsOpen(rate, now)) << i;
    bucket.Take(rate, now);
  }
  EXPECT_FALSE(bucket.IsOpen(rate, now));
  EXPECT_EQ(bucket.OpensAt(rate), now + 100ms);
  int taken = 0;
  for (const Time end = now + 10s; now <= end; now += 1ms) {
    if (!bucket.IsOpen(rate, now)) continue;
    bucket.Take(rate, now);
    taken++;
  }
  EXPECT_EQ(taken, 100);
  now += 10s;  // however long no client comes, it holds no more than its burst
  EXPECT_TRUE(bucket.IsFull(now));
  for (int i = 0; i < 3; i++) bucket.Take(rate, now);
  EXPECT_FALSE(bucket.IsOpen(rate, now));
}

TEST(AdmissionTest, WithoutLimitsOnlyTheCap) {
  Gate gate(Limits());
  EXPECT_EQ(gate.Admits("10.0.0.1", 1000), 1000u);
  EXPECT_EQ(gate.Comes("10.0.0.1", 99), std::nullopt);
  EXPECT_EQ(gate.Comes("10.0.0.1", 100), Reason::MaxChildren);
}

TEST(AdmissionTest, MaxPerSource) {
  auto limits = Limits();
  limits.maxPerSource = 2;
  Gate gate(limits);
  EXPECT_EQ(gate.Admits("10.0.0.1", 5), 2u);
  EXPECT_EQ(gate.Comes("::ffff:10.0.0.1"), Reason::MaxPerSource);
  EXPECT_EQ(gate.Admits("10.0.0.2", 5), 2u);
  EXPECT_EQ(gate.Admits("2001:db8::1", 1) + gate.Admits("2001:db8::2", 1) + gate.Admits("2001:db8::3", 1),
            2u);
  EXPECT_EQ(gate.Admits("2001:db8:0:1::1", 5), 2u);
  gate.Goes("10.0.0.1");
  EXPECT_EQ(gate.Admits("10.0.0.1", 5), 1u);
}

TEST(AdmissionTest, ClientsOfAUnixSocketAreNotCounted) {
  auto limits = Limits();
  limits.maxPerSource = 1;
  Gate gate(limits);
  Address local;
  local.storage.ss_family = AF_UNIX;
  for (int i = 0; i < 5; i++) EXPECT_EQ(gate.admission.Refuse(local, 0, gate.now), std::nullopt);
}

TEST(AdmissionTest, RateOfOneSourceDoesNotConcernOthers) {
  auto limits = Limits();
  limits.sourceIntervalUs = kSecondUs;
  limits.sourceBurst = 3;
  Gate gate(limits);
  EXPECT_EQ(gate.Admits("10.0.0.1", 10), 3u);
  EXPECT_EQ(gate.Comes("10.0.0.1"), Reason::SourceRate);
  for (int i = 0; i < 3; i++) gate.Goes("10.0.0.1");
  EXPECT_EQ(gate.Comes("10.0.0.1"), Reason::SourceRate);  // ending a connection gives no token back
  EXPECT_EQ(gate.Admits("10.0.0.2", 10), 3u);
  gate.now += 1s;
  EXPECT_EQ(gate.Admits("10.0.0.1", 10), 1u);
}

TEST(AdmissionTest, RateOfAllLetsClientsWait) {
  auto limits = Limits();
  limits.acceptIntervalUs = kSecondUs;
  limits.acceptBurst = 2;
  Gate gate(limits);
  EXPECT_EQ(gate.Admits("10.0.0.1", 2), 2u);
  EXPECT_FALSE(gate.admission.MayAccept(0, gate.now));
  EXPECT_EQ(gate.admission.OpensAt(0, gate.now), Deadline(gate.now + 1s));
  EXPECT_EQ(gate.admission.OpensAt(100, gate.now),
            Deadline::Never());  // full as well: the passing of time changes nothing
  gate.now += 1s;
  EXPECT_TRUE(gate.admission.MayAccept(0, gate.now));
  EXPECT_EQ(gate.admission.OpensAt(0, gate.now), Deadline::Never());

  gate.admission.SetPolicy(Reason::AcceptRate, Policy::Reset);
  EXPECT_EQ(gate.Admits("10.0.0.1", 10), 1u);
  EXPECT_TRUE(gate.admission.MayAccept(0, gate.now));
  EXPECT_EQ(gate.admission.OpensAt(0, gate.now), Deadline::Never());
  EXPECT_EQ(gate.Comes("10.0.0.1"), Reason::AcceptRate);
}

TEST(AdmissionTest, RefusedClientsTakeNoToken) {
  auto limits = Limits();
  limits.maxPerSource = 1;
  limits.acceptIntervalUs = kSecondUs;
  limits.acceptBurst = 2;
  Gate gate(limits);
  EXPECT_EQ(gate.Admits("10.0.0.1", 100), 1u);
  EXPECT_EQ(gate.Comes("10.0.0.2"), std::nullopt);
}

TEST(AdmissionTest, PolicyAtTheCap) {
  Gate gate(Limits());
  EXPECT_TRUE(gate.admission.MayAccept(99, gate.now));
  EXPECT_FALSE(gate.admission.MayAccept(100, gate.now));
  gate.admission.SetPolicy(Reason::MaxChildren, Policy::Refuse);
  EXPECT_TRUE(gate.admission.MayAccept(100, gate.now));
}

TEST(AdmissionTest, RulesComeFirst) {
  Gate gate(Limits());
  ASSERT_TRUE(gate.admission.SetRules("deny 10.0.0.0/8"));
  EXPECT_EQ(gate.Comes("10.0.0.1", 100), Reason::Address);
  EXPECT_EQ(gate.Comes("11.0.0.1"), std::nullopt);
  ASSERT_TRUE(gate.admission.SetRules(""));
  EXPECT_EQ(gate.Comes("10.0.0.1"), std::nullopt);
}

// A limit that comes while connections live counts them too.
TEST(AdmissionTest, LimitsAreChangedWhileClientsAreThere) {
  Gate gate(Limits());
  EXPECT_EQ(gate.Admits("10.0.0.1", 5), 5u);
  auto limits = Limits();
  limits.maxPerSource = 5;
  gate.admission.SetLimits(limits);
  EXPECT_EQ(gate.Comes("10.0.0.1"), Reason::MaxPerSource);
  gate.Goes("10.0.0.1");
  EXPECT_EQ(gate.Comes("10.0.0.1"), std::nullopt);
}

TEST(AdmissionTest, SourcesWithoutConnectionsAreForgotten) {
  Gate gate(Limits());
  gate.Comes("10.0.0.1");
  EXPECT_EQ(gate.admission.sources(), 1u);
  gate.Goes("10.0.0.1");
  EXPECT_EQ(gate.admission.sources(), 0u);
}

// Half a million networks, each with a bucket that takes half an hour to fill.
TEST(AdmissionTest, ManySourcesDoNotFillTheMemory) {
  auto limits = Limits();
  limits.sourceIntervalUs = 1800 * kSecondUs;
  Gate gate(limits);
  const std::string loyal = "2001:db8::1";
  EXPECT_EQ(gate.Comes(loyal), std::nullopt);  // and stays
  sockaddr_in6 v6{};
  for (uint32_t i = 0; i < 500'000; i++) {
    Address address;
    v6.sin6_family = AF_INET6;
    v6.sin6_addr.s6_addr[0] = 0x20;
    for (int byte = 0; byte < 4; byte++) v6.sin6_addr.s6_addr[4 + byte] = i >> 8 * byte;
    __builtin_memcpy(&address.storage, &v6, sizeof v6);
    ASSERT_EQ(gate.admission.Refuse(address, 0, gate.now), std::nullopt);
    gate.admission.Release(SourceOf(address), gate.now);
    ASSERT_LT(gate.admission.sources(), 140'000u);
  }
  limits.maxPerSource = 1;
  gate.admission.SetLimits(limits);
  EXPECT_EQ(gate.Comes(loyal), Reason::MaxPerSource);  // a source with a connection is never forgotten
}

TEST(CapacityTest, RetiredChildrenCountButOneIsAlwaysAdmitted) {
  Capacity capacity(3);
  EXPECT_FALSE(capacity.IsFull(2));
  EXPECT_TRUE(capacity.IsFull(3));
  capacity.SetRetiredChildren(2);
  EXPECT_TRUE(capacity.IsFull(1));
  capacity.SetRetiredChildren(5);
  EXPECT_FALSE(capacity.IsFull(0));
  EXPECT_TRUE(capacity.IsFull(1));
  capacity.SetMaximum(7);
  EXPECT_FALSE(capacity.IsFull(1));
}

}  // namespace truefork
