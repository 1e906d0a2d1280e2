#include "../../server.h"

struct ended {
  pid_t pid;
  struct ended *next;
} *list;

static void remember(int signal) {
  pid_t pid;
  (void)signal;
  while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
    struct ended *one = malloc(sizeof *one);
    *one = (struct ended){pid, list};
    list = one;
  }
}

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, remember, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    if (fork() == 0) child(listenfd, connfd);
    close(connfd);
  }
}
