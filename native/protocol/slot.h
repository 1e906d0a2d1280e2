// What only a child knows about its connection, and the zygote needs: one slot of shared memory, which the
// child writes and the zygote reads. That takes no system call and no lock, and what a child wrote last
// outlives it.
//
// The zygote believes none of it unchecked: a child can write anything here. Each field can therefore be read
// whatever its bytes are, and the worst that a child achieves is a wrong number in its own records.
#pragma once

#include <atomic>
#include <cstdint>

#include "support/time.h"

namespace truefork {

// A cache line each, because children on other cores write to the neighbours.
struct alignas(64) Slot {
  std::atomic<Time> lastActivity{Time{}};  // when bytes last moved; the clock's zero: the child does not say
  std::atomic<uint64_t> bytesIn{0};
  std::atomic<uint64_t> bytesOut{0};
  std::atomic<uint32_t> outOfMemory{0};  // not 0: an allocation failed
  std::atomic<int> execErrnum{0};        // not 0: why execve(2) failed
  std::atomic<uint32_t> replacedFor{0};  // rollback::Reason, of a worker that could not be rolled back
};

}  // namespace truefork
