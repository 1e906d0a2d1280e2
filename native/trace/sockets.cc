#include "trace/sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

namespace truefork::trace {

namespace {

// Their numbers are the same on every architecture; older headers do not have them.
constexpr long kPidfdOpen = 434;
constexpr long kPidfdGetfd = 438;

int Borrow(pid_t pid, int fd) {
  const int process = static_cast<int>(syscall(kPidfdOpen, pid, 0));
  if (process < 0) return -1;
  const int borrowed = static_cast<int>(syscall(kPidfdGetfd, process, fd, 0));
  close(process);
  return borrowed;
}

using GetName = int(int, sockaddr*, socklen_t*);

std::string Name(int fd, GetName* get) {
  sockaddr_storage address;
  socklen_t length = sizeof address;
  if (get(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return "";
  return {reinterpret_cast<const char*>(&address), length < sizeof address ? length : sizeof address};
}

}  // namespace

uint64_t SocketInode(pid_t pid, int fd) {
  char path[64];
  char target[64];
  snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
  const ssize_t length = readlink(path, target, sizeof target - 1);
  constexpr char kPrefix[] = "socket:[";
  constexpr size_t kPrefixLength = sizeof kPrefix - 1;
  if (length <= static_cast<ssize_t>(kPrefixLength) || strncmp(target, kPrefix, kPrefixLength) != 0) return 0;
  target[length] = '\0';
  return strtoull(target + kPrefixLength, nullptr, 10);
}

SocketFacts DescribeSocket(pid_t pid, int fd) {
  SocketFacts facts;
  facts.inode = SocketInode(pid, fd);
  const int borrowed = Borrow(pid, fd);
  if (borrowed < 0) return facts;
  facts.local = Name(borrowed, reinterpret_cast<GetName*>(getsockname));
  facts.peer = Name(borrowed, reinterpret_cast<GetName*>(getpeername));
  close(borrowed);
  return facts;
}

}  // namespace truefork::trace
