#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, reap, 0);
  for (;;) {
    int connfd = accept(listenfd, NULL, NULL);
    if (connfd < 0) {
      perror("accept");
      return 1;
    }
    if (fork() == 0) child(listenfd, connfd);
    close(connfd);
  }
}
