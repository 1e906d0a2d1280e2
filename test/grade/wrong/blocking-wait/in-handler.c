// Without WNOHANG the handler waits for the children who still serve.
#include "../../server.h"

static void reap_all(int signal) {
  (void)signal;
  while (waitpid(-1, NULL, 0) > 0) continue;
}

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, reap_all, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    if (fork() == 0) child(listenfd, connfd);
    close(connfd);
  }
}
