// Forks; a client sends one line, gets it back, and that is the end of its connection.
#include "../server.h"

static void one_line(int fd) {
  char line[1024];
  size_t length = 0;
  while (length < sizeof line) {
    ssize_t n = read(fd, line + length, sizeof line - length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    length += n;
    if (memchr(line, '\n', length)) break;
  }
  write_all(fd, line, length);
}

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, reap, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    pid_t pid = fork();
    if (pid == 0) {
      close(listenfd);
      one_line(connfd);
      _exit(0);
    }
    close(connfd);
  }
}
