// What the kernel keeps for a process, put back to what it was at the mark, or found to be as it was.
// docs/rollback.md lists each item with its way.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>

#include "rollback/outside.h"
#include "rollback/reason.h"

namespace truefork::rollback {

// The files of /proc that are read after each connection, opened while they can be.
struct ProcFiles {
  int maps = -1;
  int pagemap = -1;
  int statm = -1;
  int epoll = -1;  // fdinfo of the event loop's
  int oomScoreAdj = -1;
};

class KernelState {
 public:
  // What belongs to the event loop, and is emptied: its wake-up descriptor, its signal pipe.
  static constexpr size_t kMostDrained = 8;

  // In the worker, before the mark; with malloc and all. Opens /proc's files in `procFolder`, which a chroot
  // may have put out of reach. False where something that is needed is missing.
  bool Prepare(int procFolder, int epollFd, const int* drained, size_t drainedCount);
  const ProcFiles& files() const { return files_; }

  // At the mark, with all signals blocked; `mask` is the one to come back to.
  bool Capture(uint64_t mask);

  // After a connection, with all signals blocked. First what clients wait for: their descriptors are closed.
  Reason RestoreDescriptors();
  Reason RestoreRest();
  // Last of all: signals are delivered again.
  void RestoreSignalMask() const;

 private:
  struct Descriptor {
    int fd;
    int copy;  // keeps the description alive, and says which it was
    int flags;
    int closeOnExec;
  };
  struct SignalAction {
    uint64_t words[4];
  };
  struct RLimit {
    uint64_t soft, hard;
  };
  struct Gap {
    unsigned first, last;
  };
  struct SchedulingAttributes {
    uint32_t size;
    uint32_t words[13];
  };

  bool FindDescriptors();
  bool CopyDescriptors();
  void CaptureSettings();
  Reason RestoreSignals();
  Reason RestoreResourceLimits();
  Reason RestoreLimits();
  Reason RestoreSettings();
  Reason CheckIdentity();
  Reason CheckProcesses();
  int ProbeTimer() const;
  size_t ReadEpollSet(char* into, size_t room) const;

  ProcFiles files_;
  Array<Descriptor, 512> descriptors_;
  Array<Gap, 514> gaps_;
  int drained_[kMostDrained];
  size_t drainedCount_ = 0;
  int folder_ = -1;
  uint64_t mask_ = 0;
  SignalAction actions_[64];
  RLimit limits_[RLIM_NLIMITS];
  SchedulingAttributes scheduling_;
  uint64_t affinity_[128];
  long affinitySize_;
  long ioPriority_;
  uint32_t ids_[6];
  uint32_t groups_[64];
  long groupCount_;
  uint32_t capabilities_[6];
  long session_, group_, umask_, personality_;
  long settings_[16];
  char name_[16];
  char epollSet_[4096];
  size_t epollSetSize_ = 0;
  long alternateStack_[3];
  int timer_ = -1;
  bool canUnshare_ = false;
  rusage children_;
};

}  // namespace truefork::rollback
