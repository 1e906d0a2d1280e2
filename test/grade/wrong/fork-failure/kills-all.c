// A table of children is cleared with kill(): for -1 that is everybody.
#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, reap, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    pid_t pid = fork();
    if (pid == 0) child(listenfd, connfd);
    if (pid < 1) kill(pid, SIGTERM);
    close(connfd);
  }
}
