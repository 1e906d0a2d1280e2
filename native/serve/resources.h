// What a child may use of the machine: setrlimit(2), setpriority(2), /proc/PID/oom_score_adj (proc(5)).
#pragma once

#include <cstdint>

#include "serve/protocol.h"

namespace truefork {

class Resources {
 public:
  // Memory is counted from what the zygote has now, which a child begins with.
  void Set(const protocol::ResourcesCommand& given);

  // In the child. A limit that cannot be set is none: it says so on standard error, and ends.
  void Limit() const;

  // Whether a child that ended so was ended for what it used; memory it says itself.
  bool CapsMemory() const { return Has(protocol::kMemory); }
  bool IsOutOfCpu(int status, uint64_t cpuUs) const;

 private:
  bool Has(protocol::Resource resource) const { return (given_.set & resource) != 0; }

  protocol::ResourcesCommand given_{};
  uint64_t dataLimit_ = 0;  // bytes
};

}  // namespace truefork
