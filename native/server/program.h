// Any program as handler, as inetd and tcpserver have it: the connection is its standard input and output,
// and its environment tells who is there, as UCSPI says (cr.yp.to/proto/ucspi.txt, and ucspi-unix for Unix
// sockets).
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/connection.h"
#include "server/limits/slots.h"

namespace truefork {

struct Launch;

class Program {
 public:
  // The file to execute, its arguments from argv[0] on, and the environment that it gets besides.
  Program(std::string path, std::vector<std::string> arguments, char** environment);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // As Fork(): the child's pid, or -1 with errno set. A child that could not execute the program leaves the
  // errno in its slot, and exits as a shell's would: with 127 where there is no such file, else with 126.
  // inChild, if any, runs in the child, where nothing may be left behind in memory: it is still the parent's.
  pid_t Start(const Connection& connection, Slot* slot, const std::function<void()>& inChild);

  // This child has been waited for.
  void Forget(pid_t pid);

 private:
  // What is in the environment of one connection. A child borrows its parent's memory until it is the
  // program: all that it needs has to be there before.
  void Describe(const Connection& connection, Launch* launch) const;
  Launch* FreeLaunch();

  std::string path_;
  std::vector<std::string> arguments_;
  std::vector<char*> argv_;
  std::vector<char*> inherited_;
  std::vector<int> signalsToReset_;  // ends with 0
  std::unique_ptr<Launch[]> launches_;
};

}  // namespace truefork
