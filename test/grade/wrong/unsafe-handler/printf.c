#include "../../server.h"

static void reap_and_tell(int signal) {
  pid_t pid;
  (void)signal;
  while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
    printf("child %d terminated\n", pid);
    fflush(stdout);
  }
}

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, reap_and_tell, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    if (fork() == 0) child(listenfd, connfd);
    close(connfd);
  }
}
