// One connection of a server of one process: its descriptor, what its client has not taken yet, and how far
// its end is.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <string>

#include "support/time.h"

namespace truefork {

class Peer {
 public:
  Peer(int fd, Time acceptedAt) : fd_(fd), acceptedAt_(acceptedAt) {}

  int fd() const { return fd_; }
  Time acceptedAt() const { return acceptedAt_; }

  // What poll(2) is to wait for; 0: nothing.
  short PollEvents() const;

  // read(2): the size, 0 when the client has finished, or the negative errno. -EAGAIN where there was
  // nothing.
  ssize_t Read(char* bytes, size_t size);
  bool HasFinished() const { return hasFinished_; }
  void SetReading(bool reads) { isReading_ = reads; }

  // Sends what the client takes now, and keeps the rest. A failure shows when the connection is next read or
  // flushed.
  void Write(const char* bytes, size_t size);
  bool HasUnsent() const { return !unsent_.empty(); }
  // The client does not read what it asked for.
  bool IsHopeless() const;
  // Sends more of the rest: 0, or the errno.
  int Flush();

  // Nothing more is written. Once all is sent, the connection can be closed, lingering where the client has
  // not finished.
  void End() { isEnding_ = true; }
  bool IsEnding() const { return isEnding_; }
  bool IsDone() const { return isEnding_ && unsent_.empty(); }
  void BeginLinger(Time now);
  bool IsLingering() const { return lingersUntil_.IsSet(); }
  Deadline lingersUntil() const { return lingersUntil_; }

  // Something else reads, writes and closes the descriptor from now on.
  void Release() { isReleased_ = true; }
  bool IsReleased() const { return isReleased_; }

 private:
  int fd_;
  Time acceptedAt_;
  std::string unsent_;
  bool isReading_ = true;
  bool hasFinished_ = false;
  bool isEnding_ = false;
  bool isReleased_ = false;
  Deadline lingersUntil_;
};

}  // namespace truefork
