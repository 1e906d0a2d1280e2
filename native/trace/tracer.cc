// The loop, and the commands. What a stop means stands in stops.cc.
#include "trace/tracer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "trace/wakeups.h"

namespace truefork::trace {

namespace {

constexpr Subject kNobody = {0, 0, kNoCall};
constexpr size_t kLongestCommand = 64 * 1024;
// As a stop takes microseconds, the records of a burst go together, and those of a quiet program at once.
constexpr int kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |
                         PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;

std::vector<pid_t> OwnChildren() {
  std::vector<pid_t> children;
  std::ifstream list("/proc/self/task/" + std::to_string(getpid()) + "/children");
  for (pid_t pid; list >> pid;) children.push_back(pid);
  return children;
}

}  // namespace

Tracer::Tracer(Options options, int socket)
    : options_(std::move(options)), socket_(socket), records_(socket), watch_(options_.unsafeFunctions) {
  for (const std::string& text : options_.injections) {
    Injection injection;
    if (ParseInjection(text, &injection)) injections_.Add(std::move(injection));
  }
}

Tracer::~Tracer() = default;

void Tracer::Run() {
  const Wakeups wakeups;
  // A daemon that leaves its parent becomes this process's child: so it is ended, and its end is seen.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  records_.Add(Kind::Hello, kNobody, {}, {CallNames()});
  if (!Launch()) {
    records_.Flush();
    return;
  }
  while (TakeWaits()) {
    if (!records_.Flush() || Wakeups::AskedToEnd() || socketEnded_) ending_ = true;
    if (ending_) KillAll();
    pollfd ready[] = {{wakeups.fd(), POLLIN, 0}, {socketEnded_ ? -1 : socket_, POLLIN, 0}};
    if (poll(ready, 2, -1) < 0 && errno != EINTR) break;
    if (ready[0].revents != 0) wakeups.Take();
    if (ready[1].revents != 0) ReadCommands();
  }
  std::string step;
  const int errnum = launch_.Failure(&step);
  if (errnum != 0) {
    records_.Add(Kind::Failed, kNobody, {errnum}, {step});
  } else {
    records_.Add(Kind::End, kNobody);
  }
  records_.Flush();
}

bool Tracer::Launch() {
  const auto fail = [&](const char* step) {
    records_.Add(Kind::Failed, kNobody, {errno}, {step});
    return false;
  };
  if (!kIsKnownArchitecture) {
    errno = ENOSYS;
    return fail("architecture");
  }
  if (!launch_.Start(options_.program, BuildFilter(options_.filter))) return fail("fork");
  const pid_t pid = launch_.pid();
  if (ptrace(PTRACE_SEIZE, pid, nullptr, kOptions) != 0) {
    const int errnum = errno;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    errno = errnum;
    return fail("ptrace");
  }
  Thread& thread = tracees_.Add(pid);
  tracees_.Attach(thread, tracees_.AddProcess(pid, 0));
  records_.StartClock();
  launch_.Release();
  return true;
}

// False when nothing is left to wait for.
bool Tracer::TakeWaits() {
  for (;;) {
    int status;
    const pid_t tid = waitpid(-1, &status, __WALL | WNOHANG);
    if (tid == 0) return true;
    if (tid < 0 && errno == EINTR) continue;
    if (tid < 0) return false;
    if (WIFSTOPPED(status)) {
      OnStop(tid, status);
    } else {
      OnGone(tid, status);
    }
  }
}

void Tracer::ReadCommands() {
  char bytes[4096];
  const ssize_t length = recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length <= 0 || commands_.size() > kLongestCommand) {
    socketEnded_ = true;
    return;
  }
  commands_.append(bytes, static_cast<size_t>(length));
  for (size_t end; (end = commands_.find('\n')) != std::string::npos; commands_.erase(0, end + 1)) {
    Obey(commands_.substr(0, end));
  }
}

void Tracer::Obey(const std::string& command) {
  std::istringstream words(command);
  std::string what;
  words >> what;
  if (what == "end") {
    ending_ = true;
  } else if (what == "kill") {
    pid_t pid = 0;
    int signal = 0;
    if (words >> pid >> signal && tracees_.FindProcess(pid) != nullptr) kill(pid, signal);
  } else if (what == "inject") {
    Injection injection;
    if (ParseInjection(command.substr(sizeof "inject"), &injection)) injections_.Add(std::move(injection));
  }
}

void Tracer::KillAll() {
  for (const pid_t pid : tracees_.ProcessIds()) kill(pid, SIGKILL);
  // What escaped by CLONE_UNTRACED, and was left behind.
  for (const pid_t pid : OwnChildren()) kill(pid, SIGKILL);
}

void Tracer::Resume(Thread& thread, Until until, int signal) {
  const auto request = until == Until::Call   ? PTRACE_CONT
                       : until == Until::Exit ? PTRACE_SYSCALL
                                              : PTRACE_SINGLESTEP;
  // ESRCH: SIGKILL was faster. Its end is told by the next waitpid.
  ptrace(request, thread.tid, nullptr, static_cast<long>(signal));
}

void Tracer::ResumeAsBefore(Thread& thread, int signal) {
  Resume(thread, thread.inCall ? Until::Exit : thread.stepping != 0 ? Until::Step : Until::Call, signal);
}

Subject Tracer::SubjectOf(const Thread& thread) const {
  return {thread.process != nullptr ? thread.process->pid : thread.tid, thread.tid, thread.call};
}

}  // namespace truefork::trace
