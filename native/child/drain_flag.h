// "Finish": what children are told when their server stops, or is replaced by another that has newer code. It
// is a signal, and a flag for those who were not listening yet.
#pragma once

#include <signal.h>

namespace truefork {

// Of the signals that need no listener, for their default action is none, the one that nothing else sends:
// SIGWINCH, which Apache's httpd takes, is Node's own where standard output is a terminal.
constexpr int kFinishSignal = SIGURG;

// One page that a server shares with all its children.
class Notice {
 public:
  // False where the page cannot be had; errno tells why. To be called before the first child.
  static bool Prepare();
  static void Give();
  static bool WasGiven();
};

}  // namespace truefork
