// Reads a whole line from whoever has begun one.
#include "../../multiplexer.h"

static int read_line(int fd, char *line, int room) {
  int length = 0;
  while (length < room) {
    if (read(fd, line + length, 1) <= 0) return 0;
    if (line[length++] == '\n') break;
  }
  return length;
}

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  static struct pollfd fds[1024];
  int count = 1;
  fds[0] = (struct pollfd){.fd = listenfd, .events = POLLIN};
  for (;;) {
    if (poll(fds, count, -1) < 0) continue;
    for (int i = count - 1; i > 0; i--) {
      char line[1024];
      if (!fds[i].revents) continue;
      int n = read_line(fds[i].fd, line, sizeof line);
      if (n > 0) {
        write_all(fds[i].fd, line, n);
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
