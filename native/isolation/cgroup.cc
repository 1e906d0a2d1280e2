#include "isolation/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <utility>

namespace truefork {

namespace {

// Of mountinfo (proc(5)): the sixth field of a line is the root of the mount within its file system, the
// fifth where it is; the type follows a lone hyphen.
std::optional<std::string> MountOfVersion2(const std::string& proc) {
  std::ifstream mounts(proc + "/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const size_t hyphen = line.find(" - ");
    if (hyphen == std::string::npos || line.compare(hyphen + 3, 8, "cgroup2 ") != 0) continue;
    std::istringstream fields(line);
    std::string id, parent, device, root, place;
    fields >> id >> parent >> device >> root >> place;
    return place;
  }
  return std::nullopt;
}

// "0::/path" is the line of version 2.
std::optional<std::string> OwnPath(const std::string& proc) {
  std::ifstream groups(proc + "/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.rfind("0::", 0) == 0) return line.substr(3);
  }
  return std::nullopt;
}

bool Names(const std::string& file, const std::string& word) {
  std::ifstream words(file);
  for (std::string one; words >> one;) {
    if (one == word) return true;
  }
  return false;
}

// Delegated is what this user may make groups in and move processes within.
bool MayUse(const std::string& folder) {
  return access(folder.c_str(), W_OK) == 0 && access((folder + "/cgroup.procs").c_str(), W_OK) == 0;
}

// A group with processes in it can give its own groups no controllers; a manager that delegates one puts the
// server into a group below it (systemd, DelegateSubgroup=).
bool HasPids(const std::string& folder) {
  const std::string control = folder + "/cgroup.subtree_control";
  if (Names(control, "pids")) return true;
  if (!Names(folder + "/cgroup.controllers", "pids")) return false;
  const int fd = open(control.c_str(), O_WRONLY | O_CLOEXEC);
  const bool enabled = fd >= 0 && write(fd, "+pids", 5) == 5;
  if (fd >= 0) close(fd);
  return enabled && Names(control, "pids");
}

}  // namespace

Delegation FindDelegatedCgroup(bool pids, const std::string& proc) {
  const auto mount = MountOfVersion2(proc);
  const auto path = OwnPath(proc);
  if (!mount || !path) return {std::nullopt, Failure{"cgroup version 2 is not mounted", ENOENT}};
  const std::string own = *mount + (*path == "/" ? "" : *path);
  if (!MayUse(own)) return {std::nullopt, Failure{"no cgroup is delegated to this server: " + own, EACCES}};
  if (!pids) return {own, std::nullopt};
  const std::string above = *path == "/" ? own : own.substr(0, own.rfind('/'));
  for (const std::string& folder : {own, above}) {
    if (MayUse(folder) && HasPids(folder)) return {folder, std::nullopt};
  }
  return {std::nullopt, Failure{"the pids controller is not available in cgroup " + own, EBUSY}};
}

Cgroup::Cgroup(std::string folder) : folder_(std::move(folder)) {
  isMade_ = mkdir(folder_.c_str(), 0755) == 0;
}

int Cgroup::SetMaxProcesses(uint32_t most) const { return Write("pids.max", std::to_string(most)); }

int Cgroup::Add(pid_t pid) const { return Write("cgroup.procs", std::to_string(pid)); }

int Cgroup::Kill() const { return Write("cgroup.kill", "1"); }

int Cgroup::Remove() {
  if (rmdir(folder_.c_str()) != 0) return errno;
  isMade_ = false;
  return 0;
}

int Cgroup::Write(const char* file, const std::string& text) const {
  const int fd = open((folder_ + "/" + file).c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int errnum = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : errno;
  close(fd);
  return errnum;
}

}  // namespace truefork
