// A group to each child: kill(0, …) of a child, or a shell's `trap 'kill 0' EXIT`, reaches what the child
// started and nothing else; and one signal reaches all of that.
#pragma once

#include <sys/types.h>

namespace truefork {

// In the child, first thing. Raw: it may share its parent's memory.
void LeadProcessGroup();

// In the parent, right after the fork. Both do it, for neither can know which of them runs first
// (setpgid(2)). A child that has ended, or executes a program already, has done it itself.
void MakeProcessGroup(pid_t child);

// To the child and all that stayed in its group. 0, or an errno.
int SignalProcessGroup(pid_t child, int signo);

}  // namespace truefork
