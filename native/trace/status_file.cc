#include "trace/status_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

namespace truefork::trace {

namespace {

bool HasBit(const std::string& status, const char* field, int signal) {
  const size_t at = status.find(field);
  if (at == std::string::npos) return false;
  const unsigned long long mask = strtoull(status.c_str() + at + std::string(field).size(), nullptr, 16);
  return (mask >> (signal - 1) & 1) != 0;
}

}  // namespace

Disposition DispositionIn(const std::string& status, int signal) {
  if (HasBit(status, "\nSigCgt:", signal)) return Disposition::Handler;
  return HasBit(status, "\nSigIgn:", signal) ? Disposition::Ignored : Disposition::Default;
}

Disposition DispositionOf(pid_t tid, int signal) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/status", tid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Disposition::Default;
  std::string status(8192, '\0');
  const ssize_t length = read(fd, status.data(), status.size());
  close(fd);
  status.resize(length > 0 ? static_cast<size_t>(length) : 0);
  return DispositionIn(status, signal);
}

}  // namespace truefork::trace
