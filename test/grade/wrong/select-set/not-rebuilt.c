#include "../../multiplexer.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  fd_set reading;
  FD_ZERO(&reading);
  FD_SET(listenfd, &reading);
  int most = listenfd;
  for (;;) {
    if (select(most + 1, &reading, NULL, NULL, NULL) < 0) continue;
    for (int fd = 0; fd <= most; fd++) {
      if (!FD_ISSET(fd, &reading)) continue;
      if (fd == listenfd) {
        int connfd = accept(listenfd, NULL, NULL);
        if (connfd < 0 || connfd >= FD_SETSIZE) continue;
        FD_SET(connfd, &reading);
        if (connfd > most) most = connfd;
        continue;
      }
      char buffer[4096];
      ssize_t n = read(fd, buffer, sizeof buffer);
      if (n > 0) {
        write_all(fd, buffer, n);
      } else {
        close(fd);
        FD_CLR(fd, &reading);
        FD_SET(listenfd, &reading);
      }
    }
  }
}
