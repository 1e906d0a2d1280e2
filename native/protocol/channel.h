// The zygote's end of the socket to its owner: commands come in, records go out, and neither side ever waits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/messages.h"
#include "speed/arena.h"

namespace truefork {

class Channel {
 public:
  explicit Channel(int fd) : fd_(fd) {}

  struct Message {
    uint32_t kind;
    std::string body;

    // The struct that it begins with; what a shorter body leaves out is zero.
    template <typename Body>
    Body As() const {
      Body value{};
      body.copy(reinterpret_cast<char*>(&value), sizeof value);
      return value;
    }
  };

  int fd() const { return fd_; }

  // Reads what is there. False when the owner has closed its end, or is gone.
  bool Fill();

  // The next whole message of what was read.
  std::optional<Message> Next();

  // Puts a record in line.
  void Put(protocol::Record kind) { Put(kind, {}); }
  template <typename Body>
  void Put(protocol::Record kind, const Body& body) {
    Put(kind, std::string_view(reinterpret_cast<const char*>(&body), sizeof body));
  }
  void Put(protocol::Record kind, std::string_view body);

  // Sends as much of the line as the socket takes.
  void Flush();

  // The same, but an owner that has just heard something hears the next records together, a few milliseconds
  // later: to be woken for each of them would cost it more than the forks cost the zygote. Returns when that
  // is (NowMicros()), or 0.
  int64_t FlushInBatches();

  bool HasUnsent() const { return !out_.empty(); }

  // An owner that does not read is not told ever more: who is about to make records asks this first.
  bool IsCongested() const { return out_.size() > kMostUnsent; }

 private:
  static constexpr size_t kMostUnsent = 1 << 20;
  static constexpr int64_t kRestMicros = 5'000;

  int fd_;
  arena::String in_;
  arena::String out_;
  int64_t flushedAt_ = 0;
};

}  // namespace truefork
