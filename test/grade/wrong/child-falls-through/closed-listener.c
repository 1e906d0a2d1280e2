// The child has closed the listening socket: its accept() fails.
#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, reap, SA_RESTART);
  for (;;) {
    int connfd = accept(listenfd, NULL, NULL);
    if (connfd < 0) _exit(1);
    if (fork() == 0) {
      close(listenfd);
      echo(connfd);
    }
    close(connfd);
  }
}
