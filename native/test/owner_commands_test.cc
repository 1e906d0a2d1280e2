#include "server/owner_commands.h"

#include "test/owner.h"

namespace truefork {

namespace {

using protocol::Command;
using protocol::Record;

struct OwnerCommandsTest : testing::Test {
  test::Owner owner;
  Channel channel{owner.channel()};
  OwnerCommands commands{channel};
};

}  // namespace

TEST_F(OwnerCommandsTest, StructArrivesAsItWasSent) {
  protocol::StopCommand stop{};
  commands.On<protocol::StopCommand>(Command::Stop, [&](const auto& given) { stop = given; });
  owner.Command(Command::Stop, protocol::StopCommand{7});
  EXPECT_TRUE(commands.Obey());
  EXPECT_EQ(stop.graceMs, 7u);
}

TEST_F(OwnerCommandsTest, CommandsAreObeyedInTheirOrder) {
  std::string order;
  commands.On(Command::Retire, [&] { order += 'r'; });
  commands.On(Command::Kill, [&] { order += 'k'; });
  for (const Command kind : {Command::Kill, Command::Retire, Command::Retire}) owner.Command(kind);
  EXPECT_TRUE(commands.Obey());
  EXPECT_EQ(order, "krr");
}

TEST_F(OwnerCommandsTest, PingIsAnsweredAndUnknownOnesAreIgnored) {
  owner.Command(static_cast<Command>(4711), std::string("of a later version"));
  owner.Command(Command::Ping);
  EXPECT_TRUE(commands.Obey());
  channel.Flush();
  EXPECT_EQ(owner.Count(Record::Pong), 1u);
}

TEST_F(OwnerCommandsTest, ShorterStructIsZeroAtItsEnd) {
  protocol::TimesCommand times{1, 1, 1, 1};
  commands.On<protocol::TimesCommand>(Command::Times, [&](const auto& given) { times = given; });
  owner.Command(Command::Times, std::string("\1\0\0\0\2", 5));
  EXPECT_TRUE(commands.Obey());
  EXPECT_EQ(times.firstByteMs, 1u);
  EXPECT_EQ(times.idleMs, 2u);
  EXPECT_EQ(times.killMs, 0u);
}

TEST_F(OwnerCommandsTest, LastCommandsOfAnOwnerThatIsGoneAreObeyed) {
  bool wasKilled = false;
  commands.On(Command::Kill, [&] { wasKilled = true; });
  owner.Command(Command::Kill);
  owner.Leave();
  EXPECT_FALSE(commands.Obey());
  EXPECT_TRUE(wasKilled);
}

TEST_F(OwnerCommandsTest, AwaitCountsWhatWasObeyedBefore) {
  owner.Command(Command::Ping);
  EXPECT_TRUE(commands.Obey());
  owner.Command(Command::Ping);
  EXPECT_TRUE(commands.Await(2));
  owner.Leave();
  EXPECT_TRUE(commands.Await(2)) << "there is nothing left to wait for";
  EXPECT_FALSE(commands.Await(3));
}

}  // namespace truefork
