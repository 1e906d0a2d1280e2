#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, reap, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    if (fork() == 0) {
      char buffer[4096];
      ssize_t n;
      close(listenfd);
      while ((n = read(connfd, buffer, sizeof buffer)) > 0) write(connfd, buffer, n);
      _exit(0);
    }
    close(connfd);
  }
}
