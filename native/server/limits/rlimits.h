// What a child may use of the machine: setrlimit(2), setpriority(2), /proc/PID/oom_score_adj (proc(5)).
#pragma once

#include <cstdint>

#include "protocol/messages.h"

namespace truefork {

class Resources {
 public:
  void Set(const protocol::ResourcesCommand& given);

  // A child's memory is counted from what the zygote has now, with which it begins.
  void MeasureMemory();

  // In the child. A limit that cannot be set is none: it says so on standard error, and ends.
  bool Any() const { return given_.set != 0; }
  enum class OfWhat { Copy, Program };  // of the zygote, with all its memory; or what begins with none
  void Limit(OfWhat child) const;

  // Whether a child that ended so was ended for what it used; memory it says itself.
  bool CapsMemory() const { return Has(protocol::kMemory); }
  bool IsOutOfCpu(int status, uint64_t cpuUs) const;

 private:
  bool Has(protocol::Resource resource) const { return (given_.set & resource) != 0; }

  protocol::ResourcesCommand given_{};
  uint64_t zygotesData_ = 0;  // bytes
};

}  // namespace truefork
