// Writes until the client has taken all of it.
#include "../../multiplexer.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  static struct pollfd fds[1024];
  int count = 1;
  fds[0] = (struct pollfd){.fd = listenfd, .events = POLLIN};
  for (;;) {
    if (poll(fds, count, -1) < 0) continue;
    for (int i = count - 1; i > 0; i--) {
      char buffer[4096];
      if (!fds[i].revents) continue;
      ssize_t n = read(fds[i].fd, buffer, sizeof buffer);
      if (n > 0) {
        write_all(fds[i].fd, buffer, n);
      } else {
        close(fds[i].fd);
        fds[i] = fds[--count];
      }
    }
    if (!fds[0].revents || count == 1024) continue;
    int connfd = accept(listenfd, NULL, NULL);
    if (connfd >= 0) fds[count++] = (struct pollfd){.fd = connfd, .events = POLLIN};
  }
}
