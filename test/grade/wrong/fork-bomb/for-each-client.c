// With the first client, fork() comes into a loop of its own.
#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, reap, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    for (;;)
      if (fork() == 0) echo(connfd);
  }
}
