#include "fork/threads.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <vector>

namespace truefork {

namespace {

std::string ReadTaskFile(const std::string& task, const char* name) {
  const int fd = open(("/proc/self/task/" + task + "/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  char text[4096];
  const ssize_t size = read(fd, text, sizeof text);
  close(fd);
  return size > 0 ? std::string(text, size) : "";
}

// The threads of this process but the main one.
std::vector<std::string> OtherTasks() {
  std::vector<std::string> tasks;
  DIR* directory = opendir("/proc/self/task");
  if (directory == nullptr) return tasks;
  const std::string self = std::to_string(getpid());
  while (const dirent* entry = readdir(directory))
    if (entry->d_name[0] != '.' && entry->d_name != self) tasks.emplace_back(entry->d_name);
  closedir(directory);
  return tasks;
}

std::string Comm(const std::string& task) {
  std::string comm = ReadTaskFile(task, "comm");
  if (!comm.empty() && comm.back() == '\n') comm.pop_back();
  return comm;
}

char State(const std::string& task) {
  const std::string stat = ReadTaskFile(task, "stat");  // "pid (comm) S …": a comm may hold parentheses
  const size_t close = stat.rfind(')');
  return close == std::string::npos || close + 2 >= stat.size() ? '?' : stat[close + 2];
}

// The system call that a sleeping thread is in; -1 where the kernel does not say.
long SystemCall(const std::string& task) {
  const std::string text = ReadTaskFile(task, "syscall");
  return text.empty() || text[0] < '0' || text[0] > '9' ? -1 : strtol(text.c_str(), nullptr, 10);
}

bool WaitsForEvents(long call) {
#ifdef SYS_epoll_wait
  if (call == SYS_epoll_wait) return true;
#endif
  return call == SYS_epoll_pwait;
}

// A thread that has no work waits for a lock or for events. One that sleeps in another call is in the midst
// of something: a look-up, a read from a pipe.
bool WaitsForWork(const std::string& task) {
  const long call = SystemCall(task);
  return call == -1 || call == SYS_futex || WaitsForEvents(call);
}

bool IsOneOfNodes(const std::string& comm) {
  return comm == "DelayedTaskSche" || comm == "V8Worker" || comm == "node-V8Worker" ||
         comm == "libuv-worker" || comm == "SignalInspector" || comm == "node-SignalIns";
}

int ThreadPoolSize() {
  const char* size = getenv("UV_THREADPOOL_SIZE");
  return size != nullptr ? atoi(size) : 4;
}

// The program's name when this was loaded: threads inherit it, whatever title the main one takes later.
const std::string nameAtStart = Comm(std::to_string(getpid()));

// Before Node 24 some of Node's threads carry the program's name, so they are told by what they sleep in and
// by their number: the V8 worker, the signal inspector and, before libuv 1.50, libuv's pool wait for a lock;
// on Node 20 one waits for delayed tasks by epoll, which has a name on 22.
class NamelessThreads {
 public:
  explicit NamelessThreads(int nodeMajor) {
    if (nodeMajor >= 24) return;
    sleepers_ = 2 + (uv_version() < kNamesItsPool ? ThreadPoolSize() : 0);
    pollers_ = nodeMajor < 22 ? 1 : 0;
  }

  bool Allow(const std::string& task, const std::string& comm) {
    if (comm != nameAtStart && comm != Comm(std::to_string(getpid()))) return false;
    const long call = SystemCall(task);
    if (WaitsForEvents(call)) return pollers_-- > 0;
    return (call == SYS_futex || call == -1) && sleepers_-- > 0;
  }

 private:
  static constexpr unsigned kNamesItsPool = 1 << 16 | 50 << 8;
  int pollers_ = 0;
  int sleepers_ = 0;
};

std::string Look(int nodeMajor) {
  NamelessThreads nameless(nodeMajor);
  std::string unsafe;
  for (const std::string& task : OtherTasks()) {
    const std::string comm = Comm(task);
    if (comm.empty()) continue;  // it ended while we looked
    const bool known = IsOneOfNodes(comm) || nameless.Allow(task, comm);
    const char state = State(task);
    if (known && (state == 'S' || state == '?') && WaitsForWork(task)) continue;
    unsafe = "\"" + comm + "\" (thread " + task + (known ? ", at work)" : ")");
    break;
  }
  return unsafe;
}

// How often a thread has gone to sleep, or was put to it: it has not run while this stays the same.
std::string Switches(const std::string& task) {
  const std::string status = ReadTaskFile(task, "status");
  const size_t at = status.find("voluntary_ctxt_switches");
  return at == std::string::npos ? "?" : status.substr(at);
}

}  // namespace

std::string ThreadActivity() {
  std::string activity;
  for (const std::string& task : OtherTasks()) activity += task + State(task) + Switches(task);
  return activity;
}

std::string FindUnsafeThread(int nodeMajor) {
  std::string unsafe;
  for (int tries = 0; tries < 100; tries++) {
    // One that was asleep when it was looked at may be woken by the next, and that one be asleep again by
    // then.
    const std::string before = ThreadActivity();
    unsafe = Look(nodeMajor);
    if (unsafe.empty() && ThreadActivity() == before) break;
    timespec aMoment{0, 1'000'000};
    nanosleep(&aMoment, nullptr);
  }
  return unsafe;
}

}  // namespace truefork
