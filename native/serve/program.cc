#include "serve/program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "fork/pact.h"
#include "fork/signals.h"
#include "support/faults.h"

namespace truefork {

namespace {

// What UCSPI tells of a connection. One that it cannot tell has to be unset: it would be some other
// connection's.
const char* const kUcspi[] = {"PROTO",          "TCPLOCALIP",     "TCPLOCALPORT",  "TCPLOCALHOST",
                              "TCPREMOTEIP",    "TCPREMOTEPORT",  "TCPREMOTEHOST", "TCPREMOTEINFO",
                              "UNIXLOCALPATH",  "UNIXLOCALUID",   "UNIXLOCALGID",  "UNIXLOCALPID",
                              "UNIXREMOTEEUID", "UNIXREMOTEEGID", "UNIXREMOTEPID"};

bool IsUcspi(const char* variable) {
  for (const char* name : kUcspi) {
    const size_t length = strlen(name);
    if (strncmp(variable, name, length) == 0 && variable[length] == '=') return true;
  }
  return false;
}

// Every descriptor but the standard ones goes when the program is executed. What the loop opens later is made
// so. Node marks standard error, too (uv_disable_stdio_inheritance).
void MarkDescriptorsForClosing() {
  fcntl(STDERR_FILENO, F_SETFD, 0);
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return;
  while (const dirent* entry = readdir(folder)) {
    const int fd = atoi(entry->d_name);
    if (fd > STDERR_FILENO) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  closedir(folder);
}

struct Launch {
  const char* path;
  char* const* argv;
  char* const* envp;
  const std::vector<int>* signalsToReset;
  const std::function<void()>* inChild;
  int connection;
  pid_t parent;
  int failure;
};

// Runs in the child, in its parent's memory, while the parent waits (vfork(2)): nothing but system calls, and
// no word written that the parent would miss, but for `failure`.
__attribute__((no_sanitize_address)) int BecomeProgram(void* given) {
  auto* launch = static_cast<Launch*>(given);
  DieWithParent(launch->parent);
  (*launch->inChild)();
  dup2(launch->connection, STDIN_FILENO);
  dup2(launch->connection, STDOUT_FILENO);
  // Handlers first, while every signal is blocked: one that ran here would run on the parent's variables.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (const int signo : *launch->signalsToReset) sigaction(signo, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(launch->path, launch->argv, launch->envp);
  launch->failure = errno;
  _exit(errno == ENOENT || errno == ENOTDIR ? 127 : 126);
}

alignas(64) char stack[64 * 1024];  // of the one child that is on its way

}  // namespace

Program::Program(std::string path, std::vector<std::string> arguments, char** environment)
    : path_(std::move(path)), arguments_(std::move(arguments)) {
  for (std::string& argument : arguments_) argv_.push_back(argument.data());
  argv_.push_back(nullptr);
  for (char** variable = environment; *variable != nullptr; variable++) {
    if (!IsUcspi(*variable)) inherited_.push_back(*variable);
  }
  MarkDescriptorsForClosing();
}

pid_t Program::Start(const Connection& connection, const std::function<void()>& inChild, int* failure) {
  if (const int errnum = faults::Take(faults::Call::Fork)) {
    errno = errnum;
    return -1;
  }
  Describe(connection);
  // execve(2) resets handlers, but not what is ignored, as Node ignores SIGPIPE.
  if (signalsToReset_.empty()) {
    for (int signo = 1; signo < NSIG; signo++) {
      struct sigaction now;
      if (sigaction(signo, nullptr, &now) == 0 && now.sa_handler != SIG_DFL) signalsToReset_.push_back(signo);
    }
  }
  Launch launch{path_.c_str(), argv_.data(),  envp_.data(), &signalsToReset_,
                &inChild,      connection.fd, getpid(),     0};
  AllSignalsBlocked untilItIsTheProgram;
  // No page tables to copy, however big this process is: the child is the parent's own memory, on a stack of
  // its own, and the parent waits until it is the program.
  const pid_t pid = clone(BecomeProgram, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &launch);
  *failure = launch.failure;
  return pid;
}

void Program::Describe(const Connection& connection) {
  described_.clear();
  if (connection.local.family() == AF_UNIX) {
    Set("PROTO", "UNIX");
    Set("UNIXLOCALPATH", connection.local.Text());
    Set("UNIXLOCALUID", std::to_string(geteuid()));
    Set("UNIXLOCALGID", std::to_string(getegid()));
    ucred peer{};
    socklen_t length = sizeof peer;
    if (getsockopt(connection.fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0) {
      Set("UNIXREMOTEEUID", std::to_string(peer.uid));
      Set("UNIXREMOTEEGID", std::to_string(peer.gid));
      Set("UNIXREMOTEPID", std::to_string(peer.pid));
    }
  } else {
    Set("PROTO", "TCP");
    Set("TCPLOCALIP", connection.local.Unmapped().Text());
    Set("TCPLOCALPORT", std::to_string(connection.local.Port()));
    Set("TCPREMOTEIP", connection.peer.Unmapped().Text());
    Set("TCPREMOTEPORT", std::to_string(connection.peer.Port()));
  }
  envp_ = inherited_;
  for (std::string& variable : described_) envp_.push_back(variable.data());
  envp_.push_back(nullptr);
}

}  // namespace truefork
