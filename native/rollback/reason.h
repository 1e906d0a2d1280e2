// Why a worker was replaced by a fresh fork, and not rolled back. lib/wire/protocol.ts has the names.
#pragma once

#include <cstdint>

namespace truefork::rollback {

enum class Reason : uint32_t {
  None = 0,
  Unsupported = 1,  // the machine, the kernel or its settings lack what a rollback needs
  Threads = 2,      // a thread was started: libuv's pool, a Worker
  Children = 3,     // a process was forked or spawned
  Descriptors = 4,  // an inherited descriptor cannot be put back, or what waits on it
  Signals = 5,      // a signal waits to be delivered, or a handler cannot be put back
  Ids = 6,          // user, group, capabilities
  Limits = 7,       // resource limits, priority, scheduling
  Session = 8,      // session or process group
  Security = 9,     // seccomp, no_new_privs, namespaces, the root folder
  Timers = 10,      // timer_create(2)
  Mappings = 11,    // shared memory, or a mapping that cannot be put back
  Memory = 12,      // more pages were written than are worth copying
  Verify = 13,      // TRUEFORK_ROLLBACK=verify found a difference
};
constexpr uint32_t kReasons = 14;

}  // namespace truefork::rollback
