// The forking server: the lecture's accept, fork, close and waitpid. Each line of the loop in Run() that
// needs more than a system call is one class, in the file of its name.
#include "server/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "child/drain_flag.h"
#include "isolation/parent_death.h"
#include "server/fork_spawner.h"

namespace truefork {

ServeLoop::ServeLoop(uv_loop_t* loop, const Options& options)
    : options_(options),
      channel_(options.channel),
      reports_(channel_),
      isolation_(options.isolation),
      timeouts_(slots_, isolation_.tree()),
      refusals_(reports_),
      acceptor_(options.listeners, admission_, refusals_, reports_),
      spares_(options.spares),
      shutdown_(acceptor_, spares_, children_, timeouts_),
      commands_(channel_) {
  if (options.program) {
    spawner_ = std::make_unique<ExecSpawner>(*options.program, slots_, limits_, isolation_);
  } else {
    spawner_ = std::make_unique<ForkSpawner>(loop, slots_, limits_, isolation_, spares_,
                                             [this] { ReleaseParentResources(); });
  }
  RegisterCommands();
}

bool ServeLoop::Open(const char** failed) {
  *failed = "mmap";
  if (!slots_.ok() || !DrainFlag::Create()) return false;
  *failed = "pipe";
  if (!children_.ok()) return false;
  return acceptor_.Listen(failed);
}

ServeLoop::Outcome ServeLoop::Run() {
  AwaitSettings();
  reports_.Listening(isolation_.holds());
  if (options_.onListening) options_.onListening();
  limits_.MeasureMemory();
  for (;;) {
    const Ready ready = Wait();  // poll(2)
    const Time now = Now();
    if (ready.owner) Obey();
    if (ready.worker) CollectWorkers(now);
    if (ready.child)
      children_.Reap(now, [&](const EndedChild& ended) { OnChildEnded(ended, now); });  // waitpid(2)
    EnforceDeadlines(now);
    if (IsOver()) return Over{};

    const auto client = acceptor_.Accept(ready.client, children_.serving(), now);  // accept(2)
    if (!client) {
      if (MayForkAhead(now) && ForkAhead(now) == 0) return AwaitHandoff{};
      continue;
    }
    if (const auto worker = spares_.HandOff(*client, now)) {
      OnServing(*client, worker->pid, worker->slot, now);
      close(client->fd);
      continue;
    }
    const Spawned child = spawner_->Spawn(*client);  // fork(2)
    if (child.pid == 0 && spares_.RollsBack()) return AwaitHandoff{};
    if (child.pid == 0) return Serve{*client};  // the child: back to JavaScript, to serve it
    if (child.pid < 0) {
      acceptor_.HoldBack(*client, errno, now);
      continue;
    }
    OnChildStarted(child);
    OnServing(*client, child.pid, child.slot, now);
    close(client->fd);  // the parent's copy; the connection stays open in the child
  }
}

// Sleeps until a client, a command, an ended child, a worker that is done, room for records, or a deadline.
ServeLoop::Ready ServeLoop::Wait() {
  Deadline flush;
  if (shutdown_.HasBegun()) {
    channel_.Flush();
  } else {
    flush = channel_.FlushInBatches();
  }
  const Time now = Now();
  const bool waitsForRoom = channel_.HasUnsent() && !flush.IsSet();
  pollfd fds[] = {{acceptor_.PollFd(children_.serving(), now), POLLIN, 0},
                  {channel_.fd(), static_cast<short>(waitsForRoom ? POLLIN | POLLOUT : POLLIN), 0},
                  {children_.fd(), POLLIN, 0},
                  {spares_.doneFd(), POLLIN, 0}};
  const nfds_t count = spares_.doneFd() >= 0 ? 4 : 3;  // poll(2) takes no more than RLIMIT_NOFILE
  if (poll(fds, count, NextDeadline(flush, now).PollTimeout(now)) < 0)
    return {};  // EINTR: SIGCHLD is in its pipe
  return {fds[0].revents != 0, (fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0,
          fds[2].revents != 0 || children_.NextDeadline().HasPassed(Now()), fds[3].revents != 0};
}

Deadline ServeLoop::NextDeadline(Deadline flush, Time now) const {
  if (IsOver() || MayForkAhead(now)) return Deadline::Immediate();
  return std::min({flush, acceptor_.NextDeadline(children_.serving(), now), children_.NextDeadline(),
                   timeouts_.NextDeadline(), refusals_.NextDeadline(), spares_.NextDeadline(now),
                   shutdown_.NextDeadline(), isolation_.NextDeadline()});
}

void ServeLoop::EnforceDeadlines(Time now) {
  timeouts_.Enforce(now);
  shutdown_.Enforce(now);
  refusals_.Enforce(now);
  spares_.Trim(now);
  isolation_.Enforce(now, [this](pid_t pid) { return children_.Has(pid); });
}

// Spares are forked when there is nothing else to do.
bool ServeLoop::MayForkAhead(Time now) const {
  return acceptor_.HasBegun() && !shutdown_.HasBegun() && !acceptor_.IsBackingOff(now) &&
         !acceptor_.IsHoldingBack() &&
         spares_.WantsMore(children_.size(), admission_.capacity().maximum(), now);
}

pid_t ServeLoop::ForkAhead(Time now) {
  const Spawned child = spawner_->SpawnSpare();
  if (child.pid > 0) {
    children_.Add(child.pid, child.slot);
    spares_.AddIdle({child.pid, child.channel, child.slot}, now);
  } else if (child.pid < 0) {
    spares_.OnForkFailure(now);  // Not reported: it is trouble only if a fork for a client fails, too.
  }
  return child.pid;
}

void ServeLoop::OnChildStarted(const Spawned& child) {
  children_.Add(child.pid, child.slot);
  acceptor_.OnForkSuccess();
  if (child.channel >= 0) spares_.AddBusy({child.pid, child.channel, child.slot, 1});
}

void ServeLoop::OnServing(const Connection& client, pid_t pid, uint32_t slot, Time now) {
  children_.BeginServing(pid, {client.id, now, SourceOf(client.peer)});
  timeouts_.Watch(slot, pid, client.fd, client.peer);
  reports_.Accepted(client, pid);
}

void ServeLoop::OnChildEnded(const EndedChild& ended, Time now) {
  const uint32_t slot = ended.child.slot;
  spares_.Forget(ended.pid, now);
  spawner_->Forget(ended.pid);
  isolation_.OnEnded(ended.pid, now);
  acceptor_.RetryNow();
  if (const auto& serving = ended.child.serving) {
    const auto outcome = timeouts_.Unwatch(slot);
    admission_.Release(serving->source, now);
    const Usage usage = Usage::From(ended.usage).Since(ended.child.before);
    reports_.Exited({serving->id, ended.pid, ended.status, now - serving->since, usage, outcome.bytesIn,
                     outcome.bytesOut,
                     outcome.limit != protocol::Limit::None
                         ? outcome.limit
                         : limits_.CauseOfEnd(ended.status, ended.usage, outcome.isOutOfMemory),
                     outcome.execErrnum, outcome.replacedFor});
  }
  slots_.Free(slot);
}

// Workers that have served their connection, and wait for the next.
void ServeLoop::CollectWorkers(Time now) {
  while (const auto worker = spares_.NextDone(now)) {
    const Child::Serving served = children_.EndServing(worker->pid, worker->done.total);
    const auto outcome = timeouts_.Unwatch(worker->slot);
    admission_.Release(served.source, now);
    reports_.Ended({served.id, now - served.since, worker->done, outcome.bytesIn, outcome.bytesOut});
  }
}

// In a child, right after the fork. Every descriptor that a child kept open would be one that the zygote
// cannot close.
void ServeLoop::ReleaseParentResources() {
  acceptor_.CloseDescriptors();
  close(channel_.fd());
  spares_.CloseDescriptors();
  children_.RestoreSignal();
  isolation_.CloseDescriptors();
  ownersSignalsIgnored_.Restore();
  handlersSuspended_.Restore();
}

// Nobody is left to serve for. Children and what they started go first, group by group, for they are in none
// with the zygote.
void ServeLoop::EndWithOwner() {
  children_.SignalGroups(SIGKILL);
  isolation_.EndAll();
  EndProcessGroup();
}

}  // namespace truefork
