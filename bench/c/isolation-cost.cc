// What each protection costs a child, in microseconds: fork(2), the protection, _exit(2), waitpid(2), against
// the same without it. The rounds take turns, so that a machine that is busy for a while is busy for all.
//
// g++ -O2 -std=c++17 -Inative bench/c/isolation-cost.cc native/isolation/*.cc -o /tmp/isolation-cost &&
// /tmp/isolation-cost
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "isolation/confinement.h"
#include "isolation/process_group.h"
#include "isolation/process_tree.h"
#include "isolation/uid_range.h"

using namespace truefork;

namespace {

constexpr int kRounds = 40;
constexpr int kChildrenPerRound = 50;

double Micros() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

struct Case {
  std::string name;
  std::function<void()> inChild;
  std::function<void(pid_t)> inParent;
  std::vector<double> micros;
};

double OneRound(const Case& one) {
  const double from = Micros();
  for (int i = 0; i < kChildrenPerRound; i++) {
    const pid_t pid = fork();
    if (pid == 0) {
      one.inChild();
      _exit(0);
    }
    one.inParent(pid);
    waitpid(pid, nullptr, 0);
  }
  return (Micros() - from) / kChildrenPerRound;
}

// Of the quieter half: what else runs on the machine only adds.
double LowerQuartile(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 4];
}

}  // namespace

int main() {
  const auto nothing = [] {};
  const auto noParent = [](pid_t) {};

  ConfinementRules scope;
  scope.scope = ConfinementRules::Scope::Wanted;
  Confinement landlock;
  landlock.Prepare(scope);

  ConfinementRules rules;
  rules.sandbox = ConfinementRules::Sandbox{};
  rules.sandbox->files.read = {"/usr", "/etc"};
  rules.sandbox->network = NetworkRules{};
  Confinement sandbox;
  sandbox.Prepare(rules);
  const std::vector<sock_filter> filter = BuildSandboxFilter(&*rules.sandbox->network);

  rules.sandbox->ownUser = true;
  Confinement withUser;
  withUser.Prepare(rules);

  // As the loop has it: pages for slots in one shared mapping, of which a child keeps one.
  const size_t page = sysconf(_SC_PAGESIZE), pages = 1'000'000;
  char* slots = static_cast<char*>(
      mmap(nullptr, pages * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  for (size_t i = 0; i < 256; i++) slots[i * page] = 1;
  const auto keepOnePage = [&] {
    constexpr size_t kOwn = 100;
    munmap(slots, kOwn * page);
    munmap(slots + (kOwn + 1) * page, (pages - kOwn - 1) * page);
  };
  ProcessTree tree;

  std::vector<Case> cases = {
      {"nothing", nothing, noParent, {}},
      {"process group (setpgid, by both)", LeadProcessGroup, MakeProcessGroup, {}},
      {"subreaper", MakeSubreaper, noParent, {}},
      {"a page of its own of the slots", keepOnePage, noParent, {}},
      {"Landlock scope", [&] { landlock.Enter(0); }, noParent, {}},
      {"Landlock scope, and file rules", [&] { sandbox.Enter(0); }, noParent, {}},
      {"the filter of system calls, which the zygote loads once", [&] { EnterFilter(filter); }, noParent, {}},
      {"sandbox with a user of its own", [&] { withUser.Enter(3'000'000); }, noParent, {}},
      {"look for orphans", nothing, [&](pid_t) { tree.KillOrphans([](pid_t) { return true; }); }, {}},
  };
  for (int round = 0; round < kRounds; round++) {
    for (Case& one : cases) one.micros.push_back(OneRound(one));
  }
  const double base = LowerQuartile(cases[0].micros);
  printf("fork, exit, wait: %.1f µs\n", base);
  for (size_t i = 1; i < cases.size(); i++)
    printf("%6.1f µs  %s\n", LowerQuartile(cases[i].micros) - base, cases[i].name.c_str());
}
