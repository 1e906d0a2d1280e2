#include <time.h>

#include "../../server.h"

static void stamp(int signal) {
  int saved = errno;
  time_t now = time(NULL);
  (void)signal;
  struct tm *local = localtime(&now);
  char line[] = "00 a child has ended\n";
  line[0] += local->tm_hour / 10;
  line[1] += local->tm_hour % 10;
  write(2, line, sizeof line - 1);
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
  errno = saved;
}

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, stamp, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    if (fork() == 0) child(listenfd, connfd);
    close(connfd);
  }
}
