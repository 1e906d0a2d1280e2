#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = bind_to(argv[argc - 1], 0);
  handle(SIGCHLD, reap, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    if (fork() == 0) child(listenfd, connfd);
    close(connfd);
  }
}
