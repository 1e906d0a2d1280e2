// An owner, for the code at the other end of its channel: it sends commands and reads records.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>
#include <string>
#include <vector>

#include "protocol/channel.h"
#include "test/subject.h"

namespace truefork::test {

class Owner {
 public:
  // The descriptor of the zygote's end.
  int channel() const { return pair_.fds[1]; }

  // Each process closes the end that is not its own.
  void CloseChannel() { pair_.Close(1); }
  void Leave() { pair_.Close(0); }

  void Command(protocol::Command kind, const std::string& body = {}) {
    const protocol::Header header{static_cast<uint32_t>(body.size()), static_cast<uint32_t>(kind)};
    const std::string message = std::string(reinterpret_cast<const char*>(&header), sizeof header) + body;
    EXPECT_EQ(send(pair_.fds[0], message.data(), message.size(), MSG_NOSIGNAL), ssize_t(message.size()));
  }
  template <typename Body>
  void Command(protocol::Command kind, const Body& body) {
    Command(kind, std::string(reinterpret_cast<const char*>(&body), sizeof body));
  }

  // All records so far.
  const std::vector<Channel::Message>& Records() {
    end_.Fill();
    while (auto record = end_.Next()) records_.push_back(*record);
    return records_;
  }
  size_t Count(protocol::Record kind) {
    size_t count = 0;
    for (const Channel::Message& record : Records())
      count += record.kind == static_cast<uint32_t>(kind) ? 1 : 0;
    return count;
  }
  template <typename Body>
  std::vector<Body> All(protocol::Record kind) {
    std::vector<Body> all;
    for (const Channel::Message& record : Records()) {
      if (record.kind != static_cast<uint32_t>(kind)) continue;
      EXPECT_EQ(record.body.size(), sizeof(Body));
      std::memcpy(&all.emplace_back(), record.body.data(), sizeof(Body));
    }
    return all;
  }

 private:
  SocketPair pair_;
  Channel end_{pair_.fds[0]};
  std::vector<Channel::Message> records_;
};

}  // namespace truefork::test
