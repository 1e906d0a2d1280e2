// SIGCHLD interrupts accept(), which is called again. Prints, and flushes before it forks.
#include "../server.h"

static volatile sig_atomic_t ended;
static void note(int signal) { ended = signal; }

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  printf("listening on %s\n", argv[argc - 1]);
  handle(SIGCHLD, note, 0);
  for (;;) {
    int connfd = accept(listenfd, NULL, NULL);
    int interrupted = connfd < 0 && errno == EINTR;
    if (ended) {
      ended = 0;
      pid_t pid;
      while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) printf("child %d has ended\n", pid);
    }
    if (interrupted) continue;
    if (connfd < 0) return 1;
    printf("a client\n");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) child(listenfd, connfd);
    close(connfd);
  }
}
