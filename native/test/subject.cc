#include "test/subject.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <fstream>
#include <sstream>
#include <vector>

// LeakSanitizer looks at exit(3), which a subject passes by: it is asked here. Absent from other builds.
extern "C" __attribute__((weak)) int __lsan_do_recoverable_leak_check();

namespace truefork::test {

namespace {

bool looksForLeaks = true;

bool Leaked() {
  return looksForLeaks && __lsan_do_recoverable_leak_check != nullptr &&
         __lsan_do_recoverable_leak_check() != 0;
}

[[noreturn]] void RunAndExit(const std::function<void()>& body) {
  try {
    body();
  } catch (...) {
    ADD_FAILURE() << "the subject threw";
  }
  ExitSubject();
}

// The fields of /proc/PID/stat from the third on, the state. The second, the name, may hold spaces.
std::vector<std::string> Stat(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const size_t close = line.rfind(')');
  if (close == std::string::npos) return {};
  std::istringstream rest(line.substr(close + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

}  // namespace

void NoLeakCheckAtExit() { looksForLeaks = false; }

void ExitSubject() {
  const bool leaked = Leaked();
  fflush(nullptr);
  _exit(testing::Test::HasFailure() || leaked ? 1 : 0);
}

pid_t Spawn(const std::function<void()>& body) {
  fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    RunAndExit(body);
  }
  setpgid(pid, pid);  // by both: neither can know who comes first
  return pid;
}

Subject::~Subject() {
  kill(-pid_, SIGKILL);
  if (!reaped_) waitpid(pid_, nullptr, 0);
}

int Subject::Wait() {
  int status = -1;
  reaped_ = Eventually([&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
  return reaped_ ? status : -1;
}

std::string Describe(int status) {
  if (status == -1) return "still running";
  if (WIFSIGNALED(status)) return strsignal(WTERMSIG(status));
  return "exit " + std::to_string(WEXITSTATUS(status));
}

SocketPair::SocketPair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0); }

SocketPair::~SocketPair() {
  for (const int fd : fds) {
    if (fd >= 0) close(fd);
  }
}

void SocketPair::Close(int end) {
  close(fds[end]);
  fds[end] = -1;
}

std::map<int, std::string> Descriptors(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
  std::map<int, std::string> open;
  DIR* directory = opendir(folder.c_str());
  if (directory == nullptr) return open;
  while (const dirent* entry = readdir(directory)) {
    char target[256];
    const ssize_t size = readlink((folder + "/" + entry->d_name).c_str(), target, sizeof target);
    if (size > 0) open[atoi(entry->d_name)] = std::string(target, size);
  }
  closedir(directory);
  return open;
}

size_t CountChildren(pid_t pid) {
  const std::string id = std::to_string(pid);
  std::ifstream file("/proc/" + id + "/task/" + id + "/children");
  size_t count = 0;
  for (pid_t child; file >> child;) count++;
  return count;
}

long CpuTicks(pid_t pid) {
  const auto fields = Stat(pid);
  return fields.size() > 12 ? std::stol(fields[11]) + std::stol(fields[12]) : 0;
}

long VoluntarySwitches(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("voluntary_ctxt_switches:", 0) == 0) return std::stol(line.substr(line.find(':') + 1));
  }
  return 0;
}

char State(pid_t pid) {
  const auto fields = Stat(pid);
  return fields.empty() ? '\0' : fields[0][0];
}

}  // namespace truefork::test
