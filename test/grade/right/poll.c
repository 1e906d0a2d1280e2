// poll() in one process.
#include "../multiplexer.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  non_blocking(listenfd);
  for (;;) {
    static struct pollfd fds[4096];
    int count = 0;
    fds[count++] = (struct pollfd){.fd = listenfd, .events = POLLIN};
    for (int fd = 0; fd < 4096; fd++)
      if (peers[fd].open)
        fds[count++] = (struct pollfd){.fd = fd, .events = peers[fd].length > 0 ? POLLOUT : POLLIN};
    if (poll(fds, count, -1) < 0) continue;
    for (int i = 1; i < count; i++) {
      if (fds[i].revents & POLLOUT)
        flush_peer(fds[i].fd);
      else if (fds[i].revents)
        echo_some(fds[i].fd);
    }
    int connfd = fds[0].revents ? accept(listenfd, NULL, NULL) : -1;
    if (connfd >= 4096) {
      close(connfd);
    } else if (connfd >= 0) {
      non_blocking(connfd);
      peers[connfd].open = 1;
    }
  }
}
