// A connection, from accept(2) on.
#pragma once

#include <cstdint>
#include <string>

#include "support/address.h"

namespace truefork {

struct Connection {
  int fd;
  uint64_t id;
  Address peer;
  Address local;
  // The peer's address as text. The parent makes it, whose memory is warm: in each child, the conversion
  // would touch pages of the C library that the child has to fault in first.
  std::string host;
};

}  // namespace truefork
