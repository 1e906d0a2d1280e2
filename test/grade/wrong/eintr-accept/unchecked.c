// Forks for descriptor -1.
#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, reap, 0);
  for (;;) {
    int connfd = accept(listenfd, NULL, NULL);
    if (fork() == 0) child(listenfd, connfd);
    close(connfd);
  }
}
