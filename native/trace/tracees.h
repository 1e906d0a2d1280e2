// The table of what is traced: processes, and the state of each of their threads.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "trace/calls.h"

namespace truefork::trace {

struct Image;  // image.h

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  int threads = 0;
  bool stopped = false;
  // The same for what was forked from it; the tracer keeps it.
  const Image* image = nullptr;
};

// Memory of the program that a shortened call had changed.
struct Patch {
  uint64_t address;
  uint64_t before;
};

struct Thread {
  pid_t tid = 0;
  Process* process = nullptr;  // nullptr: its first stop came before its parent's fork event
  bool inCall = false;
  bool isThreadClone = false;
  uint16_t call = kNoCall;
  uint64_t arguments[6] = {};
  // What an intervention has to do at the exit of the call.
  int changedArgument = -1;
  std::vector<Patch> patches;
  // Where a script says that it is, until it says otherwise.
  std::string location;
  // A watched handler is running, of this signal.
  int stepping = 0;
  std::vector<std::string> reported;
};

class Tracees {
 public:
  Thread* Find(pid_t tid);
  Thread& Add(pid_t tid);
  Process& AddProcess(pid_t pid, pid_t parent);
  Process* FindProcess(pid_t pid);
  void Attach(Thread& thread, Process& process);
  // The thread is gone; its process, too, if `tid` is the process's own.
  void Remove(pid_t tid);
  // exec by another thread than the first: that one goes on under the process's ID, and all others are gone.
  void Rename(pid_t from, pid_t to);

  bool empty() const { return threads_.empty(); }
  size_t processes() const { return processes_.size(); }
  std::vector<pid_t> ProcessIds() const;
  // A process or thread of the program, be it one that has ended and is a zombie.
  bool Knows(pid_t id) const { return threads_.count(id) != 0 || gone_.count(id) != 0; }

 private:
  std::unordered_map<pid_t, std::unique_ptr<Thread>> threads_;
  std::unordered_map<pid_t, std::unique_ptr<Process>> processes_;
  std::unordered_set<pid_t> gone_;
};

}  // namespace truefork::trace
