// One end of the socket between owner and zygote: messages come in, messages go out, and neither side ever
// waits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/messages.h"
#include "speed/arena.h"
#include "support/time.h"

namespace truefork {

class Channel {
 public:
  explicit Channel(int fd) : fd_(fd) {}

  struct Message {
    uint32_t kind;
    std::string body;

    // The struct at the beginning of the body. Fields that a shorter body leaves out are zero.
    template <typename Body>
    Body As() const {
      Body value{};
      body.copy(reinterpret_cast<char*>(&value), sizeof value);
      return value;
    }

    // What follows that struct.
    template <typename Body>
    std::string After() const {
      return body.substr(std::min(sizeof(Body), body.size()));
    }
  };

  int fd() const { return fd_; }

  // Reads what has arrived. False when the other side has closed its end, or is gone.
  bool Fill();

  // The next whole message of what was read.
  std::optional<Message> Next();

  // Appends a record to what is unsent.
  void Put(protocol::Record kind) { Put(kind, {}); }
  template <typename Body>
  void Put(protocol::Record kind, const Body& body) {
    Put(kind, std::string_view(reinterpret_cast<const char*>(&body), sizeof body));
  }
  void Put(protocol::Record kind, std::string_view body);

  // Sends as much of it as the socket takes.
  void Flush();

  // The same, but what follows a flush closely is collected and sent together, a few milliseconds later:
  // waking the owner for each record would cost it more CPU than forking costs the zygote. Returns when the
  // rest is due.
  Deadline FlushInBatches();

  bool HasUnsent() const { return !unsent_.empty(); }

  // The owner does not read. What would make more records has to wait, so that this memory stays bounded.
  bool IsCongested() const { return unsent_.size() > kMostUnsent; }

 private:
  static constexpr size_t kMostUnsent = 1 << 20;
  static constexpr Duration kBatchTime = std::chrono::milliseconds(5);

  int fd_;
  arena::String unread_;
  arena::String unsent_;
  Time flushedAt_{};
};

}  // namespace truefork
