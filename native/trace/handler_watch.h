// Follows a signal handler instruction by instruction, for the functions it calls that are not
// async-signal-safe.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "trace/tracees.h"

namespace truefork::trace {

class HandlerWatch {
 public:
  explicit HandlerWatch(std::vector<std::string> functions) : functions_(std::move(functions)) {}

  // The thread is about to run the handler of this signal: it is to be stepped.
  void Begin(Thread& thread, int signal);
  // The function at whose first instruction the thread stands, once for each run of the handler; or empty.
  std::string Look(Thread& thread);
  // A handler that never returns (siglongjmp(3)) must not be stepped for ever.
  bool IsTooLong(Thread& thread);

 private:
  using Functions = std::unordered_map<uint64_t, std::string>;
  const Functions& FunctionsOf(const std::string& path);
  Functions Locate(pid_t pid);

  const std::vector<std::string> functions_;
  std::unordered_map<std::string, Functions> files_;
  std::unordered_map<pid_t, Functions> threads_;
  std::unordered_map<pid_t, uint32_t> steps_;
};

}  // namespace truefork::trace
