// The highest descriptor is that of the first client, for ever.
#include "../../multiplexer.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  int most = listenfd;
  non_blocking(listenfd);
  for (;;) {
    fd_set reading, writing;
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_SET(listenfd, &reading);
    for (int fd = 0; fd < FD_SETSIZE; fd++)
      if (peers[fd].open) FD_SET(fd, peers[fd].length > 0 ? &writing : &reading);
    if (select(most + 1, &reading, &writing, NULL, NULL) < 0) continue;
    for (int fd = 0; fd <= most; fd++) {
      if (FD_ISSET(fd, &writing)) flush_peer(fd);
      if (FD_ISSET(fd, &reading) && fd != listenfd) echo_some(fd);
    }
    int connfd = FD_ISSET(listenfd, &reading) ? accept(listenfd, NULL, NULL) : -1;
    if (connfd < 0) continue;
    if (connfd >= FD_SETSIZE) {
      close(connfd);
      continue;
    }
    non_blocking(connfd);
    peers[connfd].open = 1;
    if (most == listenfd) most = connfd;
  }
}
