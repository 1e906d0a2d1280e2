// The descriptors that Node opened for itself.
#pragma once

namespace truefork {

// A descriptor that stands for no file, pipe, socket or device: an epoll, an eventfd and the like.
bool IsAnonymousInode(int fd);

// Whether it belongs to one of Node's event loops, which aborts without it.
bool BelongsToEventLoop(int fd);

// Node marks the descriptors that it was started with FD_CLOEXEC. Takes that back, for another program is
// about to be executed in this process.
void KeepDescriptorsOverExec();

}  // namespace truefork
