// Sockets of a traced process, looked at from outside.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace truefork::trace {

struct SocketFacts {
  uint64_t inode = 0;
  std::string local;  // a sockaddr each, or empty
  std::string peer;
};

// The descriptor is borrowed for a moment with pidfd_getfd(2), Linux 5.6. Before, only the inode is found.
SocketFacts DescribeSocket(pid_t pid, int fd);

// The inode of the socket, or 0 where the descriptor is anything else.
uint64_t SocketInode(pid_t pid, int fd);

}  // namespace truefork::trace
