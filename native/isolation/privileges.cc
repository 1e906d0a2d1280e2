#include "isolation/privileges.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "isolation/capabilities.h"

namespace truefork {

namespace {

using Result = std::optional<Failure>;

Result Failed(const char* call) { return Failure{call, errno}; }

Result StillThere(const std::string& what) { return Failure{what, EPERM}; }

// One line of /proc/PID/task/TID/status (proc(5)): real, effective, saved and file system ID, all the same.
bool AllAre(const std::string& status, const char* field, unsigned id) {
  const size_t line = status.find(std::string("\n") + field + ":");
  unsigned ids[4];
  if (line == std::string::npos || sscanf(status.c_str() + line + strlen(field) + 2, "%u %u %u %u", &ids[0],
                                          &ids[1], &ids[2], &ids[3]) != 4)
    return false;
  return std::all_of(std::begin(ids), std::end(ids), [id](unsigned one) { return one == id; });
}

// `tasks` was opened before the root changed: inside, there need be no /proc.
Result VerifyThreads(int tasks, const Privileges& wanted) {
  DIR* folder = fdopendir(tasks);
  if (folder == nullptr) return Failed("fdopendir");
  Result failure;
  while (const dirent* task = readdir(folder)) {
    if (task->d_name[0] == '.') continue;
    const int fd = openat(tasks, (std::string(task->d_name) + "/status").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;  // a thread that has just ended
    char text[4096];
    const ssize_t size = read(fd, text, sizeof text);
    close(fd);
    const std::string status(text, std::max<ssize_t>(size, 0));
    if (wanted.user && !AllAre(status, "Uid", *wanted.user))
      failure = StillThere("a thread is still another user");
    if (wanted.group && !AllAre(status, "Gid", *wanted.group))
      failure = StillThere("a thread is still in another group");
  }
  closedir(folder);
  return failure;
}

Result VerifyGroups(const Privileges& wanted) {
  std::vector<gid_t> groups(std::max(0, getgroups(0, nullptr)));
  if (!groups.empty() && getgroups(groups.size(), groups.data()) != static_cast<int>(groups.size()))
    return Failed("getgroups");
  for (const gid_t one : groups) {
    if (std::count(wanted.groups.begin(), wanted.groups.end(), one) == 0)
      return StillThere("it is still in group " + std::to_string(one));
  }
  return std::nullopt;
}

// Each of these must be refused now.
Result TryToWinThemBack(const Privileges& wanted) {
  const bool mayNotStartUsers = wanted.user && *wanted.user != 0 && !wanted.startsUsers;
  if (mayNotStartUsers) {
    if (setresuid(-1, 0, -1) == 0 || setresuid(0, 0, 0) == 0) return StillThere("it could become root again");
    if (setgroups(0, nullptr) == 0) return StillThere("it could still choose its groups");
    if (!HasNoCapabilities()) return StillThere("it has capabilities still");
  }
  if (wanted.group && *wanted.group != 0 && mayNotStartUsers && setresgid(-1, 0, -1) == 0)
    return StillThere("it could be in group 0 again");
  if (wanted.noNewPrivs && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
    return StillThere("no_new_privs is not set");
  return std::nullopt;
}

}  // namespace

Result DropPrivileges(const Privileges& wanted) {
  const int tasks = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (tasks < 0) return Failed("open /proc/self/task");
  int deathSignal = 0;
  prctl(PR_GET_PDEATHSIG, &deathSignal, 0, 0, 0);
  if (wanted.noNewPrivs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Failed("prctl");
  if (!wanted.root.empty() && (chroot(wanted.root.c_str()) != 0 || chdir("/") != 0)) return Failed("chroot");
  // The groups first: once the user is another, they could not be changed. glibc and musl do each of these in
  // all threads.
  if (wanted.group) {
    if (setgroups(wanted.groups.size(), wanted.groups.data()) != 0) return Failed("setgroups");
    if (setresgid(*wanted.group, *wanted.group, *wanted.group) != 0) return Failed("setresgid");
  }
  if (wanted.user) {
    if (wanted.startsUsers && PrepareToKeepCapabilities() != 0) return Failed("prctl");
    if (setresuid(*wanted.user, *wanted.user, *wanted.user) != 0) return Failed("setresuid");
    const int errnum = wanted.startsUsers  ? KeepCapabilitiesToStartUsers()
                       : *wanted.user != 0 ? DropCapabilities()
                                           : 0;
    if (errnum != 0) return Failure{"capset", errnum};
  }
  prctl(PR_SET_PDEATHSIG, deathSignal, 0, 0, 0);
  if (wanted.umask) umask(*wanted.umask);
  if (!wanted.folder.empty() && chdir(wanted.folder.c_str()) != 0) return Failed("chdir");

  Result failure = VerifyThreads(tasks, wanted);  // closes it
  if (!failure && wanted.group) failure = VerifyGroups(wanted);
  if (!failure) failure = TryToWinThemBack(wanted);
  return failure;
}

}  // namespace truefork
