// The resource limits of a child: setrlimit(2), setpriority(2), /proc/PID/oom_score_adj (proc(5)).
#pragma once

#include <sys/resource.h>

#include <cstdint>

#include "protocol/messages.h"

namespace truefork {

class ResourceLimits {
 public:
  void Set(const protocol::ResourcesCommand& given);

  // A fork begins with the zygote's memory, so its limit is counted from there: measures what that is now.
  void MeasureMemory();

  // In the child. Where a limit cannot be set, the child reports that on standard error and exits: it must
  // not serve without.
  bool Any() const { return given_.set != 0; }
  enum class Child { Fork, Program };  // begins with the zygote's memory, or with none
  void Apply(Child child) const;

  // Which of these limits ended a child, if one did. `isOutOfMemory` is what the child itself says.
  protocol::Limit CauseOfEnd(int status, const rusage& usage, bool isOutOfMemory) const;

 private:
  bool Has(protocol::Resource resource) const { return (given_.set & resource) != 0; }
  bool IsOutOfCpu(int status, const rusage& usage) const;

  protocol::ResourcesCommand given_{};
  uint64_t zygoteData_ = 0;  // bytes
};

}  // namespace truefork
