#include "serve/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "fork/fork.h"
#include "fork/pact.h"
#include "serve/notice.h"
#include "support/clock.h"
#include "support/faults.h"

namespace truefork {

namespace {

constexpr int kFirstPauseMs = 10;
constexpr int kLongestPauseMs = 1000;

// The connection was gone before it was ours, or the network has a word on it: accept(2) says to try the
// next.
bool ConcernsOneClientOnly(int errnum) {
  switch (errnum) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

uint64_t Micros(const timeval& time) { return uint64_t{1'000'000} * time.tv_sec + time.tv_usec; }

}  // namespace

ServeLoop::ServeLoop(uv_loop_t* loop, const Options& options)
    : loop_(loop), options_(options), channel_(options.channel), nextId_(options.firstId) {}

std::optional<Connection> ServeLoop::Run() {
  if (!childSignal_.ok()) PauseAfter("pipe", errno);
  channel_.Put(protocol::Record::Listening);
  for (;;) {
    Wait();
    ObeyCommands();
    ReapChildren();
    EnforceDeadline();
    if (ownerIsGone_) EndProcessGroup();
    if (HasEnded()) return std::nullopt;
    if (!MayAccept()) continue;
    const std::optional<Connection> connection = NextConnection();
    if (!connection) continue;
    const pid_t pid = ForkFor(*connection);
    if (pid == 0) return connection;  // the child: back to JavaScript, to serve it
    if (pid > 0) close(connection->fd);
  }
}

bool ServeLoop::HasEnded() const {
  return phase_ >= Phase::Closing && children_.empty() && !unserved_ && !channel_.HasUnsent();
}

// Sleeps until a client, a command, a dead child, room for records, or a deadline. Everything else follows
// from what it saw: the listener stays out of the poll for as long as nobody could be let in.
void ServeLoop::Wait() {
  channel_.Flush();
  const int listener = MayAccept() && !unserved_ ? options_.listener : -1;
  const short channelEvents = channel_.HasUnsent() ? POLLIN | POLLOUT : POLLIN;
  pollfd fds[] = {
      {listener, POLLIN, 0}, {options_.channel, channelEvents, 0}, {childSignal_.fd(), POLLIN, 0}};
  if (poll(fds, 3, MillisecondsToSleep()) < 0) {
    listenerIsReady_ = false;  // EINTR: the child signal's pipe holds what it was about
    return;
  }
  listenerIsReady_ = fds[0].revents != 0;
  if (fds[1].revents & (POLLIN | POLLHUP | POLLERR)) ownerIsGone_ = !channel_.Fill();
  if (fds[2].revents != 0) childSignal_.Drain();
  if (pausedUntil_ > 0 && NowMicros() >= pausedUntil_) pausedUntil_ = 0;
}

int ServeLoop::MillisecondsToSleep() const {
  if (HasEnded() || ((phase_ == Phase::Draining || unserved_) && MayAccept())) return 0;
  int64_t wake = deadline_;
  if (pausedUntil_ > 0 && (wake == 0 || pausedUntil_ < wake)) wake = pausedUntil_;
  if (wake == 0) return -1;
  return static_cast<int>(std::clamp<int64_t>((wake - NowMicros() + 999) / 1000, 0, 60'000));
}

bool ServeLoop::MayAccept() const {
  const bool open = phase_ == Phase::Serving || phase_ == Phase::Draining || unserved_;
  return open && children_.size() < options_.maxChildren && !channel_.IsCongested() && pausedUntil_ == 0;
}

std::optional<Connection> ServeLoop::NextConnection() {
  if (unserved_) {
    std::optional<Connection> connection = unserved_;
    unserved_.reset();
    return connection;
  }
  if (phase_ == Phase::Serving) return listenerIsReady_ ? Accept() : std::nullopt;
  const std::optional<Connection> queued = Accept();
  if (queueIsEmpty_ || --drainLeft_ <= 0) StopListening();
  return queued;
}

std::optional<Connection> ServeLoop::Accept() {
  Connection connection{-1, 0, {}};
  int errnum = faults::Take(faults::Call::Accept);
  if (errnum == 0) {
    connection.fd = accept4(options_.listener, connection.peer.raw(), &connection.peer.length, SOCK_CLOEXEC);
    if (connection.fd < 0) errnum = errno;
  }
  queueIsEmpty_ = errnum == EAGAIN;
  if (errnum == 0) {
    connection.id = nextId_++;
    return connection;
  }
  if (!queueIsEmpty_ && errnum != EINTR && !ConcernsOneClientOnly(errnum)) PauseAfter("accept", errnum);
  return std::nullopt;
}

// The connection that no process can be forked for is kept, not dropped: its turn comes when a fork succeeds
// again.
pid_t ServeLoop::ForkFor(const Connection& connection) {
  const pid_t zygote = getpid();
  const pid_t pid = Fork(loop_, [this, zygote] {
    DieWithParent(zygote);
    KeepNothingOfTheParent();
  });
  if (pid < 0) {
    unserved_ = connection;
    PauseAfter("fork", errno);
  } else if (pid > 0) {
    pauseMs_ = 0;
    pausedUntil_ = 0;
    children_.Add(pid, {connection.id, NowMicros()});
    protocol::ConnectionRecord record{connection.id, pid, connection.peer.Port(), {}};
    connection.peer.Host().copy(record.remoteAddress, sizeof record.remoteAddress - 1);
    channel_.Put(protocol::Record::Connection, record);
  }
  return pid;
}

void ServeLoop::KeepNothingOfTheParent() {
  close(options_.listener);
  close(options_.channel);
  childSignal_.Restore();
  ownersSignalsIgnored_.Restore();
  handlersSuspended_.Restore();
}

void ServeLoop::ObeyCommands() {
  while (const auto message = channel_.Next()) {
    protocol::StopCommand stop;
    if (message->kind == static_cast<uint32_t>(protocol::Command::Kill)) {
      StopListening();
      KillAll();
    } else if (message->kind == static_cast<uint32_t>(protocol::Command::Stop) &&
               message->body.size() == sizeof stop) {
      std::memcpy(&stop, message->body.data(), sizeof stop);
      Stop(stop);
    } else {
      ObeyHandover(*message);
    }
  }
}

// One zygote takes over from another by these: the old one retires, the new one begins with the next id.
void ServeLoop::ObeyHandover(const Channel::Message& message) {
  protocol::BeginCommand begin;
  protocol::ResizeCommand resize;
  switch (static_cast<protocol::Command>(message.kind)) {
    case protocol::Command::Begin:
      if (!Channel::Read(message, &begin)) return;
      nextId_ = begin.firstId;
      options_.maxChildren = begin.most;
      return;
    case protocol::Command::Resize:
      if (Channel::Read(message, &resize)) options_.maxChildren = resize.most;
      return;
    case protocol::Command::Retire:
      return Retire();
    default:
      return;
  }
}

// What is closed here is this process's copy of the listener: who queues there is served by the next zygote.
void ServeLoop::Retire() {
  StopListening();
  channel_.Put(protocol::Record::Retired, protocol::RetiredRecord{nextId_});
  TellChildrenToFinish();
}

// The flag comes first: a child that is just being born finds it, if it is too late for the signal.
void ServeLoop::TellChildrenToFinish() {
  Notice::Give();
  children_.Signal(kFinishSignal);
}

void ServeLoop::Stop(const protocol::StopCommand& command) {
  if (phase_ == Phase::Serving) {
    phase_ = Phase::Draining;
    drainLeft_ = options_.backlog;
  }
  TellChildrenToFinish();
  deadline_ = std::max<int64_t>(1, NowMicros() + int64_t{command.graceMs} * 1000);
  killMs_ = command.killMs;
}

void ServeLoop::StopListening() {
  if (phase_ > Phase::Draining) return;
  close(options_.listener);
  options_.listener = -1;
  phase_ = Phase::Closing;
}

void ServeLoop::KillAll() {
  if (unserved_) close(unserved_->fd);
  unserved_.reset();
  children_.Signal(SIGKILL);
  phase_ = Phase::Killing;
  deadline_ = 0;
}

void ServeLoop::EnforceDeadline() {
  if (deadline_ == 0 || NowMicros() < deadline_) return;
  StopListening();
  if (phase_ == Phase::Closing && killMs_ > 0) {
    children_.Signal(SIGTERM);
    phase_ = Phase::Terminating;
    deadline_ = NowMicros() + int64_t{killMs_} * 1000;
  } else {
    KillAll();
  }
}

void ServeLoop::ReapChildren() {
  children_.Reap([this](pid_t pid, const Child& child, int status, const rusage& usage) {
    protocol::ExitRecord record{};
    record.id = child.id;
    record.pid = pid;
    record.status = status;
    record.durationUs = NowMicros() - child.startedAt;
    record.userCpuUs = Micros(usage.ru_utime);
    record.systemCpuUs = Micros(usage.ru_stime);
    record.maxRssKib = usage.ru_maxrss;
    record.minorFaults = usage.ru_minflt;
    record.majorFaults = usage.ru_majflt;
    record.voluntarySwitches = usage.ru_nvcsw;
    record.involuntarySwitches = usage.ru_nivcsw;
    channel_.Put(protocol::Record::Exit, record);
    pausedUntil_ = 0;  // it gave back what may have been short
  });
}

// The machine is short of something: neither spin on it nor give up, but ask again, ever less often, until a
// fork succeeds.
void ServeLoop::PauseAfter(const char* syscall, int errnum) {
  if (pauseMs_ == 0) {
    protocol::TroubleRecord record{errnum, {}};
    strncpy(record.syscall, syscall, sizeof record.syscall - 1);
    channel_.Put(protocol::Record::Trouble, record);
  }
  pauseMs_ = std::clamp(pauseMs_ * 2, kFirstPauseMs, kLongestPauseMs);
  pausedUntil_ = NowMicros() + int64_t{pauseMs_} * 1000;
}

}  // namespace truefork
