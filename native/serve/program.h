// Any program as handler, as inetd and tcpserver have it: the connection is its standard input and output,
// and its environment tells who is there, as UCSPI says (cr.yp.to/proto/ucspi.txt, and ucspi-unix for Unix
// sockets).
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "serve/connection.h"

namespace truefork {

class Program {
 public:
  // The file to execute, its arguments from argv[0] on, and the environment that it gets besides.
  Program(std::string path, std::vector<std::string> arguments, char** environment);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // As Fork(): the child's pid, or -1 with errno set. A child that could not execute the program has *failure
  // set to the errno, and exits as a shell's would: with 127 where there is no such file, else with 126.
  // inChild runs in the child, where nothing may be left behind in memory: it is still the parent's.
  pid_t Start(const Connection& connection, const std::function<void()>& inChild, int* failure);

 private:
  // What is in the environment of one connection. A child borrows its parent's memory until it is the
  // program: all that it needs has to be there before.
  void Describe(const Connection& connection);
  void Set(const char* name, const std::string& value) { described_.push_back(name + ("=" + value)); }

  std::string path_;
  std::vector<std::string> arguments_;
  std::vector<char*> argv_;
  std::vector<char*> inherited_;
  std::vector<std::string> described_;
  std::vector<char*> envp_;
  std::vector<int> signalsToReset_;
};

}  // namespace truefork
