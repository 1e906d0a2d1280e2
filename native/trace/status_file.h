// What /proc/PID/status says of a thread's signals (proc(5)).
#pragma once

#include <sys/types.h>

#include <string>

#include "trace/records.h"

namespace truefork::trace {

Disposition DispositionOf(pid_t tid, int signal);

// Of the text of such a file. Default where it says nothing.
Disposition DispositionIn(const std::string& status, int signal);

}  // namespace truefork::trace
