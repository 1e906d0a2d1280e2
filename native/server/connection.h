// A connection, from accept() on.
#pragma once

#include <string>

#include "protocol/messages.h"
#include "support/address.h"

namespace truefork {

struct Connection {
  int fd;  // -1: none yet, it comes to a child that waits for it (worker.h)
  uint64_t id;
  Address peer;
  Address local;
  std::string host;  // the peer's address in text: made by the parent, which does so with its memory at hand
};

// What the owner is told of it. A Unix socket's address that is too long for the record is cut.
protocol::ConnectionRecord RecordOf(const Connection& connection, int32_t pid);

}  // namespace truefork
