#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  for (;;) {
    int connfd = next_client(listenfd);
    pid_t pid = fork();
    if (pid == 0) child(listenfd, connfd);
    close(connfd);
    waitpid(pid, NULL, 0);
  }
}
