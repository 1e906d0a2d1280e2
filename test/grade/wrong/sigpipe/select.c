#include "../../multiplexer.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  static struct pollfd fds[1024];
  int count = 1;
  fds[0] = (struct pollfd){.fd = listenfd, .events = POLLIN};
  for (;;) {
    if (poll(fds, count, -1) < 0) continue;
    for (int i = count - 1; i > 0; i--) {
      char buffer[512];
      if (!fds[i].revents) continue;
      ssize_t n = read(fds[i].fd, buffer, sizeof buffer);
      int failed = n <= 0;
      for (ssize_t sent = 0; !failed && sent < n;) {
        // A client that does not read is dropped.
        ssize_t m = write(fds[i].fd, buffer + sent, n - sent);
        if (m < 0)
          failed = 1;
        else
          sent += m;
      }
      if (!failed) continue;
      close(fds[i].fd);
      fds[i] = fds[--count];
    }
    if (!fds[0].revents || count == 1024) continue;
    int connfd = accept(listenfd, NULL, NULL);
    if (connfd < 0) continue;
    non_blocking(connfd);
    fds[count++] = (struct pollfd){.fd = connfd, .events = POLLIN};
  }
}
