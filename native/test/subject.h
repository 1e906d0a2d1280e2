// What the tests share: processes under test, and waiting with a deadline.
//
// A process that a test forks must never return into the test runner: it would go on with the remaining tests
// and report their results a second time. Spawn and Subject are the ways to fork here: their child ends in
// _exit(2).
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <thread>

namespace truefork::test {

using namespace std::chrono_literals;

constexpr auto kDeadline = 60s;  // far more than anything needs, on a busy machine under valgrind too

// Asks again until the answer is yes; false when the deadline has come. No test sleeps a fixed time for a
// state.
template <typename Question>
[[nodiscard]] bool Eventually(Question&& isSo, std::chrono::milliseconds deadline = kDeadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!isSo()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

// A child process, leader of a group of its own, that runs `body` and exits: with 0, or with 1 where an
// EXPECT in it failed, it threw, or it leaked. The code under test has to wait for it.
pid_t Spawn(const std::function<void()>& body);

// The same, for the test to wait for. The whole group is killed when the Subject goes out of scope.
class Subject {
 public:
  explicit Subject(const std::function<void()>& body) : pid_(Spawn(body)) {}
  ~Subject();
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  pid_t pid() const { return pid_; }

  // Its status as wait(2) gives it, once it has ended; -1 if it does not.
  int Wait();

 private:
  pid_t pid_;
  bool reaped_ = false;
};

// The same end for a process that the code under test has forked.
[[noreturn]] void ExitSubject();

// For a subject whose sandbox refuses what LeakSanitizer looks with, ptrace(2) or /proc/self: it ends without
// that look.
void NoLeakCheckAtExit();

// How it ended, in words: "exit 0", "Killed" (a signal, as strsignal(3) has it), "still running".
std::string Describe(int status);

// Two connected stream sockets, closed at the end.
struct SocketPair {
  SocketPair();
  ~SocketPair();
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;

  void Close(int end);

  int fds[2];
};

// /proc (proc(5)): where each open descriptor of a process leads; its living and unreaped children; the clock
// ticks of CPU time it has used; how often it has gone to sleep; its state, 'Z' for a zombie, or 0 where
// there is no such process.
std::map<int, std::string> Descriptors(pid_t pid);
size_t CountChildren(pid_t pid);
long CpuTicks(pid_t pid);
long VoluntarySwitches(pid_t pid);
char State(pid_t pid);

}  // namespace truefork::test
