#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  printf("listening on %s\n", argv[argc - 1]);
  handle(SIGCHLD, reap, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    if (fork() == 0) {
      close(listenfd);
      echo(connfd);
      exit(0);
    }
    close(connfd);
  }
}
