#include "child/worker.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "child/traffic.h"
#include "fork/exits.h"
#include "rollback/rollback.h"
#include "support/loop_turn.h"

namespace truefork::worker {

namespace {

// There is one worker in a process: the process.
std::function<void(const Handoff&)> serve;
std::function<void()> finish;
int channel = -1;
Slot* slot = nullptr;
LoopTurn turn;
LoopTurn markTurn;

void CloseChannel() {
  close(channel);
  channel = -1;
}

// While nothing else goes on in this process, it sleeps here and not in the event loop's own poll, which
// would need a watch on the channel: a page to write to in each child, and a system call.
void Wait() {
  pollfd fds[] = {{channel, POLLIN, 0}, {turn.fd(), POLLIN, 0}};
  if (poll(fds, 2, turn.Timeout()) <= 0 || fds[0].revents == 0)
    return;  // the event loop's turn, then this again
  turn.Stop();
  const auto handoff = ReceiveHandoff(channel);
  if (!handoff) return CloseChannel();  // Dismissed: nothing keeps the event loop alive now.
  if (handoff->isLast) CloseChannel();
  traffic::Begin(slot, handoff->fd);
  serve(*handoff);
}

// Running or ended. A worker that lies about it harms its own next connection alone, whose memory it has
// anyway.
bool HasChildren() {
  siginfo_t any{};
  return waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// Called where the process would end: only its connection has. Closing that takes libuv one more turn of the
// loop if it was a handle of its, after which this is called again.
bool AwaitNext() {
  if (channel < 0) return false;
  if (HasChildren()) {
    // What the connection left running ends with this process, and a fork takes its place.
    CloseChannel();
    return false;
  }
  finish();
  if (LoopIsAlive()) return true;
  SendDone(channel);
  Await();
  return true;
}

// What was posted to the loop before the mark would be read once, and missing after each rollback.
bool HasUnreadWakeUp() {
  pollfd wakeUp{markTurn.wakeUpFd(), POLLIN, 0};
  return poll(&wakeUp, 1, 0) == 1;
}

void SayServed(const rollback::Served& served) {
  rusage total;
  getrusage(RUSAGE_SELF, &total);
  SendDone(channel, {served.wasSlow ? 2u : 1u, Usage::From(served.usage), Usage::From(total)});
}

// Called once, and returned to after each connection: what was written by then is undone.
void ServeFromMark() {
  if (HasUnreadWakeUp()) return;  // the event loop's turn, then this again
  markTurn.Stop();
  const rollback::Worker worker{
      markTurn.fd(), {markTurn.wakeUpFd(), markTurn.signalFd()}, &slot->replacedFor};
  const bool canRollBack = rollback::PrepareWorker(worker) && rollback::Mark();
  if (canRollBack && rollback::LastServed().rollbacks > 0) SayServed(rollback::LastServed());
  const auto handoff = ReceiveHandoff(channel);
  if (!handoff) {
    rollback::GiveUp();
    ExitNow(0);  // Dismissed.
  }
  markTurn.UpdateTime();
  traffic::Begin(slot, handoff->fd);
  if (canRollBack && !handoff->isLast) {
    rollback::BeginConnection();
  } else {
    rollback::GiveUp();
    if (!canRollBack) slot->replacedFor = static_cast<uint32_t>(rollback::Reason::Unsupported);
  }
  serve(*handoff);
}

}  // namespace

void Prepare(uv_loop_t* loop, std::function<void(const Handoff&)> onConnection,
             std::function<void()> onServed) {
  serve = std::move(onConnection);
  finish = std::move(onServed);
  turn.Init(loop, Wait);
  markTurn.Init(loop, ServeFromMark);
}

void Join(Slot* ownSlot, int ownChannel) {
  slot = ownSlot;
  channel = ownChannel;
  if (channel >= 0) SetExitVeto(AwaitNext);
}

void Await() { turn.Start(); }

void AwaitAndRollBack() {
  SetExitVeto([] { return false; });
  InsteadOfExit([](int code) {
    if (code == 0) rollback::RollBack();
  });
  markTurn.Start();
}

}  // namespace truefork::worker
