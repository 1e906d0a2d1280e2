// A system call of a traced thread: what is told of it at its entry and its exit. What changes it:
// interventions.cc.
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>

#include "trace/image.h"
#include "trace/memory.h"
#include "trace/sockets.h"
#include "trace/tracer.h"

namespace truefork::trace {

namespace {

constexpr size_t kLongestLocation = 1024;
constexpr size_t kLongestAddress = sizeof(sockaddr_storage);
constexpr size_t kTimeSize = 16;    // struct timespec, struct timeval
constexpr size_t kActionSize = 16;  // the kernel's struct sigaction: the handler, the flags
constexpr size_t kSiginfoHead = 32;

std::string_view Bytes(const std::vector<uint64_t>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(uint64_t)};
}

bool MakesThread(pid_t tid, long number, const uint64_t* arguments) {
  uint64_t flags = 0;
  if (number == SYS_clone) flags = arguments[0];
#ifdef SYS_clone3
  if (number == SYS_clone3) ReadValue(tid, arguments[0], &flags);
#endif
  return (flags & CLONE_THREAD) != 0;
}

}  // namespace

void Tracer::OnEntry(Thread& thread) {
  unsigned long data = 0;
  ptrace(PTRACE_GETEVENTMSG, thread.tid, nullptr, &data);
  CallState state;
  if (thread.process == nullptr || !ReadEntry(thread.tid, &state)) return Resume(thread, Until::Call);
  if (data == kForeignAbi) {
    records_.Add(Kind::Refused, SubjectOf(thread));
    kill(thread.process->pid, SIGKILL);
    return Resume(thread, Until::Call);
  }
  if (data == kLocationSaid) {
    thread.location =
        ReadBytes(thread.tid, state.arguments[1], std::min<size_t>(state.arguments[2], kLongestLocation));
    SkipCall(thread.tid);
    SetResult(thread.tid, 0);
    return ResumeAsBefore(thread);
  }
  if (state.number != SYS_restart_syscall) {
    thread.call = FindCall(state.number);
    std::copy(std::begin(state.arguments), std::end(state.arguments), thread.arguments);
    thread.isThreadClone = MakesThread(thread.tid, state.number, state.arguments);
  }
  if (thread.call == kNoCall) return ResumeAsBefore(thread);
  Enter(thread, state);
  Intervene(thread);
  const bool returns = state.number != SYS_exit_group && state.number != SYS_rt_sigreturn;
  if (state.number == SYS_rt_sigreturn) thread.stepping = 0;
  thread.inCall = returns;
  ResumeAsBefore(thread);
}

void Tracer::Enter(Thread& thread, const CallState& state) {
  std::vector<uint64_t> callers;
  if (options_.addresses && thread.process->image)
    callers = thread.process->image->Callers(thread.tid, state.stack);
  const uint64_t* const a = thread.arguments;
  const auto value = [&](int i) { return static_cast<int64_t>(a[i]); };
  records_.Add(Kind::Enter, SubjectOf(thread), {value(0), value(1), value(2), value(3), value(4), value(5)},
               {EntryData(thread), Bytes(callers), thread.location});
}

// What a pointer among the arguments points to, as far as it tells what the call is about.
std::string Tracer::EntryData(const Thread& thread) const {
  const uint64_t* const a = thread.arguments;
  const auto bytes = [&](int pointer, uint64_t size) {
    return a[pointer] == 0 ? std::string() : ReadBytes(thread.tid, a[pointer], size);
  };
  switch (Calls()[thread.call].number) {
    case SYS_bind:
    case SYS_connect:
      return bytes(1, std::min<uint64_t>(a[2], kLongestAddress));
    case SYS_setsockopt:
      return bytes(3, std::min<uint64_t>(a[4], sizeof(int)));
    case SYS_rt_sigaction:
      return bytes(1, kActionSize);
    case SYS_nanosleep:
      return bytes(0, kTimeSize);
#ifdef SYS_clone3
    case SYS_clone3:
      return bytes(0, sizeof(uint64_t));
#endif
    case SYS_clock_nanosleep:
    case SYS_ppoll:
    case SYS_rt_sigtimedwait:
      return bytes(2, kTimeSize);
#ifdef SYS_epoll_pwait2
    case SYS_epoll_pwait2:
      return bytes(3, kTimeSize);
#endif
#ifdef SYS_select
    case SYS_select:
#endif
    case SYS_pselect6:
      return bytes(4, kTimeSize);
    case SYS_write:
    case SYS_sendto:
      return bytes(1, std::min<uint64_t>(a[2], options_.dataLength));
    case SYS_writev:
    case SYS_sendmsg:
      return ScatteredData(thread, options_.dataLength);
    default:
      return "";
  }
}

// writev(2), sendmsg(2), and after the call readv(2), recvmsg(2): the bytes in their vectors, one after the
// other.
std::string Tracer::ScatteredData(const Thread& thread, size_t most) const {
  uint64_t vector[2] = {thread.arguments[1], thread.arguments[2]};
  const long number = Calls()[thread.call].number;
  if (number == SYS_sendmsg || number == SYS_recvmsg) {
    constexpr uint64_t kVectorInMessage = 16;  // struct msghdr: msg_iov, msg_iovlen
    if (!ReadValue(thread.tid, thread.arguments[1] + kVectorInMessage, &vector)) return "";
  }
  std::string data;
  constexpr uint64_t kMostParts = 64;
  for (uint64_t i = 0; i < std::min(vector[1], kMostParts) && data.size() < most; i++) {
    uint64_t part[2];
    if (!ReadValue(thread.tid, vector[0] + i * sizeof part, &part)) break;
    data += ReadBytes(thread.tid, part[0], std::min<uint64_t>(part[1], most - data.size()));
  }
  return data;
}

void Tracer::OnExit(Thread& thread) {
  int64_t result;
  thread.inCall = false;
  if (!ReadExit(thread.tid, &result)) return ResumeAsBefore(thread);
  UndoChanges(thread);
  if (thread.process != nullptr) Leave(thread, result);
  ResumeAsBefore(thread);
}

void Tracer::Leave(Thread& thread, int64_t result) {
  const Call& call = Calls()[thread.call];
  SocketFacts facts;
  if (result >= 0 && call.number == SYS_listen) {
    facts = DescribeSocket(thread.process->pid, static_cast<int>(thread.arguments[0]));
  } else if (result >= 0 && (call.family == Family::Accept || call.number == SYS_socket)) {
    facts = DescribeSocket(thread.process->pid, static_cast<int>(result));
  }
  records_.Add(Kind::Leave, SubjectOf(thread), {result, static_cast<int64_t>(facts.inode)},
               {ExitData(thread, result), facts.local, facts.peer});
}

std::string Tracer::ExitData(const Thread& thread, int64_t result) const {
  if (result < 0) return "";
  const uint64_t* const a = thread.arguments;
  const size_t length = std::min<size_t>(static_cast<size_t>(result), options_.dataLength);
  switch (Calls()[thread.call].number) {
    case SYS_wait4:
      return a[1] == 0 || result == 0 ? "" : ReadBytes(thread.tid, a[1], sizeof(int));
    case SYS_waitid:
      return a[2] == 0 ? "" : ReadBytes(thread.tid, a[2], kSiginfoHead);
    case SYS_read:
    case SYS_recvfrom:
      return ReadBytes(thread.tid, a[1], length);
    case SYS_readv:
    case SYS_recvmsg:
      return ScatteredData(thread, length);
    default:
      return "";
  }
}

}  // namespace truefork::trace
