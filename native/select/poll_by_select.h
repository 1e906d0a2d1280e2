#pragma once

#include <poll.h>

#include <vector>

namespace truefork {

// poll(2) made of select(2): negative descriptors are passed over, and POLLIN and POLLOUT are all there is.
// Descriptors have to be below FD_SETSIZE.
int PollBySelect(std::vector<pollfd>& fds, int timeout);

}  // namespace truefork
