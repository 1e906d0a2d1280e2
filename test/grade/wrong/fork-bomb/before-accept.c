#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, reap, SA_RESTART);
  for (;;) {
    if (fork() != 0) continue;
    int connfd = next_client(listenfd);
    echo(connfd);
    _exit(0);
  }
}
