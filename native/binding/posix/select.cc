#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/posix/families.h"
#include "binding/posix/timeval.h"
#include "posix/waiting_calls.h"
#include "support/clock.h"

namespace truefork {

namespace {

// A set as JavaScript holds it: a Uint8Array that is an fd_set's memory.
class FdSet {
 public:
  FdSet(const Args& args, size_t index, const char* name) {
    if (!args.Has(index)) return;
    const Bytes bytes = args.WholeBuffer(index);
    if (bytes.size() != sizeof(fd_set)) throw args.WrongType(name, "an fd_set or null");
    memory_.emplace(bytes);
    Copy();
  }

  // Afresh from the caller's memory: an interrupted select() may have changed its copy.
  void Copy() {
    if (memory_) std::memcpy(&set_, memory_->data(), sizeof set_);
  }
  void Clear() { FD_ZERO(&set_); }
  void Return() const {
    if (memory_) std::memcpy(memory_->data(), &set_, sizeof set_);
  }
  fd_set* get() { return memory_ ? &set_ : nullptr; }

 private:
  std::optional<Bytes> memory_;
  fd_set set_{};
};

Napi::Value Select(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int count = args.Int(0, "nfds");
  if (count < 0 || count > FD_SETSIZE) {
    throw args.OutOfRange("nfds", "the highest descriptor plus 1, and no more than FD_SETSIZE (" +
                                      std::to_string(FD_SETSIZE) + "): use poll() for more");
  }
  FdSet readable(args, 1, "readfds");
  FdSet writable(args, 2, "writefds");
  FdSet exceptional(args, 3, "exceptfds");
  int64_t until = kNever;
  if (args.Has(4)) {
    const timeval timeout = TimevalFrom(args, info[4], "timeout");
    until = NowMicros() + int64_t{timeout.tv_sec} * 1'000'000 + timeout.tv_usec;
  }
  const auto sets = [&] {
    for (FdSet* set : {&readable, &writable, &exceptional}) set->Copy();
    return FdSets{readable.get(), writable.get(), exceptional.get()};
  };
  const int ready = SelectUntil(count, sets, until);
  args.Checked(ready);
  for (const FdSet* set : {&readable, &writable, &exceptional}) set->Return();
  return Napi::Number::New(args.env(), ready);
}

Bytes SetMemory(const Args& args, size_t index) {
  const Bytes memory = args.WholeBuffer(index);
  if (memory.size() != sizeof(fd_set)) throw args.WrongType("set", "an fd_set");
  return memory;
}

void FdZero(const Napi::CallbackInfo& info) {
  const Bytes memory = SetMemory(Args(info), 0);
  std::memset(memory.data(), 0, memory.size());
}

struct Member {
  fd_set set;
  Bytes memory;
  int fd;
};

// The descriptor is checked first: FD_SET itself would write outside of the set.
Member MemberOf(const Args& args) {
  const double fd = args.NumberOf(args[0], "fd", INT32_MIN, INT32_MAX);
  if (fd < 0 || fd >= FD_SETSIZE) {
    throw args.OutOfRange("fd", "from 0 to " + std::to_string(FD_SETSIZE - 1) + " (FD_SETSIZE is " +
                                    std::to_string(FD_SETSIZE) + "): use poll() for more");
  }
  Member member{{}, SetMemory(args, 1), static_cast<int>(fd)};
  std::memcpy(&member.set, member.memory.data(), sizeof member.set);
  return member;
}

void FdSetOf(const Napi::CallbackInfo& info) {
  Member member = MemberOf(Args(info));
  FD_SET(member.fd, &member.set);
  std::memcpy(member.memory.data(), &member.set, sizeof member.set);
}

void FdClrOf(const Napi::CallbackInfo& info) {
  Member member = MemberOf(Args(info));
  FD_CLR(member.fd, &member.set);
  std::memcpy(member.memory.data(), &member.set, sizeof member.set);
}

Napi::Value FdIsSet(const Napi::CallbackInfo& info) {
  const Member member = MemberOf(Args(info));
  return Napi::Boolean::New(info.Env(), FD_ISSET(member.fd, &member.set));
}

// poll(2) says EINVAL above RLIMIT_NOFILE, but only after we would have made room for so many.
uint32_t MostDescriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<uint32_t>(std::min<rlim_t>(limit.rlim_cur, 10'000'000));
}

Napi::Value Poll(const Napi::CallbackInfo& info) {
  const Args args(info);
  if (!info[0].IsArray()) throw args.WrongType("fds", "an array of { fd, events }");
  const auto given = info[0].As<Napi::Array>();
  if (given.Length() > MostDescriptors()) throw SystemError(args.env(), EINVAL, "poll");
  std::vector<pollfd> fds;
  for (uint32_t i = 0; i < given.Length(); i++) {
    const Napi::Value entry = given.Get(i);
    if (!entry.IsObject()) throw args.WrongType("fds", "an array of { fd, events }");
    const int fd = args.IntOf(entry.As<Napi::Object>().Get("fd"), "fd");
    const double events = args.NumberOf(entry.As<Napi::Object>().Get("events"), "events", 0, INT16_MAX);
    fds.push_back({fd, static_cast<short>(events), 0});
  }
  const int timeout = args.IntOr(1, "timeout", -1);
  const int64_t until = timeout < 0 ? kNever : NowMicros() + int64_t{timeout} * 1000;
  const int ready = PollUntil(fds, until);
  args.Checked(ready);
  for (uint32_t i = 0; i < fds.size(); i++) {
    const Napi::Value entry = given.Get(i);
    if (entry.IsObject()) entry.As<Napi::Object>().Set("revents", fds[i].revents);
  }
  return Napi::Number::New(args.env(), ready);
}

}  // namespace

void ExportSelect(Napi::Object exports) {
  static constexpr Export kCalls[] = {
      {"select", Select},  {"FD_ZERO", FdZero},   {"FD_SET", FdSetOf},
      {"FD_CLR", FdClrOf}, {"FD_ISSET", FdIsSet}, {"poll", Poll},
  };
  ExportTable(exports, kCalls);
}

}  // namespace truefork
