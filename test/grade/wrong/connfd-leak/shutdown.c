// The client sees the end, because the child shuts the connection down; the parent keeps the descriptor all the same.
#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, reap, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    if (fork() != 0) continue;
    close(listenfd);
    echo(connfd);
    shutdown(connfd, SHUT_RDWR);
    _exit(0);
  }
}
