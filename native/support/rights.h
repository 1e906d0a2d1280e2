// Descriptors on their way to another process, as ancillary data of a message (unix(7), SCM_RIGHTS).
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace truefork::rights {

constexpr size_t kMost = 253;  // SCM_MAX_FD of the kernel

// Sends bytes, at least one, and descriptors with them, which stay the caller's as well. How many bytes were
// sent; -1, and errno.
ssize_t Send(int socket, const void* bytes, size_t size, const int* fds, size_t count);

// Waits for bytes and takes the descriptors that come with them, up to `*count`, which becomes how many there
// were. How many bytes came, 0 when there will be none; -1, and errno.
ssize_t Receive(int socket, void* bytes, size_t size, int* fds, size_t* count);

}  // namespace truefork::rights
