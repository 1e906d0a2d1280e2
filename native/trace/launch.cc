#include "trace/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trace/filter.h"

namespace truefork::trace {

namespace {

enum Step : int { kFolder, kFilter, kExecute };
constexpr const char* kStepNames[] = {"chdir", "seccomp", "execve"};
constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

struct Report {
  int step;
  int errnum;
};

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// What execvp(3) would try, found before the fork: its child must not allocate.
std::vector<std::string> Candidates(const Program& program) {
  if (program.file.find('/') != std::string::npos) return {program.file};
  std::string path = kDefaultPath;
  for (const std::string& variable : program.environment) {
    if (variable.compare(0, 5, "PATH=") == 0) path = variable.substr(5);
  }
  std::vector<std::string> candidates;
  for (size_t start = 0; start <= path.size();) {
    const size_t end = std::min(path.find(':', start), path.size());
    const std::string folder = path.substr(start, end - start);
    candidates.push_back((folder.empty() ? "." : folder) + "/" + program.file);
    start = end + 1;
  }
  return candidates;
}

void ResetSignals() {
  struct sigaction byDefault = {};
  byDefault.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &byDefault, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void CloseAtExec() {
  for (int fd = 0; fd <= 2; fd++) {
    const int flags = fcntl(fd, F_GETFD);
    if (flags >= 0) fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
  }
#ifdef SYS_close_range
  constexpr unsigned kCloseOnExec = 4;  // CLOSE_RANGE_CLOEXEC
  if (syscall(SYS_close_range, 3U, ~0U, kCloseOnExec) == 0) return;
#endif
  const long most = sysconf(_SC_OPEN_MAX);
  for (int fd = 3; fd < most; fd++) {
    const int flags = fcntl(fd, F_GETFD);
    if (flags >= 0) fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
  }
}

[[noreturn]] void Fail(int report, Step step, int errnum) {
  const Report said = {step, errnum};
  [[maybe_unused]] const ssize_t written = write(report, &said, sizeof said);
  _exit(127);
}

}  // namespace

bool Launch::Start(const Program& program, const std::vector<sock_filter>& filter) {
  int release[2];
  int report[2];
  if (pipe2(release, O_CLOEXEC) != 0) return false;
  if (pipe2(report, O_CLOEXEC) != 0) {
    close(release[0]);
    close(release[1]);
    return false;
  }
  const std::vector<std::string> candidates = Candidates(program);
  const std::vector<char*> arguments = Pointers(program.arguments);
  const std::vector<char*> environment = Pointers(program.environment);
  pid_ = fork();
  if (pid_ == 0) {
    if (program.newSession) setsid();
    ResetSignals();
    CloseAtExec();
    close(release[1]);
    char go;
    if (read(release[0], &go, 1) != 1) _exit(127);  // the tracer is gone
    if (!program.folder.empty() && chdir(program.folder.c_str()) != 0) Fail(report[1], kFolder, errno);
    const int refused = InstallFilter(filter.data(), filter.size());
    if (refused != 0) Fail(report[1], kFilter, refused);
    int errnum = ENOENT;
    for (const std::string& candidate : candidates) {
      execve(candidate.c_str(), arguments.data(), environment.data());
      if (errno != ENOENT && errno != ENOTDIR) errnum = errno;
    }
    Fail(report[1], kExecute, errnum);
  }
  const int errnum = errno;
  close(release[0]);
  close(report[1]);
  release_ = release[1];
  report_ = report[0];
  errno = errnum;
  return pid_ > 0;
}

void Launch::Release() {
  [[maybe_unused]] const ssize_t written = write(release_, "", 1);
  close(release_);
  release_ = -1;
}

int Launch::Failure(std::string* step) {
  Report said;
  if (read(report_, &said, sizeof said) != static_cast<ssize_t>(sizeof said)) return 0;
  *step = kStepNames[said.step];
  return said.errnum;
}

Launch::~Launch() {
  if (release_ >= 0) close(release_);
  if (report_ >= 0) close(report_);
}

}  // namespace truefork::trace
