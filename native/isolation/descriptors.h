// Descriptors that a process was started with and has no use for: what a launcher left open would otherwise
// be in every child, whatever user it becomes.
#pragma once

namespace truefork {

// Closes every descriptor from `first` on (close_range(2), or one by one where the kernel is older than 5.9).
void CloseDescriptorsFrom(int first);

// The same with FD_CLOEXEC for those that this process goes on using.
void CloseDescriptorsOnExecFrom(int first);

// Moves a descriptor out of the way of those that programs take for granted: to the highest free number below
// `limit`, with FD_CLOEXEC; the old number is closed. -1, and errno, where there is none.
int MoveDescriptorUp(int fd, int limit);

}  // namespace truefork
