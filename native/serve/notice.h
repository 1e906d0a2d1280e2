// "Finish": what children are told when their server stops, or is replaced by another that has newer code. It is a
// signal, and a flag for those who were not listening yet.
#pragma once

#include <signal.h>

namespace truefork {

// As Apache's httpd has it for its graceful stop: a signal that nobody need listen to, for its default action is none.
constexpr int kFinishSignal = SIGWINCH;

// One page that a server shares with all its children.
class Notice {
 public:
  // False where the page cannot be had; errno tells why. To be called before the first child.
  static bool Prepare();
  static void Give();
  static bool WasGiven();
};

}  // namespace truefork
