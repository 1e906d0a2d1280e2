#include "server/program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "fork/signals.h"
#include "isolation/parent_death.h"
#include "support/faults.h"
#include "support/raw_syscall.h"

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

// The kernel's own, where it differs from the C library's (sigaction(2), "C library/kernel differences").
constexpr size_t kKernelSetSize = 8;
constexpr char kZeros[64] = {};  // a struct sigaction of SIG_DFL, and an empty set of signals

// So many children may be on their way at a time without being waited for.
constexpr size_t kLaunches = 64;

}  // namespace

// What one child needs on its way from clone(2) to execve(2). Nothing of it may change before it is there.
struct Launch {
  const char* path;
  char* const* argv;
  char* const* envp;
  const int* signalsToReset;             // ends with 0
  const std::function<void()>* inChild;  // or null
  int connection;
  Slot* slot;
  pid_t parent;
  std::atomic<int> underWay{0};  // the kernel clears it: set_tid_address(2)

  pid_t child = 0;
  std::vector<std::string> described;
  std::vector<char*> environment;
  alignas(16) char stack[32 * 1024];
};

namespace {

// Runs in the child, in its parent's memory, while the parent goes on: nothing but system calls, for all that
// the C library keeps, errno too, is the parent's, and no word written but to the slot.
__attribute__((no_sanitize_address)) int BecomeProgram(void* given) {
  auto* launch = static_cast<Launch*>(given);
  RawSyscall(SYS_set_tid_address, RawPointer(&launch->underWay));
  DieWithParent(launch->parent);
  if (launch->inChild != nullptr) (*launch->inChild)();
  RawSyscall(SYS_dup3, launch->connection, STDIN_FILENO);
  RawSyscall(SYS_dup3, launch->connection, STDOUT_FILENO);
  // Handlers first, while every signal is blocked: one that ran here would run on the parent's variables.
  for (const int* signo = launch->signalsToReset; *signo != 0; signo++)
    RawSyscall(SYS_rt_sigaction, *signo, RawPointer(kZeros), 0, kKernelSetSize);
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, RawPointer(kZeros), 0, kKernelSetSize);
  const long result =
      RawSyscall(SYS_execve, RawPointer(launch->path), RawPointer(launch->argv), RawPointer(launch->envp));
  const int errnum = static_cast<int>(-result);
  launch->slot->execErrnum = errnum;
  for (;;) RawSyscall(SYS_exit_group, errnum == ENOENT || errnum == ENOTDIR ? 127 : 126);
}

}  // namespace

Program::Program(std::string path, std::vector<std::string> arguments, char** environment)
    : path_(std::move(path)), arguments_(std::move(arguments)), launches_(new Launch[kLaunches]) {
  for (std::string& argument : arguments_) argv_.push_back(argument.data());
  argv_.push_back(nullptr);
  for (char** variable = environment; *variable != nullptr; variable++) {
    if (!IsUcspi(*variable)) inherited_.push_back(*variable);
  }
  MarkDescriptorsForClosing();
}

Program::~Program() = default;

pid_t Program::Start(const Connection& connection, Slot* slot, const std::function<void()>& inChild) {
  if (const int errnum = faults::Take(faults::Call::Fork)) {
    errno = errnum;
    return -1;
  }
  // execve(2) resets handlers, but not what is ignored, as Node ignores SIGPIPE.
  if (signalsToReset_.empty()) {
    for (int signo = 1; signo < NSIG; signo++) {
      struct sigaction now;
      if (sigaction(signo, nullptr, &now) == 0 && now.sa_handler != SIG_DFL) signalsToReset_.push_back(signo);
    }
    signalsToReset_.push_back(0);
  }
  // inChild uses the C library, in which two cannot be at a time on the same thread-local memory: that child
  // is waited for, as by vfork(2). So is one that finds all the stacks taken.
  Launch* launch = inChild || !kHasRawSyscalls ? nullptr : FreeLaunch();
  const bool waits = launch == nullptr;
  if (waits) launch = &launches_[0];
  Describe(connection, launch);
  launch->path = path_.c_str();
  launch->argv = argv_.data();
  launch->envp = launch->environment.data();
  launch->signalsToReset = signalsToReset_.data();
  launch->inChild = inChild ? &inChild : nullptr;
  launch->connection = connection.fd;
  launch->slot = slot;
  launch->parent = getpid();
  launch->underWay = 1;
  // Its handlers would be run on our variables.
  AllSignalsBlocked untilItHasNoHandlers;
  // No page tables to copy, however big this process is: the child is the parent's own memory, on a stack of
  // its own.
  const int flags = CLONE_VM | SIGCHLD | (waits ? CLONE_VFORK : 0);
  launch->child = clone(BecomeProgram, launch->stack + sizeof launch->stack, flags, launch);
  if (launch->child < 0) launch->underWay = 0;
  return launch->child;
}

// The first is kept for one that is waited for.
Launch* Program::FreeLaunch() {
  for (size_t i = 1; i < kLaunches; i++) {
    if (launches_[i].underWay == 0) return &launches_[i];
  }
  return nullptr;
}

// One that was killed before its first step could not have its launch given back.
void Program::Forget(pid_t pid) {
  for (size_t i = 0; i < kLaunches; i++) {
    if (launches_[i].child == pid) launches_[i].underWay = 0;
  }
}

void Program::Describe(const Connection& connection, Launch* launch) const {
  std::vector<std::string>& described = launch->described;
  described.clear();
  const auto Set = [&](const char* name, const std::string& value) {
    described.push_back(name + ("=" + value));
  };
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
  launch->environment = inherited_;
  for (std::string& variable : described) launch->environment.push_back(variable.data());
  launch->environment.push_back(nullptr);
}

}  // namespace truefork
