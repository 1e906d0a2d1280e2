// Faults that a trace injects: which call of which process is hit, and how.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace truefork::trace {

struct Injection {
  std::string name;
  std::vector<uint16_t> calls;
  uint64_t nth = 1;    // the first that is hit, counted from 1
  uint64_t times = 1;  // how many are hit; 0 is all
  pid_t pid = 0;       // of this process alone, or 0
  bool socketsOnly = false;
  int errnum = 0;       // the call fails with it and is not made;
  uint64_t length = 0;  // or, where that is 0, is made for so many bytes at most
  uint64_t seen = 0;
};

// "name call,call nth times pid socketsOnly errno length", where a call's name stands for its whole family if
// it is fork, accept, read or write. False where it is nothing of the kind.
bool ParseInjection(const std::string& text, Injection* injection);

class Injections {
 public:
  void Add(Injection injection) { all_.push_back(std::move(injection)); }

  // The injection that hits this call, or nullptr. Counts the call.
  template <typename IsSocket>
  const Injection* Hit(uint16_t call, pid_t pid, IsSocket isSocket) {
    const Injection* hit = nullptr;
    for (Injection& injection : all_) {
      if (!Matches(injection, call, pid) || (injection.socketsOnly && !isSocket())) continue;
      const uint64_t count = ++injection.seen;
      const bool isDue =
          count >= injection.nth && (injection.times == 0 || count - injection.nth < injection.times);
      if (isDue && hit == nullptr) hit = &injection;
    }
    return hit;
  }

 private:
  static bool Matches(const Injection& injection, uint16_t call, pid_t pid);

  std::vector<Injection> all_;
};

}  // namespace truefork::trace
