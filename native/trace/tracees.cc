#include "trace/tracees.h"

namespace truefork::trace {

Thread* Tracees::Find(pid_t tid) {
  const auto found = threads_.find(tid);
  return found == threads_.end() ? nullptr : found->second.get();
}

Thread& Tracees::Add(pid_t tid) {
  std::unique_ptr<Thread>& thread = threads_[tid];
  if (!thread) thread = std::make_unique<Thread>();
  thread->tid = tid;
  return *thread;
}

Process& Tracees::AddProcess(pid_t pid, pid_t parent) {
  std::unique_ptr<Process>& process = processes_[pid];
  process = std::make_unique<Process>();
  process->pid = pid;
  process->parent = parent;
  return *process;
}

Process* Tracees::FindProcess(pid_t pid) {
  const auto found = processes_.find(pid);
  return found == processes_.end() ? nullptr : found->second.get();
}

void Tracees::Attach(Thread& thread, Process& process) {
  thread.process = &process;
  process.threads++;
}

void Tracees::Remove(pid_t tid) {
  const auto found = threads_.find(tid);
  if (found == threads_.end()) return;
  Process* const process = found->second->process;
  threads_.erase(found);
  if (process == nullptr) return;
  process->threads--;
  if (process->pid != tid) return;
  // The first thread is reported last, except of an exec by another: Rename() has moved that one here
  // already.
  for (auto& [other, thread] : threads_) {
    if (thread->process == process) thread->process = nullptr;
  }
  processes_.erase(tid);
  gone_.insert(tid);
}

void Tracees::Rename(pid_t from, pid_t to) {
  const auto found = threads_.find(from);
  if (from == to || found == threads_.end()) return;
  std::unique_ptr<Thread> thread = std::move(found->second);
  threads_.erase(found);
  thread->tid = to;
  Process* const process = thread->process;
  for (auto other = threads_.begin(); other != threads_.end();) {
    other = other->second->process == process ? threads_.erase(other) : std::next(other);
  }
  if (process != nullptr) process->threads = 1;
  threads_[to] = std::move(thread);
}

std::vector<pid_t> Tracees::ProcessIds() const {
  std::vector<pid_t> ids;
  for (const auto& [pid, process] : processes_) ids.push_back(pid);
  return ids;
}

}  // namespace truefork::trace
