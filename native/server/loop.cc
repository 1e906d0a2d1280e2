#include "server/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "child/drain_flag.h"
#include "child/traffic.h"
#include "child/worker.h"
#include "fork/fork.h"
#include "isolation/parent_death.h"
#include "support/clock.h"
#include "support/faults.h"

namespace truefork {

namespace {

constexpr int kFirstPauseMs = 10;
constexpr int kLongestPauseMs = 1000;

constexpr size_t kFewChildren = 256;
constexpr int64_t kSweepMicros = 20'000;
constexpr int64_t kMs = 1000;  // microseconds

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

ServeLoop::ServeLoop(uv_loop_t* loop, Listeners& listeners, const Options& options)
    : loop_(loop),
      inherited_(loop),
      listeners_(listeners),
      options_(options),
      channel_(options.channel),
      admission_(options.maxChildren),
      pool_(options.pool),
      nextId_(options.firstId) {}

std::optional<Connection> ServeLoop::Run() {
  if (!childSignal_.ok()) PauseAfter("pipe", errno);
  AwaitSettings();
  channel_.Put(protocol::Record::Listening);
  channel_.Flush();
  options_.onceListening();
  resources_.MeasureMemory();
  for (;;) {
    Wait();
    ObeyCommands();
    HearWhoIsDone();
    ReapChildren();
    EnforceDeadline();
    pool_.Trim(NowMicros());
    supervisor_.EnforceLimits(NowMicros());
    refusals_.Attend(channel_, NowMicros());
    if (ownerIsGone_) EndProcessGroup();
    if (HasEnded()) return std::nullopt;
    std::optional<Connection> connection = MayAccept() ? NextConnection() : std::nullopt;
    if (!connection) {
      if (MayForkAhead() && ForkAhead() == 0) return Connection{-1, 0, {}, {}, {}};
      continue;
    }
    if (GiveToWaiting(*connection)) continue;
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
  if (phase_ == Phase::Serving) {
    flushAt_ = channel_.FlushInBatches();
  } else {
    flushAt_ = 0;
    channel_.Flush();
  }
  const int listener = MayAccept() && !unserved_ ? listeners_.fd() : -1;
  const short channelEvents = channel_.HasUnsent() && flushAt_ == 0 ? POLLIN | POLLOUT : POLLIN;
  pollfd fds[] = {{listener, POLLIN, 0},
                  {options_.channel, channelEvents, 0},
                  {childSignal_.fd(), POLLIN, 0},
                  {pool_.doneFd(), POLLIN, 0}};
  const nfds_t count = pool_.doneFd() >= 0 ? 4 : 3;  // poll(2) takes no more than RLIMIT_NOFILE
  if (poll(fds, count, MillisecondsToSleep()) < 0) {
    listenerIsReady_ = false;  // EINTR: the child signal's pipe holds what it was about
    return;
  }
  listenerIsReady_ = fds[0].revents != 0;
  if (fds[1].revents & (POLLIN | POLLHUP | POLLERR)) ownerIsGone_ = !channel_.Fill();
  if (fds[2].revents != 0) ended_ = childSignal_.Drain();
  if (pausedUntil_ > 0 && NowMicros() >= pausedUntil_) pausedUntil_ = 0;
}

int ServeLoop::MillisecondsToSleep() const {
  if (HasEnded() || MayForkAhead() || ((phase_ == Phase::Draining || unserved_) && MayAccept())) return 0;
  int64_t wake = 0;
  const int64_t opensAt = IsOpen() ? admission_.OpensAt(Occupied(), NowMicros()) : 0;
  for (const int64_t next : {deadline_, pausedUntil_, flushAt_, sweepAt_, opensAt, supervisor_.NextDeadline(),
                             refusals_.NextDeadline(), pool_.NextDeadline()}) {
    if (next > 0 && (wake == 0 || next < wake)) wake = next;
  }
  if (wake == 0) return -1;
  return static_cast<int>(std::clamp<int64_t>((wake - NowMicros() + 999) / 1000, 0, 60'000));
}

// Ahead of their connections children are forked when there is nothing else to do.
bool ServeLoop::MayForkAhead() const {
  return !options_.standby && phase_ == Phase::Serving && pausedUntil_ == 0 && !unserved_ &&
         pool_.WantsMore(children_.size(), admission_.maxChildren(), NowMicros());
}

bool ServeLoop::IsOpen() const {
  return !options_.standby && (phase_ == Phase::Serving || phase_ == Phase::Draining);
}

// One may always be in here, or a new zygote would have everybody wait for the longest connection of the old.
size_t ServeLoop::Occupied() const { return Serving() == 0 ? 0 : Serving() + elsewhere_; }

bool ServeLoop::MayAccept() const {
  if (channel_.IsCongested() || pausedUntil_ > 0) return false;
  if (unserved_) return Occupied() < admission_.maxChildren();
  return IsOpen() && admission_.TakesFromLine(Occupied(), NowMicros());
}

std::optional<Connection> ServeLoop::NextConnection() {
  if (unserved_) {
    std::optional<Connection> connection = unserved_;
    unserved_.reset();
    return connection;
  }
  if (phase_ == Phase::Serving) return listenerIsReady_ ? Accept() : std::nullopt;
  std::optional<Connection> queued = Accept();
  if (queueIsEmpty_ || --drainLeft_ <= 0) StopListening();
  return queued;
}

std::optional<Connection> ServeLoop::Accept() {
  Connection connection{-1, 0, {}, {}, {}};
  int errnum = faults::Take(faults::Call::Accept);
  if (errnum == 0) {
    connection.fd = listeners_.Accept(0, &connection.peer, &connection.local);
    if (connection.fd < 0) errnum = errno;
  }
  queueIsEmpty_ = errnum == EAGAIN;
  if (errnum == 0) {
    const int64_t now = NowMicros();
    if (const auto reason = admission_.Refuse(connection.peer, Occupied(), now)) {
      refusals_.TurnAway(connection.fd, *reason, connection.peer, now);
      return std::nullopt;
    }
    connection.id = nextId_++;
    connection.host = connection.peer.Text();
    return connection;
  }
  if (!queueIsEmpty_ && errnum != EINTR && !ConcernsOneClientOnly(errnum)) PauseAfter("accept", errnum);
  return std::nullopt;
}

bool ServeLoop::GiveToWaiting(const Connection& connection) {
  const auto worker = pool_.HandOver(connection, NowMicros());
  if (!worker) return false;
  TellOf(connection, worker->pid, worker->slot);
  close(connection.fd);
  return true;
}

// The connection that no process can be forked for is kept, not dropped: its turn comes when a fork succeeds
// again.
pid_t ServeLoop::ForkFor(const Connection& connection) {
  if (options_.program != nullptr) return StartProgram(connection);
  uint32_t slot;
  int line = -1;
  const pid_t pid = ForkChild(connection.fd, &slot, &line);
  if (pid < 0) return Postpone(connection);
  if (pid > 0) {
    pauseMs_ = 0;
    if (line >= 0) pool_.AddBusy({pid, line, slot, 1});
    TellOf(connection, pid, slot);
  }
  return pid;
}

pid_t ServeLoop::StartProgram(const Connection& connection) {
  const uint32_t slot = supervisor_.TakeSlot();
  std::function<void()> limit;
  if (resources_.Any()) limit = [this] { resources_.Limit(Resources::OfWhat::Program); };
  const pid_t pid = options_.program->Start(connection, &supervisor_.SlotOf(slot), limit);
  if (pid < 0) {
    const int errnum = errno;
    supervisor_.Leave(slot);
    errno = errnum;
    return Postpone(connection);
  }
  pauseMs_ = 0;
  TellOf(connection, pid, slot);
  return pid;
}

pid_t ServeLoop::Postpone(const Connection& connection) {
  unserved_ = connection;
  PauseAfter("fork", errno);
  return -1;
}

pid_t ServeLoop::ForkAhead() {
  uint32_t slot;
  int line = -1;
  const pid_t pid = ForkChild(-1, &slot, &line);
  if (pid > 0) {
    children_.Add(pid, {0, NowMicros(), slot, {}});
    pool_.AddIdle({pid, line, slot});
  } else if (pid < 0) {
    pool_.PauseAfterFailure(NowMicros());  // whom it concerns hears of it when a client comes
  }
  return pid;
}

// A child for this connection, or for one to come. It gets a line to us if it is to serve others as well.
pid_t ServeLoop::ForkChild(int fd, uint32_t* slot, int* line) {
  const pid_t zygote = getpid();
  int ends[2] = {-1, -1};
  if ((fd < 0 || pool_.Reuses()) && !OpenLine(ends)) return -1;
  *slot = supervisor_.TakeSlot();
  const auto inChild = [&] {
    DieWithParent(zygote);
    if (ends[0] >= 0) close(ends[0]);
    worker::BelongTo(&supervisor_.SlotOf(*slot), ends[1], pool_.doneLine());
    KeepNothingOfTheParent();
    if (fd >= 0) traffic::Begin(&supervisor_.SlotOf(*slot), fd);
    resources_.Limit(Resources::OfWhat::Copy);
  };
  // By reference: a copy would be made and freed with malloc, here and in the child.
  const pid_t pid = Fork(loop_, inherited_, std::ref(inChild));
  const int errnum = errno;
  if (pid != 0 && ends[1] >= 0) close(ends[1]);
  if (pid < 0) {
    supervisor_.Leave(*slot);
    if (ends[0] >= 0) close(ends[0]);
  }
  *line = ends[0];
  errno = errnum;
  return pid;
}

void ServeLoop::TellOf(const Connection& connection, pid_t pid, uint32_t slot) {
  children_[pid] = {connection.id, NowMicros(), slot, SourceOf(connection.peer)};
  supervisor_.Watch(slot, pid, connection.fd, connection.peer);
  channel_.Put(protocol::Record::Connection, RecordOf(connection, pid));
}

// A connection has ended, and its process goes on.
void ServeLoop::HearWhoIsDone() {
  while (const auto worker = pool_.NextDone()) {
    Child& child = children_[worker->pid];
    const int64_t now = NowMicros();
    supervisor_.Unwatch(child.slot);
    admission_.Leave(child.source, now);
    const protocol::EndRecord record{child.id, static_cast<uint64_t>(now - child.startedAt)};
    channel_.Put(protocol::Record::End, record);
    child.id = 0;
  }
}

void ServeLoop::KeepNothingOfTheParent() {
  listeners_.Close();
  close(options_.channel);
  pool_.CloseDescriptors();
  refusals_.CloseDescriptors();
  childSignal_.Restore();
  ownersSignalsIgnored_.Restore();
  handlersSuspended_.Restore();
}

void ServeLoop::AwaitSettings() {
  while (options_.settings > 0 && !ownerIsGone_) {
    pollfd fd{options_.channel, POLLIN, 0};
    if (poll(&fd, 1, -1) > 0) ownerIsGone_ = !channel_.Fill();
    ObeyCommands();
  }
}

void ServeLoop::ObeyCommands() {
  while (const auto message = channel_.Next()) Obey(*message);
}

void ServeLoop::Obey(const Channel::Message& message) {
  if (options_.settings > 0) options_.settings--;
  switch (static_cast<protocol::Command>(message.kind)) {
    case protocol::Command::Ping:
      return channel_.Put(protocol::Record::Pong);
    case protocol::Command::Kill:
      StopListening();
      return KillAll();
    case protocol::Command::Stop:
      return Stop(message.As<protocol::StopCommand>());
    case protocol::Command::Begin:
      options_.standby = false;
      nextId_ = message.As<protocol::BeginCommand>().firstId;
      return;
    case protocol::Command::Elsewhere:
      elsewhere_ = message.As<protocol::ElsewhereCommand>().children;
      return;
    case protocol::Command::Retire:
      return Retire();
    case protocol::Command::Resize:
      return;  // our limit is among those of Admission
    case protocol::Command::Times: {
      const auto times = message.As<protocol::TimesCommand>();
      return supervisor_.SetTimes(
          {times.firstByteMs * kMs, times.idleMs * kMs, times.connectionMs * kMs, times.killMs * kMs});
    }
    case protocol::Command::Admission:
      return admission_.SetLimits(message.As<protocol::AdmissionCommand>());
    case protocol::Command::Resources:
      return resources_.Set(message.As<protocol::ResourcesCommand>());
    case protocol::Command::AddressRules:
      // What TypeScript has checked and we cannot read is a fault of ours: better closed than open to all.
      if (!admission_.SetRules(message.body)) EndProcessGroup();
      return;
    case protocol::Command::Refusal:
      return SetRefusal(message);
    case protocol::Command::Config:
      return;  // the first of all: there would be no loop without it
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

void ServeLoop::SetRefusal(const Channel::Message& message) {
  const auto given = message.As<protocol::RefusalCommand>();
  const auto reason = static_cast<protocol::Reason>(given.reason);
  const auto policy = static_cast<protocol::Policy>(given.policy);
  admission_.SetPolicy(reason, policy);
  refusals_.SetPolicy(reason, policy, message.body.substr(std::min(sizeof given, message.body.size())));
}

void ServeLoop::Stop(const protocol::StopCommand& command) {
  if (phase_ == Phase::Serving) {
    phase_ = Phase::Draining;
    drainLeft_ = listeners_.backlog();
  }
  TellChildrenToFinish();
  deadline_ = std::max<int64_t>(1, NowMicros() + int64_t{command.graceMs} * 1000);
  killMs_ = command.killMs;
}

void ServeLoop::StopListening() {
  if (phase_ > Phase::Draining) return;
  listeners_.Close();
  refusals_.End(channel_);
  pool_.Dismiss();
  phase_ = Phase::Closing;
}

void ServeLoop::KillAll() {
  if (unserved_) {
    close(unserved_->fd);
    admission_.Leave(SourceOf(unserved_->peer), NowMicros());
  }
  unserved_.reset();
  children_.Signal(SIGKILL);
  phase_ = Phase::Killing;
  deadline_ = 0;
}

void ServeLoop::EnforceDeadline() {
  if (deadline_ == 0 || NowMicros() < deadline_) return;
  StopListening();
  supervisor_.Blame(protocol::Limit::Grace);
  if (phase_ == Phase::Closing && killMs_ > 0) {
    children_.Signal(SIGTERM);
    phase_ = Phase::Terminating;
    deadline_ = NowMicros() + int64_t{killMs_} * 1000;
  } else {
    KillAll();
  }
}

// With thousands of children the kernel's search for any that has ended would cost more than a fork. Then we
// wait for those of whom a signal came, and look for others once in a while.
void ServeLoop::ReapChildren() {
  const int64_t now = NowMicros();
  const bool isDue = sweepAt_ > 0 && now >= sweepAt_;
  if (ended_.empty() && !isDue) return;
  const Children::Ended tell = [this](pid_t pid, const Child& child, int status, const rusage& usage) {
    TellOfEnd(pid, child, status, usage);
  };
  if (isDue || children_.size() <= kFewChildren) {
    children_.Reap(tell);
    sweepAt_ = 0;
  } else {
    children_.Reap(ended_, tell);
    if (sweepAt_ == 0) sweepAt_ = now + kSweepMicros;
  }
  ended_.clear();
}

void ServeLoop::TellOfEnd(pid_t pid, const Child& child, int status, const rusage& usage) {
  pool_.Forget(pid, NowMicros());
  if (options_.program != nullptr) options_.program->Forget(pid);
  pausedUntil_ = 0;  // it gave back what may have been short
  if (child.id == 0) {
    supervisor_.Leave(child.slot);
    return;
  }
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
  const Supervisor::Outcome outcome = supervisor_.Leave(child.slot);
  record.bytesIn = outcome.bytesIn;
  record.bytesOut = outcome.bytesOut;
  record.execErrnum = outcome.execErrnum;
  record.limit =
      static_cast<uint32_t>(LimitThatEnded(outcome, status, record.userCpuUs + record.systemCpuUs));
  admission_.Leave(child.source, NowMicros());
  channel_.Put(protocol::Record::Exit, record);
}

protocol::Limit ServeLoop::LimitThatEnded(const Supervisor::Outcome& outcome, int status,
                                          uint64_t cpuUs) const {
  if (outcome.limit != protocol::Limit::None) return outcome.limit;
  if (resources_.IsOutOfCpu(status, cpuUs)) return protocol::Limit::Cpu;
  // One that went on without the memory, and ended well, was not ended for it.
  if (status != 0 && outcome.isOutOfMemory && resources_.CapsMemory()) return protocol::Limit::Memory;
  return protocol::Limit::None;
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
