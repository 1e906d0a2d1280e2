#include "select/select_loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "child/drain_flag.h"
#include "select/poll_by_select.h"
#include "support/faults.h"
#include "support/lingering_close.h"

namespace truefork {

namespace {

using namespace std::chrono_literals;

constexpr size_t kChunk = 64 * 1024;
char chunk[kChunk];

constexpr Duration kWait = 100ms;  // after accept(2) failed

// The handler listens for it as a forked child would.
void AskHandlerToFinish() {
  DrainFlag::Set();
  raise(kFinishSignal);
}

}  // namespace

SelectLoop::SelectLoop(uv_loop_t* loop, const Options& options, Callbacks callbacks)
    : callbacks_(std::move(callbacks)),
      channel_(options.channel),
      reports_(channel_),
      commands_(channel_),
      listeners_(options.listeners),
      usesPoll_(options.usesPoll),
      capacity_(Capacity::kUnlimited),  // until the owner sets it
      backoff_(kWait, kWait) {
  turn_.Init(loop, [this] { Turn(); });
  RegisterCommands();
}

bool SelectLoop::Open(const char** failed) {
  *failed = "mmap";
  return DrainFlag::Create() && listeners_.Listen(failed);
}

void SelectLoop::Start() {
  reports_.Listening();
  turn_.Start();
}

// One round. Then JavaScript's event loop takes its turn, without waiting, and comes back.
void SelectLoop::Turn() {
  if (IsOver()) {
    turn_.Stop();
    return callbacks_.over();
  }
  const Ready ready = Wait();
  const Time now = Now();
  if (ready.owner && !commands_.Obey()) _exit(0);  // the owner is gone
  if (drainLeft_ > 0) {
    Drain(now);
  } else if (ready.client && MayAccept(now)) {
    AcceptOne(now);
  }
  for (const auto& [id, events] : ready.peers) ServeReady(id, events, now);
  EnforceDeadlines(now);
}

bool SelectLoop::MayAccept(Time now) const {
  return hasBegun_ && listeners_.IsOpen() && !capacity_.IsFull(peers_.size()) && !channel_.IsCongested() &&
         !backoff_.IsWaiting(now);
}

SelectLoop::Ready SelectLoop::Wait() {
  channel_.Flush();
  const Time now = Now();
  const short channelEvents = channel_.HasUnsent() ? POLLIN | POLLOUT : POLLIN;
  std::vector<pollfd> fds = {{MayAccept(now) ? listeners_.fd() : -1, POLLIN, 0},
                             {channel_.fd(), channelEvents, 0},
                             {turn_.fd(), POLLIN, 0}};
  const size_t firstPeer = fds.size();
  std::vector<uint64_t> ids;  // of the peers among them
  for (const auto& [id, peer] : peers_) {
    if (const short events = peer.PollEvents()) {
      fds.push_back({peer.fd(), events, 0});
      ids.push_back(id);
    }
  }
  int timeout = NextDeadline(now).PollTimeout(now);
  if (const int loopTimeout = turn_.Timeout(); loopTimeout >= 0)
    timeout = timeout < 0 ? loopTimeout : std::min(timeout, loopTimeout);
  const int count = usesPoll_ ? poll(fds.data(), fds.size(), timeout) : PollBySelect(fds, timeout);
  if (count < 0) return {};  // EINTR: a signal of JavaScript's is in the event loop's descriptor

  Ready ready{fds[0].revents != 0, (fds[1].revents & ~POLLOUT) != 0, {}};
  for (size_t i = 0; i < ids.size(); i++) {
    if (const short events = fds[firstPeer + i].revents) ready.peers.emplace_back(ids[i], events);
  }
  return ready;
}

Deadline SelectLoop::NextDeadline(Time now) const {
  if (IsOver() || (drainLeft_ > 0 && MayAccept(now))) return Deadline::Immediate();
  Deadline next = std::min(graceEndsAt_, backoff_.NextDeadline(now));
  for (const auto& [id, peer] : peers_) next = std::min(next, peer.lingersUntil());
  return next;
}

void SelectLoop::RegisterCommands() {
  using namespace protocol;
  commands_.On<StopCommand>(
      Command::Stop, [this](const auto& stop) { Stop(std::chrono::milliseconds(stop.graceMs), Now()); });
  commands_.On(Command::Kill, [this] { Stop(Duration::zero(), Now()); });
  commands_.On(Command::Retire, [this] {
    StopListening();
    reports_.Retired(nextId_);
    AskHandlerToFinish();
  });
  commands_.On<BeginCommand>(Command::Begin, [this](const auto& begin) {
    hasBegun_ = true;
    nextId_ = begin.firstId;
  });
  commands_.On<RetiredChildrenCommand>(
      Command::RetiredChildren, [this](const auto& retired) { capacity_.SetRetiredChildren(retired.count); });
  commands_.On<MaxConnectionsCommand>(Command::MaxConnections, [this](const auto& connections) {
    capacity_.SetMaximum(connections.maximum);
  });
}

void SelectLoop::Stop(Duration grace, Time now) {
  if (listeners_.IsOpen()) drainLeft_ = listeners_.backlog();
  graceEndsAt_ = now + grace;
  AskHandlerToFinish();
}

// Accepts the clients that are in the backlog, as there is room, before the listener is closed.
void SelectLoop::Drain(Time now) {
  if (!MayAccept(now)) return;
  if (AcceptOne(now) && --drainLeft_ > 0) return;
  StopListening();
}

void SelectLoop::StopListening() {
  drainLeft_ = 0;
  listeners_.Close();
}

void SelectLoop::EnforceDeadlines(Time now) {
  const bool graceIsOver = graceEndsAt_.HasPassed(now);
  if (graceIsOver) StopListening();
  for (auto next = peers_.begin(); next != peers_.end();) {
    const auto peer = next++;
    if (graceIsOver || peer->second.lingersUntil().HasPassed(now)) Close(peer);
  }
}

// False when the backlog is empty.
bool SelectLoop::AcceptOne(Time now) {
  Connection client{-1, 0, {}, {}, {}};
  int errnum = faults::Take(faults::Call::Accept);
  if (errnum == 0) {
    client.fd = listeners_.Accept(SOCK_NONBLOCK, &client.peer, &client.local);
    if (client.fd < 0) errnum = errno;
  }
  if (errnum == EAGAIN) return false;
  if (errnum == EINTR || ConcernsOneClientOnly(errnum)) return true;
  if (errnum != 0) {
    if (!backoff_.HasFailed()) reports_.Trouble("accept", errnum);
    backoff_.OnFailure(now);
    return true;
  }
  if (client.fd >= FD_SETSIZE && !usesPoll_) {
    Refuse(client.fd);
    return true;
  }
  backoff_.OnSuccess();
  isFull_ = false;
  client.id = nextId_++;
  client.host = client.peer.Text();
  reports_.Accepted(client, getpid());
  peers_.emplace(client.id, Peer(client.fd, now));
  callbacks_.open(client);
  return true;
}

// select(2) cannot wait for this descriptor. Reported once, until a connection is served again.
void SelectLoop::Refuse(int fd) {
  if (!isFull_) reports_.Trouble("select", EMFILE);
  isFull_ = true;
  shutdown(fd, SHUT_RDWR);
  close(fd);
}

void SelectLoop::ServeReady(uint64_t id, short events, Time now) {
  if (const auto peer = peers_.find(id); peer != peers_.end() && (events & POLLOUT)) Flush(peer, now);
  if (const auto peer = peers_.find(id); peer != peers_.end() && (events & ~POLLOUT)) Read(peer);
}

void SelectLoop::Read(Peers::iterator found) {
  auto& [id, peer] = *found;
  if (peer.HasFinished()) return;
  if (peer.IsLingering()) {
    if (!DropInput(peer.fd())) Close(found);
    return;
  }
  const ssize_t size = peer.Read(chunk, kChunk);
  if (size > 0) {
    callbacks_.data(id, chunk, size);
  } else if (size == 0) {
    callbacks_.end(id);
  } else if (size != -EAGAIN) {
    Fail(found, static_cast<int>(-size));
  }
}

void SelectLoop::Flush(Peers::iterator found, Time now) {
  if (const int errnum = found->second.Flush()) return Fail(found, errnum);
  if (found->second.IsDone() && !found->second.IsLingering()) CloseOrLinger(found, now);
}

bool SelectLoop::Write(uint64_t id, const char* bytes, size_t size) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || found->second.IsEnding()) return false;
  found->second.Write(bytes, size);
  const bool isAllSent = !found->second.HasUnsent();
  if (found->second.IsHopeless()) Fail(found, ENOBUFS);
  return isAllSent;
}

void SelectLoop::SetReading(uint64_t id, bool reads) {
  const auto found = peers_.find(id);
  if (found != peers_.end()) found->second.SetReading(reads);
}

void SelectLoop::End(uint64_t id) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  found->second.End();
  if (found->second.IsDone()) CloseOrLinger(found, Now());
}

void SelectLoop::Destroy(uint64_t id) {
  const auto found = peers_.find(id);
  if (found != peers_.end()) Close(found);
}

void SelectLoop::Release(uint64_t id) {
  const auto found = peers_.find(id);
  if (found != peers_.end()) found->second.Release();
}

void SelectLoop::CloseOrLinger(Peers::iterator found, Time now) {
  if (found->second.HasFinished()) {
    Close(found);
  } else {
    found->second.BeginLinger(now);
  }
}

void SelectLoop::Fail(Peers::iterator found, int errnum) {
  const uint64_t id = found->first;
  Close(found);
  callbacks_.fail(id, errnum);
}

void SelectLoop::Close(Peers::iterator found) {
  const auto& [id, peer] = *found;
  reports_.Ended(id, Now() - peer.acceptedAt());
  if (!peer.IsReleased()) close(peer.fd());
  peers_.erase(found);
}

}  // namespace truefork
