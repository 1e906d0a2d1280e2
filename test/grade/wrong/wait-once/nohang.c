#include "../../server.h"

static void reap_one(int signal) {
  int saved = errno;
  (void)signal;
  waitpid(-1, NULL, WNOHANG);
  errno = saved;
}

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  signal(SIGCHLD, reap_one);
  for (;;) {
    int connfd = next_client(listenfd);
    if (fork() == 0) child(listenfd, connfd);
    close(connfd);
  }
}
