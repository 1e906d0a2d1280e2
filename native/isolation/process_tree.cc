#include "isolation/process_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_set>

#include "support/raw_syscall.h"

namespace truefork {

namespace {

// A tree that still grows after so many looks is killed as far as it is known; the next round has the rest.
constexpr int kMostLooks = 100;

std::string ReadAll(int folder, const std::string& path) {
  std::string text;
  const int fd = openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char chunk[4096];
  ssize_t size;
  while ((size = read(fd, chunk, sizeof chunk)) > 0) text.append(chunk, size);
  close(fd);
  return text;
}

// The numbers that are names in a folder of /proc.
std::vector<pid_t> Numbers(int folder, const char* path) {
  std::vector<pid_t> numbers;
  const int fd = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* open = fd < 0 ? nullptr : fdopendir(fd);
  if (open == nullptr) return numbers;
  while (const dirent* entry = readdir(open)) {
    const pid_t number = atoi(entry->d_name);
    if (number > 0) numbers.push_back(number);
  }
  closedir(open);
  return numbers;
}

void AppendNumbers(const std::string& list, std::vector<pid_t>* numbers) {
  const char* at = list.c_str();
  char* end;
  for (long number; (number = strtol(at, &end, 10)) > 0; at = end)
    numbers->push_back(static_cast<pid_t>(number));
}

// The fourth field of /proc/PID/stat; the second is the name, which may hold anything.
pid_t ParentIn(const std::string& stat) {
  const size_t name = stat.rfind(')');
  return name == std::string::npos || name + 4 >= stat.size() ? 0 : atoi(stat.c_str() + name + 4);
}

}  // namespace

void MakeSubreaper() { RawSyscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

ProcessTree::ProcessTree() : proc_(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  const std::string own = "self/task/" + std::to_string(RawSyscall(SYS_gettid)) + "/children";
  hasChildrenFiles_ = ok() && faccessat(proc_, own.c_str(), R_OK, 0) == 0;
}

ProcessTree::~ProcessTree() { CloseDescriptor(); }

void ProcessTree::CloseDescriptor() {
  if (ok()) close(proc_);
  proc_ = -1;
}

std::vector<pid_t> ProcessTree::ChildrenOf(pid_t pid) const {
  if (!ok()) return {};
  if (!hasChildrenFiles_) return ChildrenByParent(pid);
  std::vector<pid_t> children;
  const std::string tasks = std::to_string(pid) + "/task";
  for (const pid_t task : Numbers(proc_, tasks.c_str())) {
    AppendNumbers(ReadAll(proc_, tasks + "/" + std::to_string(task) + "/children"), &children);
  }
  return children;
}

std::vector<pid_t> ProcessTree::OwnChildren() const {
  if (!ok()) return {};
  if (!hasChildrenFiles_) return ChildrenByParent(getpid());
  std::vector<pid_t> children;
  AppendNumbers(ReadAll(proc_, "self/task/" + std::to_string(getpid()) + "/children"), &children);
  return children;
}

// A kernel without CONFIG_PROC_CHILDREN: every process says who its parent is.
std::vector<pid_t> ProcessTree::ChildrenByParent(pid_t parent) const {
  std::vector<pid_t> children;
  for (const pid_t pid : Numbers(proc_, ".")) {
    if (ParentIn(ReadAll(proc_, std::to_string(pid) + "/stat")) == parent) children.push_back(pid);
  }
  return children;
}

std::vector<pid_t> ProcessTree::DescendantsOf(pid_t pid) const {
  std::vector<pid_t> all = ChildrenOf(pid);
  for (size_t i = 0; i < all.size(); i++) {
    const std::vector<pid_t> more = ChildrenOf(all[i]);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

std::vector<pid_t> ProcessTree::Kill(pid_t root) const {
  std::vector<pid_t> stopped{root};
  std::unordered_set<pid_t> seen{root};
  kill(root, SIGSTOP);
  for (int look = 0; look < kMostLooks; look++) {
    const size_t before = stopped.size();
    for (const pid_t pid : DescendantsOf(root)) {
      if (!seen.insert(pid).second) continue;
      kill(pid, SIGSTOP);
      stopped.push_back(pid);
    }
    if (stopped.size() == before) break;
  }
  std::vector<pid_t> refused;
  // The deepest first: what a killed parent leaves would be handed to this process's subreaper.
  for (auto pid = stopped.rbegin(); pid != stopped.rend(); ++pid) {
    if (kill(*pid, SIGKILL) != 0 && errno == EPERM) refused.push_back(*pid);
  }
  return refused;
}

size_t ProcessTree::KillOrphans(const std::function<bool(pid_t)>& isKnown) const {
  size_t refused = 0;
  for (const pid_t child : OwnChildren()) {
    if (!isKnown(child)) refused += Kill(child).size();
  }
  return refused;
}

}  // namespace truefork
