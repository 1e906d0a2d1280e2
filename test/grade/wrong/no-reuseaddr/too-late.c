// The option comes after bind(), for which it is meant.
#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = bind_to(argv[argc - 1], 0);
  setsockopt(listenfd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  handle(SIGCHLD, reap, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    if (fork() == 0) child(listenfd, connfd);
    close(connfd);
  }
}
