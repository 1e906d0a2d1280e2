#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, reap, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    pid_t pid = fork();
    if (pid < 0) _exit(1);
    if (pid == 0) child(listenfd, connfd);
    close(connfd);
  }
}
