// Each piece that comes is taken for a line.
#include "../../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  handle(SIGCHLD, reap, SA_RESTART);
  for (;;) {
    int connfd = next_client(listenfd);
    if (fork() == 0) {
      char buffer[4096], answer[4200];
      ssize_t n;
      close(listenfd);
      while ((n = read(connfd, buffer, sizeof buffer - 1)) > 0) {
        buffer[n] = 0;
        buffer[strcspn(buffer, "\r\n")] = 0;
        write_all(connfd, answer, snprintf(answer, sizeof answer, "%s\n", buffer));
      }
      _exit(0);
    }
    close(connfd);
  }
}
