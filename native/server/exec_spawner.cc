#include "server/exec_spawner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "fork/signals.h"
#include "isolation/parent_death.h"
#include "support/assert.h"
#include "support/faults.h"
#include "support/raw_syscall.h"

namespace truefork {

namespace {

// The variables of UCSPI. Those that do not apply to a connection have to be unset: inherited ones would
// describe some other connection.
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

// The loop opens all descriptors with O_CLOEXEC; what was open before it is marked here. Node marks standard
// error, too, which the program is to have (uv_disable_stdio_inheritance).
void MarkDescriptorsCloseOnExec() {
  fcntl(STDERR_FILENO, F_SETFD, 0);
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return;
  while (const dirent* entry = readdir(folder)) {
    const int fd = atoi(entry->d_name);
    if (fd > STDERR_FILENO) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  closedir(folder);
}

// The kernel's own sizes, which differ from the C library's (sigaction(2), "C library/kernel differences").
constexpr size_t kKernelSetSize = 8;
constexpr char kZeros[64] = {};  // a struct sigaction of SIG_DFL, and an empty set of signals

// How many children may be between clone(2) and execve(2) at the same time while the zygote goes on.
constexpr size_t kLaunches = 64;

}  // namespace

// What one child needs between clone(2) and execve(2). It must not change while the child is on its way.
struct Launch {
  const char* path;
  char* const* argv;
  char* const* envp;
  const int* signalsToReset;     // ends with 0
  const ResourceLimits* limits;  // or null
  const ChildIsolation* isolation;
  uint32_t uid;
  int connection;
  Slot* slot;
  pid_t parent;
  std::atomic<int> isUnderWay{
      0};  // the kernel clears it when the child leaves this memory: set_tid_address(2)

  pid_t child = 0;
  std::vector<std::string> variables;
  std::vector<char*> environment;
  alignas(16) char stack[32 * 1024];
};

namespace {

// Runs in the child, in its parent's memory, while the parent goes on. So there is nothing here but system
// calls without the C library, whose variables, errno among them, are the parent's; and nothing is written
// but the slot.
//
// Handlers are reset first, while every signal is blocked: a signal handled here would run the parent's
// handler on the parent's variables. execve(2) resets handlers by itself, but keeps what is ignored, as Node
// ignores SIGPIPE.
__attribute__((no_sanitize_address)) int BecomeProgram(void* given) {
  auto* launch = static_cast<Launch*>(given);
  RawSyscall(SYS_set_tid_address, RawPointer(&launch->isUnderWay));
  DieWithParent(launch->parent);
  if (launch->limits != nullptr) launch->limits->Apply(ResourceLimits::Child::Program);
  launch->isolation->Enter(launch->parent, launch->uid);
  RawSyscall(SYS_dup3, launch->connection, STDIN_FILENO);
  RawSyscall(SYS_dup3, launch->connection, STDOUT_FILENO);
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

ExecSpawner::ExecSpawner(const Program& program, Slots& slots, const ResourceLimits& limits,
                         ChildIsolation& isolation)
    : slots_(slots),
      limits_(limits),
      isolation_(isolation),
      path_(program.path),
      arguments_(program.arguments),
      launches_(new Launch[kLaunches]) {
  for (std::string& argument : arguments_) argv_.push_back(argument.data());
  argv_.push_back(nullptr);
  for (char** variable = program.environment; *variable != nullptr; variable++) {
    if (!IsUcspi(*variable)) environment_.push_back(*variable);
  }
  MarkDescriptorsCloseOnExec();
}

ExecSpawner::~ExecSpawner() = default;

Spawned ExecSpawner::Spawn(const Connection& client) {
  uint32_t uid = 0;
  if (!slots_.Any() || !isolation_.TakeUser(&uid)) {
    errno = EAGAIN;
    return {-1};
  }
  const uint32_t slot = slots_.Take();
  const pid_t pid = Start(client, &slots_[slot], uid);
  if (pid > 0) {
    isolation_.OnStarted(pid, uid);
    return {pid, slot};
  }
  const int errnum = errno;
  slots_.Free(slot);
  isolation_.ReleaseUser(uid);
  errno = errnum;
  return {-1};
}

Spawned ExecSpawner::SpawnSpare() {
  TRUEFORK_ASSERT(!"a program cannot wait for a connection");
  abort();
}

pid_t ExecSpawner::Start(const Connection& client, Slot* slot, uint32_t uid) {
  if (const int errnum = faults::Take(faults::Call::Fork)) {
    errno = errnum;
    return -1;
  }
  if (signalsToReset_.empty()) FindSignalsToReset();
  // Limits are applied with the C library, which two processes cannot use on the same thread-local memory.
  // Such a child is waited for, as by vfork(2). So is one that finds no free launch.
  Launch* launch = limits_.Any() || !kHasRawSyscalls ? nullptr : FreeLaunch();
  const bool waits = launch == nullptr;
  if (waits) launch = &launches_[0];
  Describe(client, launch);
  launch->path = path_.c_str();
  launch->argv = argv_.data();
  launch->envp = launch->environment.data();
  launch->signalsToReset = signalsToReset_.data();
  launch->limits = limits_.Any() ? &limits_ : nullptr;
  launch->isolation = &isolation_;
  launch->uid = uid;
  launch->connection = client.fd;
  launch->slot = slot;
  launch->parent = getpid();
  launch->isUnderWay = 1;
  AllSignalsBlocked untilTheChildHasNoHandlers;
  const int flags = CLONE_VM | SIGCHLD | (waits ? CLONE_VFORK : 0);
  launch->child = clone(BecomeProgram, launch->stack + sizeof launch->stack, flags, launch);
  if (launch->child < 0) launch->isUnderWay = 0;
  return launch->child;
}

// The first launch is reserved for children that are waited for.
Launch* ExecSpawner::FreeLaunch() {
  for (size_t i = 1; i < kLaunches; i++) {
    if (launches_[i].isUnderWay == 0) return &launches_[i];
  }
  return nullptr;
}

// A child that was killed before its first system call has not asked the kernel to clear its launch.
void ExecSpawner::Forget(pid_t pid) {
  for (size_t i = 0; i < kLaunches; i++) {
    if (launches_[i].child == pid) launches_[i].isUnderWay = 0;
  }
}

void ExecSpawner::FindSignalsToReset() {
  for (int signo = 1; signo < NSIG; signo++) {
    struct sigaction now;
    if (sigaction(signo, nullptr, &now) == 0 && now.sa_handler != SIG_DFL) signalsToReset_.push_back(signo);
  }
  signalsToReset_.push_back(0);
}

// Made before the clone, because the child can allocate nothing.
void ExecSpawner::Describe(const Connection& client, Launch* launch) const {
  std::vector<std::string>& variables = launch->variables;
  variables.clear();
  const auto Set = [&](const char* name, const std::string& value) {
    variables.push_back(name + ("=" + value));
  };
  if (client.local.family() == AF_UNIX) {
    Set("PROTO", "UNIX");
    Set("UNIXLOCALPATH", client.local.Text());
    Set("UNIXLOCALUID", std::to_string(geteuid()));
    Set("UNIXLOCALGID", std::to_string(getegid()));
    ucred peer{};
    socklen_t length = sizeof peer;
    if (getsockopt(client.fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0) {
      Set("UNIXREMOTEEUID", std::to_string(peer.uid));
      Set("UNIXREMOTEEGID", std::to_string(peer.gid));
      Set("UNIXREMOTEPID", std::to_string(peer.pid));
    }
  } else {
    Set("PROTO", "TCP");
    Set("TCPLOCALIP", client.local.Unmapped().Text());
    Set("TCPLOCALPORT", std::to_string(client.local.Port()));
    Set("TCPREMOTEIP", client.peer.Unmapped().Text());
    Set("TCPREMOTEPORT", std::to_string(client.peer.Port()));
  }
  launch->environment = environment_;
  for (std::string& variable : variables) launch->environment.push_back(variable.data());
  launch->environment.push_back(nullptr);
}

}  // namespace truefork
