// Serves well, but from a session of its own, and leaves the process that was started.
#include "../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  if (fork() > 0) _exit(0);
  setsid();
  if (fork() > 0) _exit(0);
  handle(SIGCHLD, reap, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    if (fork() == 0) child(listenfd, connfd);
    close(connfd);
  }
}
