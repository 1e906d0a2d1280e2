#include "isolation/parent_death.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "support/raw_syscall.h"

namespace truefork {

namespace {

int peerSocket = -1;

bool PeerIsGone() {
  pollfd peer{peerSocket, 0, 0};  // POLLHUP is always told
  return poll(&peer, 1, 0) == 1 && (peer.revents & (POLLHUP | POLLERR)) != 0;
}

void OnPeerActivity(int) {
  const int saved = errno;
  if (PeerIsGone()) EndProcessGroup();
  errno = saved;
}

}  // namespace

void EndProcessGroup() {
  if (getpgrp() == getpid()) kill(0, SIGKILL);
  _exit(0);
}

void DieWithParent(pid_t parent) {
  RawSyscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (RawSyscall(SYS_getppid) != parent) RawSyscall(SYS_exit_group, 0);
}

void DieWithPeer(int socket) {
  peerSocket = socket;
  // A stopped process hears nothing of its socket. This goes on from there, and is harmless where it comes
  // early: the kernel means the thread that started this process, which may be a Worker that ends long before
  // its process.
  prctl(PR_SET_PDEATHSIG, SIGCONT);
  struct sigaction action {};
  action.sa_handler = OnPeerActivity;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGIO, &action, nullptr);
  fcntl(socket, F_SETOWN, getpid());
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_ASYNC);
  if (PeerIsGone()) EndProcessGroup();
}

void StopDyingWithPeer() {
  if (peerSocket < 0) return;
  fcntl(peerSocket, F_SETFL, fcntl(peerSocket, F_GETFL) & ~O_ASYNC);
  signal(SIGIO, SIG_DFL);
  peerSocket = -1;
}

}  // namespace truefork
