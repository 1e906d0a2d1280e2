#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  int connfd = next_client(listenfd);
  echo(connfd);
  close(connfd);
}
