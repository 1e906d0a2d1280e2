#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  for (;;) {
    int connfd = next_client(listenfd);
    if (fork() == 0) child(listenfd, connfd);
    close(connfd);
  }
}
