#include "protocol/channel.h"

#include <sys/socket.h>

#include <cstring>

#include "test/subject.h"

namespace truefork {

namespace {

std::string Message(uint32_t kind, const std::string& body) {
  const protocol::Header header{static_cast<uint32_t>(body.size()), kind};
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + body;
}

class ChannelTest : public testing::Test {
 protected:
  void Owner(const std::string& bytes) {
    ASSERT_EQ(send(pair_.fds[0], bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }

  std::string OwnerHears() {
    std::string heard(1 << 20, '\0');
    const ssize_t size = recv(pair_.fds[0], heard.data(), heard.size(), MSG_DONTWAIT);
    heard.resize(size > 0 ? size : 0);
    return heard;
  }

  test::SocketPair pair_;
  Channel channel_{pair_.fds[1]};
};

}  // namespace

TEST_F(ChannelTest, NothingThereIsNoMessageAndNoEnd) {
  EXPECT_TRUE(channel_.Fill());
  EXPECT_FALSE(channel_.Next());
}

TEST_F(ChannelTest, MessageThatComesByteByByte) {
  const std::string bytes = Message(1, "grace");
  for (size_t at = 0; at < bytes.size(); at++) {
    EXPECT_FALSE(channel_.Next()) << "after " << at << " bytes";
    Owner(bytes.substr(at, 1));
    EXPECT_TRUE(channel_.Fill());
  }
  const auto message = channel_.Next();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->kind, 1u);
  EXPECT_EQ(message->body, "grace");
  EXPECT_FALSE(channel_.Next());
}

TEST_F(ChannelTest, SeveralMessagesInOneRead) {
  Owner(Message(1, "one") + Message(2, "") + Message(3, "three") + "half");
  EXPECT_TRUE(channel_.Fill());
  EXPECT_EQ(channel_.Next()->body, "one");
  EXPECT_EQ(channel_.Next()->body, "");
  EXPECT_EQ(channel_.Next()->body, "three");
  EXPECT_FALSE(channel_.Next());
}

TEST_F(ChannelTest, MessageLargerThanOneRead) {
  const std::string body(50'000, 'x');
  Owner(Message(7, body));
  EXPECT_TRUE(channel_.Fill());
  EXPECT_EQ(channel_.Next()->body, body);
}

TEST_F(ChannelTest, LastWordsOfAnOwnerAreHeard) {
  Owner(Message(2, ""));
  pair_.Close(0);
  EXPECT_FALSE(channel_.Fill());
  EXPECT_EQ(channel_.Next()->kind, 2u);
}

TEST_F(ChannelTest, RecordsAreFramed) {
  const protocol::TroubleRecord trouble{24, "accept"};
  channel_.Put(protocol::Record::Listening);
  channel_.Put(protocol::Record::Trouble, trouble);
  EXPECT_TRUE(channel_.HasUnsent());
  EXPECT_EQ(OwnerHears(), "");
  channel_.Flush();
  EXPECT_FALSE(channel_.HasUnsent());
  const std::string body(reinterpret_cast<const char*>(&trouble), sizeof trouble);
  EXPECT_EQ(OwnerHears(), Message(2, "") + Message(5, body));
}

TEST_F(ChannelTest, OwnerThatHasJustHeardHearsTheNextRecordsTogether) {
  channel_.Put(protocol::Record::Listening);
  EXPECT_FALSE(channel_.FlushInBatches().IsSet());
  EXPECT_EQ(OwnerHears(), Message(2, ""));
  channel_.Put(protocol::Record::Listening);
  const Deadline due = channel_.FlushInBatches();
  channel_.Put(protocol::Record::Listening);
  if (!due.IsSet()) GTEST_SKIP() << "the machine took longer than the owner's rest";
  while (channel_.FlushInBatches().IsSet()) continue;
  EXPECT_TRUE(due.HasPassed(Now()));
  EXPECT_EQ(OwnerHears(), Message(2, "") + Message(2, ""));
}

TEST_F(ChannelTest, OwnerThatDoesNotReadMakesItCongestedNotBlocked) {
  const std::string body(4000, 'r');
  size_t put = 0;
  for (; !channel_.IsCongested() && put < 10'000; put++) {
    channel_.Put(protocol::Record::LoadFailed, std::string_view(body));
    channel_.Flush();
  }
  ASSERT_TRUE(channel_.IsCongested());
  size_t heard = 0;
  while (channel_.HasUnsent()) {
    heard += OwnerHears().size();
    channel_.Flush();
  }
  heard += OwnerHears().size();
  EXPECT_FALSE(channel_.IsCongested());
  EXPECT_EQ(heard, put * (sizeof(protocol::Header) + body.size()));
}

TEST_F(ChannelTest, OwnerThatIsGoneIsNoSigpipe) {
  pair_.Close(0);
  channel_.Put(protocol::Record::Listening);
  channel_.Flush();
  EXPECT_TRUE(channel_.HasUnsent());
  EXPECT_FALSE(channel_.Fill());
}

}  // namespace truefork
