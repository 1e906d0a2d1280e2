// SIGCHLD is ignored: the kernel keeps no zombies.
#include "../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  signal(SIGCHLD, SIG_IGN);
  for (;;) {
    int connfd = next_client(listenfd);
    if (fork() == 0) child(listenfd, connfd);
    close(connfd);
  }
}
