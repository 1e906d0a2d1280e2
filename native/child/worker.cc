#include "child/worker.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "child/traffic.h"
#include "fork/exits.h"

namespace truefork::worker {

namespace {

std::function<void(const Handover&)> serve;
int line = -1;
int done = -1;
Slot* slot = nullptr;
uv_loop_t* loop = nullptr;
uv_idle_t turn;
uv_check_t check;

void CloseLine() {
  close(line);
  line = -1;
}

// As long as nothing else goes on in this process it sleeps here, and not in the event loop's own poll: a
// connection then has one descriptor to come by, and not a watch on it.
void Wait(uv_check_t*) {
  uv_idle_stop(&turn);
  pollfd fds[] = {{line, POLLIN, 0}, {uv_backend_fd(loop), POLLIN, 0}};
  const int ready = poll(fds, 2, uv_backend_timeout(loop));
  if (ready <= 0 || fds[0].revents == 0) {
    uv_idle_start(&turn, [](uv_idle_t*) {});  // the loop takes a turn, and comes back
    return;
  }
  uv_check_stop(&check);
  const auto handover = ReceiveConnection(line);
  if (!handover) return CloseLine();  // sent away: nothing keeps the loop alive now
  if (handover->isLast) CloseLine();
  traffic::Begin(slot, handover->fd);
  serve(*handover);
}

// What else would be the end of the process is the end of a connection.
bool AwaitTheNext() {
  if (line < 0) return false;
  const pid_t pid = getpid();
  send(done, &pid, sizeof pid, MSG_NOSIGNAL);
  Await();
  return true;
}

}  // namespace

void Prepare(uv_loop_t* eventLoop, std::function<void(const Handover&)> begin) {
  serve = std::move(begin);
  loop = eventLoop;
  uv_idle_init(loop, &turn);
  uv_check_init(loop, &check);
  uv_unref(reinterpret_cast<uv_handle_t*>(&check));
}

void BelongTo(Slot* ours, int lineToZygote, int lineForAll) {
  slot = ours;
  line = lineToZygote;
  done = lineForAll;
  if (line >= 0) SetExitVeto(AwaitTheNext);
}

void Await() {
  uv_idle_start(&turn, [](uv_idle_t*) {});
  uv_check_start(&check, Wait);
}

}  // namespace truefork::worker
