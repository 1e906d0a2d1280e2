// What keeps each child apart from its siblings and the zygote, and ends what it leaves running. The parts
// are those of isolation/; this puts them into the life of a child.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "isolation/confinement.h"
#include "isolation/process_tree.h"
#include "isolation/uid_range.h"
#include "speed/arena.h"
#include "support/time.h"

namespace truefork {

class ChildIsolation {
 public:
  struct Options {
    bool endsLeftovers = false;
    ConfinementRules confinement;
    std::optional<UidRange> users;  // with confinement.sandbox->ownUser
    bool isBestEffort = false;      // serves with what holds
  };

  explicit ChildIsolation(Options options) : options_(std::move(options)) {}

  // In the zygote, before privileges are dropped: the parts that were required and do not hold. With
  // endsLeftovers, the zygote adopts orphans from here on. Processes that it started itself until then are
  // left alone.
  std::vector<Failure> Prepare();
  // Right before the first fork: what the zygote enters once for all children. 0, or an errno.
  int EnterOnce() const { return confinement_.EnterOnce(); }

  uint32_t holds() const { return confinement_.holds(); }
  bool EndsLeftovers() const { return options_.endsLeftovers; }
  const ProcessTree& tree() const { return tree_; }

  // A user for the next child; 0 where children have the zygote's. False, with errno set, where all are in
  // use.
  bool TakeUser(uint32_t* uid);
  void ReleaseUser(uint32_t uid);

  // In the child, first of all: its group, its confinement, and its end with the zygote. Raw system calls
  // only, so it may run in a child that shares its parent's memory. A child that cannot be confined says so
  // on standard error and exits.
  void Enter(pid_t zygote, uint32_t uid) const;

  // In the zygote, after the fork.
  void OnStarted(pid_t pid, uint32_t uid);
  void OnEnded(pid_t pid, Time now);

  // When to look for what children that have ended left running.
  Deadline NextDeadline() const { return sweepAt_; }
  // Kills it. `isChild` knows the children that live.
  void Enforce(Time now, const std::function<bool(pid_t)>& isChild);

  // The server has no owner any more: kills what is left beneath the zygote, as far as that is its to end.
  void EndAll();

  // In a child that was forked.
  void CloseDescriptors() { tree_.CloseDescriptor(); }

 private:
  Options options_;
  Confinement confinement_;
  ProcessTree tree_;
  std::vector<pid_t> zygotesOwn_;
  arena::UnorderedMap<pid_t, uint32_t> users_;
  Deadline sweepAt_;
  Time sweptAt_{};
  Duration pause_{0};  // until the next look, where one found something
};

}  // namespace truefork
