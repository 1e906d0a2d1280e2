// Forks twice, so that init waits for those who serve.
#include "../server.h"

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  for (;;) {
    int connfd = next_client(listenfd);
    pid_t pid = fork();
    if (pid == 0) {
      if (fork() == 0) child(listenfd, connfd);
      _exit(0);
    }
    if (pid > 0) waitpid(pid, NULL, 0);
    close(connfd);
  }
}
