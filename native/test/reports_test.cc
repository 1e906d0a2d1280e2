#include "server/reports.h"

#include "test/owner.h"

namespace truefork {

namespace {

using protocol::Record;

struct ReportsTest : testing::Test {
  template <typename Body>
  Body Only(Record kind) {
    channel.Flush();
    const auto all = owner.All<Body>(kind);
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? Body{} : all[0];
  }

  test::Owner owner;
  Channel channel{owner.channel()};
  Reports reports{channel};
};

}  // namespace

TEST_F(ReportsTest, ConnectionOfTcp) {
  Connection connection{7, 42, {}, {}, "192.0.2.7"};
  ASSERT_TRUE(ParseIp("192.0.2.7", 4711, &connection.peer));
  ASSERT_TRUE(ParseIp("198.51.100.1", 80, &connection.local));
  reports.Accepted(connection, 1234);
  const auto record = Only<protocol::ConnectionRecord>(Record::Connection);
  EXPECT_EQ(record.id, 42u);
  EXPECT_EQ(record.pid, 1234);
  EXPECT_EQ(record.family, AF_INET);
  EXPECT_STREQ(record.remoteAddress, "192.0.2.7");
  EXPECT_EQ(record.remotePort, 4711);
  EXPECT_STREQ(record.localAddress, "198.51.100.1");
  EXPECT_EQ(record.localPort, 80);
}

TEST_F(ReportsTest, LongTextIsCutAndTerminated) {
  Connection connection{7, 1, {}, {}, std::string(500, 'h')};
  ASSERT_TRUE(UnixAddress("/" + std::string(106, 'p'), &connection.local));
  reports.Accepted(connection, 1);
  reports.Trouble("a_system_call_with_a_long_name", ENOMEM);
  EXPECT_EQ(std::string(Only<protocol::ConnectionRecord>(Record::Connection).remoteAddress),
            std::string(109, 'h'));
  EXPECT_EQ(std::string(Only<protocol::TroubleRecord>(Record::Trouble).syscall), "a_system_ca");
}

TEST_F(ReportsTest, ExitHasTheUsageOfTheChild) {
  rusage usage{};
  usage.ru_utime = {2, 500'000};
  usage.ru_stime = {0, 7};
  usage.ru_maxrss = 4096;
  usage.ru_minflt = 12;
  reports.Exited({42, 1234, 0x0700, std::chrono::milliseconds(3), Usage::From(usage), 10, 20,
                  protocol::Limit::Idle, 2, 0});
  const auto record = Only<protocol::ExitRecord>(Record::Exit);
  EXPECT_EQ(record.status, 0x0700);
  EXPECT_EQ(record.durationUs, 3000u);
  EXPECT_EQ(record.userCpuUs, 2'500'000u);
  EXPECT_EQ(record.systemCpuUs, 7u);
  EXPECT_EQ(record.maxRssKib, 4096u);
  EXPECT_EQ(record.minorFaults, 12u);
  EXPECT_EQ(record.bytesIn, 10u);
  EXPECT_EQ(record.bytesOut, 20u);
  EXPECT_EQ(record.limit, static_cast<uint32_t>(protocol::Limit::Idle));
  EXPECT_EQ(record.execErrnum, 2);
}

}  // namespace truefork
