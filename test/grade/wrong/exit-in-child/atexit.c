#include "../../server.h"

static void bye(void) { write(1, "the server stops\n", 17); }
static volatile sig_atomic_t stopped;
static void stop(int signal) { stopped = signal; }

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  atexit(bye);
  handle(SIGCHLD, reap, SA_RESTART);
  handle(SIGTERM, stop, 0);
  for (;;) {
    int connfd = accept(listenfd, NULL, NULL);
    if (stopped) exit(0);
    if (connfd < 0) continue;
    if (fork() == 0) {
      close(listenfd);
      echo(connfd);
      exit(0);
    }
    close(connfd);
  }
}
