// What processes have started, and the end of it. A process escapes its group with one call of setsid(2); its
// place in the tree it cannot choose: where its ancestor is a subreaper (prctl(2)), an orphan stays beneath
// it.
#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

namespace truefork {

// Orphaned descendants of this process become its children. Not inherited: each process has to say so for
// itself. Raw: it may run in a child that shares its parent's memory.
void MakeSubreaper();

class ProcessTree {
 public:
  // Opens /proc while it can be seen: the root may be another later. False from ok() where there is none.
  ProcessTree();
  ~ProcessTree();
  ProcessTree(const ProcessTree&) = delete;
  ProcessTree& operator=(const ProcessTree&) = delete;

  bool ok() const { return proc_ >= 0; }

  // Ended ones that have not been waited for among them.
  std::vector<pid_t> ChildrenOf(pid_t pid) const;
  // Of this process: those that its main thread started, and orphans, which the kernel gives to that thread.
  std::vector<pid_t> OwnChildren() const;

  // Everything beneath, not the process itself.
  std::vector<pid_t> DescendantsOf(pid_t pid) const;

  // Stops the process and all beneath it, and looks again until nothing new is there: what is stopped starts
  // nothing, and waits for nothing, so that no pid seen here is given to another process meanwhile. Then
  // kills all. Returns the processes that refused both, as those of another user do.
  std::vector<pid_t> Kill(pid_t root) const;

  // Ends the children of this process that `isKnown` does not know, which are what children that have ended
  // left behind, and all beneath them. They are not waited for. Returns how many refused.
  size_t KillOrphans(const std::function<bool(pid_t)>& isKnown) const;

  void CloseDescriptor();

 private:
  std::vector<pid_t> ChildrenByParent(pid_t parent) const;

  int proc_ = -1;
  mutable bool hasChildrenFiles_ = true;
};

}  // namespace truefork
