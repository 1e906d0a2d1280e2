// select() in one process; clients beyond FD_SETSIZE are refused.
#include "../multiplexer.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  non_blocking(listenfd);
  for (;;) {
    fd_set reading, writing;
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_SET(listenfd, &reading);
    int most = listenfd;
    for (int fd = 0; fd < FD_SETSIZE; fd++) {
      if (!peers[fd].open) continue;
      FD_SET(fd, peers[fd].length > 0 ? &writing : &reading);
      if (fd > most) most = fd;
    }
    if (select(most + 1, &reading, &writing, NULL, NULL) < 0) continue;
    for (int fd = 0; fd <= most; fd++) {
      if (FD_ISSET(fd, &writing)) flush_peer(fd);
      if (!FD_ISSET(fd, &reading)) continue;
      if (fd != listenfd) {
        echo_some(fd);
        continue;
      }
      int connfd = accept(listenfd, NULL, NULL);
      if (connfd >= FD_SETSIZE) {
        close(connfd);
      } else if (connfd >= 0) {
        non_blocking(connfd);
        peers[connfd].open = 1;
      }
    }
  }
}
