// Starts the program, stopped in front of its first instruction until the tracer has seized it.
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace truefork::trace {

struct Program {
  std::string file;  // looked for in the PATH of `environment` if it has no slash
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::string folder;  // empty: this process's own
  bool newSession = true;
};

class Launch {
 public:
  // Forks. The child waits. False with an errno where that fails.
  bool Start(const Program& program, const std::vector<sock_filter>& filter);
  pid_t pid() const { return pid_; }
  // Lets the child install its filter and execute the program.
  void Release();
  // Where that failed, once the child has ended: the errno and the step; 0 where it did not.
  int Failure(std::string* step);
  ~Launch();

 private:
  pid_t pid_ = -1;
  int release_ = -1;
  int report_ = -1;
};

}  // namespace truefork::trace
