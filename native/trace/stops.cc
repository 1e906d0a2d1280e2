// What the stop of a thread means (ptrace(2), "Stopped states"), all but those of system calls:
// calls_traced.cc.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "trace/image.h"
#include "trace/memory.h"
#include "trace/status_file.h"
#include "trace/tracer.h"

namespace truefork::trace {

namespace {

constexpr int kSysGood = 0x80;
constexpr size_t kLongestArguments = 64 * 1024;

bool StopsByDefault(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

std::string FileOf(pid_t pid) {
  char link[32];
  char target[4096];
  snprintf(link, sizeof link, "/proc/%d/exe", pid);
  const ssize_t length = readlink(link, target, sizeof target);
  return length > 0 ? std::string(target, static_cast<size_t>(length)) : std::string();
}

std::string ArgumentsOf(pid_t pid) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
  std::string arguments(kLongestArguments, '\0');
  FILE* const file = fopen(path, "re");
  if (file == nullptr) return "";
  arguments.resize(fread(arguments.data(), 1, arguments.size(), file));
  fclose(file);
  return arguments;
}

}  // namespace

void Tracer::OnGone(pid_t tid, int status) {
  const Thread* const thread = tracees_.Find(tid);
  // A child that was never attached: it died with its parent's fork event still to come.
  if (thread == nullptr) return;
  const Subject subject = SubjectOf(*thread);
  if (subject.pid == tid) {
    records_.Add(Kind::Exit, {tid, tid, kNoCall}, {status});
  } else {
    records_.Add(Kind::ThreadExit, {subject.pid, tid, kNoCall});
  }
  tracees_.Remove(tid);
}

void Tracer::OnStop(pid_t tid, int status) {
  Thread* thread = tracees_.Find(tid);
  if (thread == nullptr) {
    // The first stop of a child can come before its parent's fork event, which says whose child it is.
    tracees_.Add(tid);
    return;
  }
  const int signal = WSTOPSIG(status);
  const int event = status >> 16;
  if (event != 0) {
    OnEvent(*thread, event, signal);
  } else if (signal == (SIGTRAP | kSysGood)) {
    OnExit(*thread);
  } else if (signal == SIGTRAP && thread->stepping != 0) {
    OnStep(*thread);
  } else {
    OnSignal(*thread, signal);
  }
}

void Tracer::OnEvent(Thread& thread, int event, int signal) {
  switch (event) {
    case PTRACE_EVENT_SECCOMP:
      return OnEntry(thread);
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
      return OnFork(thread, event);
    case PTRACE_EVENT_EXEC:
      return OnExec(thread);
    case PTRACE_EVENT_STOP:
      return OnTraceStop(thread, signal);
    default:
      ResumeAsBefore(thread);
  }
}

// The stop with which a thread begins to be traced, a group-stop, or the end of one.
void Tracer::OnTraceStop(Thread& thread, int signal) {
  if (thread.process == nullptr) return;  // it goes on when its parent's fork event has come
  if (StopsByDefault(signal)) {
    if (!thread.process->stopped) records_.Add(Kind::Stopped, SubjectOf(thread), {signal});
    thread.process->stopped = true;
    // It stays stopped, as it would untraced, and SIGCONT ends that.
    ptrace(PTRACE_LISTEN, thread.tid, nullptr, 0L);
    return;
  }
  if (thread.process->stopped) {
    thread.process->stopped = false;
    records_.Add(Kind::Continued, SubjectOf(thread));
  }
  ResumeAsBefore(thread);
}

void Tracer::OnFork(Thread& thread, int event) {
  unsigned long message = 0;
  if (ptrace(PTRACE_GETEVENTMSG, thread.tid, nullptr, &message) == 0 && thread.process != nullptr) {
    const pid_t tid = static_cast<pid_t>(message);
    const bool hasStopped = tracees_.Find(tid) != nullptr;
    Thread& born = tracees_.Add(tid);
    const BornBy how = event == PTRACE_EVENT_FORK    ? BornBy::Fork
                       : event == PTRACE_EVENT_VFORK ? BornBy::VFork
                       : thread.isThreadClone        ? BornBy::Thread
                                                     : BornBy::Clone;
    if (how == BornBy::Thread) {
      tracees_.Attach(born, *thread.process);
      records_.Add(Kind::Born, SubjectOf(born), {thread.process->pid, static_cast<int>(how)});
    } else {
      Process& process = tracees_.AddProcess(tid, thread.process->pid);
      process.image = thread.process->image;
      tracees_.Attach(born, process);
      records_.Add(Kind::Born, SubjectOf(born), {thread.process->pid, static_cast<int>(how)});
    }
    if (ending_) kill(born.process->pid, SIGKILL);
    if (hasStopped) Resume(born, Until::Call);
  }
  ResumeAsBefore(thread);
}

void Tracer::OnExec(Thread& thread) {
  unsigned long former = 0;
  ptrace(PTRACE_GETEVENTMSG, thread.tid, nullptr, &former);
  const pid_t tid = thread.tid;
  tracees_.Rename(static_cast<pid_t>(former), tid);
  Thread& executing = *tracees_.Find(tid);
  executing.inCall = false;
  executing.stepping = 0;
  executing.call = kNoCall;
  const std::string file = FileOf(tid);
  const bool isFirst = tid == launch_.pid() && executing.process->image == nullptr;
  images_.push_back(Image::Load(tid, file));
  executing.process->image = images_.back().get();
  if (isFirst) {
    const int64_t born = static_cast<int64_t>(BornBy::Root);
    records_.Add(Kind::Born, SubjectOf(executing), {0, born, records_.startedAt()});
  }
  records_.Add(Kind::Exec, SubjectOf(executing), {}, {file, ArgumentsOf(tid)});
  ResumeAsBefore(executing);
}

void Tracer::OnSignal(Thread& thread, int signal) {
  siginfo_t info = {};
  ptrace(PTRACE_GETSIGINFO, thread.tid, nullptr, &info);
  const Disposition disposition = DispositionOf(thread.tid, signal);
  const bool isFromProcess = info.si_code <= 0 || signal == SIGCHLD;
  const int64_t sender = isFromProcess ? info.si_pid : 0;
  if (thread.process != nullptr) {
    records_.Add(Kind::Signal, {SubjectOf(thread).pid, thread.tid, kNoCall},
                 {signal, static_cast<int>(disposition), info.si_code, sender});
  }
  const bool isWatched = std::find(options_.watchedSignals.begin(), options_.watchedSignals.end(), signal) !=
                         options_.watchedSignals.end();
  if (isWatched && disposition == Disposition::Handler && thread.stepping == 0 && thread.process != nullptr) {
    watch_.Begin(thread, signal);
  }
  ResumeAsBefore(thread, signal);
}

void Tracer::OnStep(Thread& thread) {
  const std::string function = watch_.Look(thread);
  if (!function.empty()) {
    records_.Add(Kind::UnsafeCall, SubjectOf(thread), {thread.stepping}, {function});
  }
  if (watch_.IsTooLong(thread)) thread.stepping = 0;
  ResumeAsBefore(thread);
}

}  // namespace truefork::trace
