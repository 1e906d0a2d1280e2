// The zygote's end of the socket to its owner: commands come in, records go out, and neither side ever waits.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "serve/protocol.h"

namespace truefork {

class Channel {
 public:
  explicit Channel(int fd) : fd_(fd) {}

  struct Message {
    uint32_t kind;
    std::string body;
  };

  int fd() const { return fd_; }

  // Reads what is there. False when the owner has closed its end, or is gone.
  bool Fill();

  // The next whole message of what was read.
  std::optional<Message> Next();

  // The command's struct in a message, or false where the message has another size.
  template <typename Body>
  static bool Read(const Message& message, Body* body) {
    if (message.body.size() != sizeof *body) return false;
    std::memcpy(body, message.body.data(), sizeof *body);
    return true;
  }

  // Puts a record in line.
  void Put(protocol::Record kind) { Put(kind, {}); }
  template <typename Body>
  void Put(protocol::Record kind, const Body& body) {
    Put(kind, std::string_view(reinterpret_cast<const char*>(&body), sizeof body));
  }
  void Put(protocol::Record kind, std::string_view body);

  // Sends as much of the line as the socket takes.
  void Flush();

  bool HasUnsent() const { return !out_.empty(); }

  // An owner that does not read is not told ever more: who is about to make records asks this first.
  bool IsCongested() const { return out_.size() > kMostUnsent; }

 private:
  static constexpr size_t kMostUnsent = 1 << 20;

  int fd_;
  std::string in_;
  std::string out_;
};

}  // namespace truefork
