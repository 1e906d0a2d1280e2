// How children learn that their server drains, because it stops or a zygote with newer code replaces it: by a
// signal, and by a flag for those that were not listening for the signal yet.
#pragma once

#include <signal.h>

namespace truefork {

// SIGURG is ignored by default, so that it ends no child without a listener, and nothing else sends it.
// SIGWINCH, which Apache's httpd uses for this, is sent to Node by terminals.
constexpr int kFinishSignal = SIGURG;

// One page that a server shares with all its children, which can only read it. There is one in a process.
class DrainFlag {
 public:
  // To be called before the first child is forked. False, with errno set, where the page cannot be made.
  static bool Create();
  static void Set();
  static bool IsSet();
};

}  // namespace truefork
