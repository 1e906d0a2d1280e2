// Signals of the tracer's own process, as bytes in a pipe: a poll(2) sees them, and none comes between a test
// and a wait.
#pragma once

namespace truefork::trace {

class Wakeups {
 public:
  // From now on SIGCHLD wakes, and SIGINT, SIGTERM, SIGHUP, SIGQUIT ask to end or are left to the program.
  Wakeups();
  ~Wakeups();
  int fd() const { return read_; }
  // Empties the pipe.
  void Take() const;
  // SIGTERM or SIGHUP has come: the tracer itself is to end.
  static bool AskedToEnd();

 private:
  int read_ = -1;
};

}  // namespace truefork::trace
