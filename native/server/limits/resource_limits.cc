#include "server/limits/resource_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "support/libc.h"

namespace truefork {

namespace {

// SIGXCPU comes at the soft limit, SIGKILL this many seconds later, at the hard one: a child that handles
// SIGXCPU could otherwise go on.
constexpr uint64_t kCpuGrace = 1;

// Private writable memory in bytes, which is what RLIMIT_DATA counts (proc(5), VmData).
uint64_t DataSize() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmData:", 0) == 0) return std::stoull(line.substr(7)) * 1024;
  }
  return 0;
}

void Require(bool succeeded, const char* what) {
  if (succeeded) return;
  dprintf(STDERR_FILENO, "truefork: %s: %s\n", what, strerror(errno));
  _exit(EX_OSERR);
}

void SetLimit(RLimitResource resource, uint64_t soft, uint64_t hard, const char* what) {
  const rlimit limit{soft, hard};
  Require(setrlimit(resource, &limit) == 0, what);
}

void SetOomScoreAdj(int value) {
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  const std::string text = std::to_string(value);
  Require(fd >= 0 && write(fd, text.data(), text.size()) == ssize_t(text.size()), "oom_score_adj");
  close(fd);
}

}  // namespace

void ResourceLimits::Set(const protocol::ResourcesCommand& given) {
  given_ = given;
  MeasureMemory();
}

void ResourceLimits::MeasureMemory() {
  if (Has(protocol::kMemory)) zygoteData_ = DataSize();
}

void ResourceLimits::Apply(Child child) const {
  using namespace protocol;
  if (Has(kCpu)) SetLimit(RLIMIT_CPU, given_.cpuSeconds, given_.cpuSeconds + kCpuGrace, "RLIMIT_CPU");
  if (Has(kOpenFiles)) SetLimit(RLIMIT_NOFILE, given_.openFiles, given_.openFiles, "RLIMIT_NOFILE");
  if (Has(kCore)) SetLimit(RLIMIT_CORE, given_.core, given_.core, "RLIMIT_CORE");
  const uint64_t data = given_.memory + (child == Child::Fork ? zygoteData_ : 0);
  if (Has(kMemory)) SetLimit(RLIMIT_DATA, data, data, "RLIMIT_DATA");
  if (Has(kNice)) Require(setpriority(PRIO_PROCESS, 0, given_.nice) == 0, "setpriority");
  if (Has(kOomScoreAdj)) SetOomScoreAdj(given_.oomScoreAdj);
}

protocol::Limit ResourceLimits::CauseOfEnd(int status, const rusage& usage, bool isOutOfMemory) const {
  if (IsOutOfCpu(status, usage)) return protocol::Limit::Cpu;
  // A child that coped without the memory, and ended well, was not ended by the limit.
  if (status != 0 && isOutOfMemory && Has(protocol::kMemory)) return protocol::Limit::Memory;
  return protocol::Limit::None;
}

bool ResourceLimits::IsOutOfCpu(int status, const rusage& usage) const {
  if (!Has(protocol::kCpu) || !WIFSIGNALED(status)) return false;
  if (WTERMSIG(status) == SIGXCPU) return true;
  // The kernel enforces the limit by counting clock ticks, and measures usage otherwise. On a virtual machine
  // that loses ticks the two differ, so a SIGKILL within a quarter of the limit counts as its.
  const double used = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
                      1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  return WTERMSIG(status) == SIGKILL && used * 4 >= given_.cpuSeconds * 3.0;
}

}  // namespace truefork
