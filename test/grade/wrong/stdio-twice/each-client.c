#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, reap, SA_RESTART);
  for (int clients = 1;; clients++) {
    int connfd = next_client(listenfd);
    printf("client number %d", clients);
    puts(" has come");
    if (fork() == 0) {
      close(listenfd);
      echo(connfd);
      exit(0);
    }
    close(connfd);
  }
}
