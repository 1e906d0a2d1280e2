// The parent closes the listening socket, instead of the child.
#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  int connfd = next_client(listenfd);
  if (fork() == 0) child(listenfd, connfd);
  close(connfd);
  close(listenfd);
  wait(NULL);
}
