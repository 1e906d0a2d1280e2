#include "server/limits/rlimits.h"

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

// SIGXCPU comes at the limit, SIGKILL this many seconds later: for one that has a listener and goes on.
constexpr uint64_t kCpuGrace = 1;

// Private memory that can be written to, in bytes: what RLIMIT_DATA counts (proc(5), VmData).
uint64_t DataSize() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmData:", 0) == 0) return std::stoull(line.substr(7)) * 1024;
  }
  return 0;
}

void Require(bool succeeded, const char* what) {
  if (succeeded) return;
  const std::string line = std::string("truefork: ") + what + ": " + strerror(errno) + "\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
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

void Resources::Set(const protocol::ResourcesCommand& given) {
  given_ = given;
  MeasureMemory();
}

void Resources::MeasureMemory() {
  if (CapsMemory()) zygotesData_ = DataSize();
}

void Resources::Limit(OfWhat child) const {
  using namespace protocol;
  if (Has(kCpu)) SetLimit(RLIMIT_CPU, given_.cpuSeconds, given_.cpuSeconds + kCpuGrace, "RLIMIT_CPU");
  if (Has(kOpenFiles)) SetLimit(RLIMIT_NOFILE, given_.openFiles, given_.openFiles, "RLIMIT_NOFILE");
  if (Has(kCore)) SetLimit(RLIMIT_CORE, given_.core, given_.core, "RLIMIT_CORE");
  const uint64_t data = given_.memory + (child == OfWhat::Copy ? zygotesData_ : 0);
  if (Has(kMemory)) SetLimit(RLIMIT_DATA, data, data, "RLIMIT_DATA");
  if (Has(kNice)) Require(setpriority(PRIO_PROCESS, 0, given_.nice) == 0, "setpriority");
  if (Has(kOomScoreAdj)) SetOomScoreAdj(given_.oomScoreAdj);
}

bool Resources::IsOutOfCpu(int status, uint64_t cpuUs) const {
  if (!Has(protocol::kCpu) || !WIFSIGNALED(status)) return false;
  if (WTERMSIG(status) == SIGXCPU) return true;
  // The limit is held by counting ticks, of which a virtual machine may have lost some that the record of
  // what was used does not have: up to a quarter is given.
  return WTERMSIG(status) == SIGKILL && cpuUs * 4 >= given_.cpuSeconds * 3'000'000;
}

}  // namespace truefork
