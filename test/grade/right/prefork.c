// Four workers, forked ahead, accept for themselves. The parent replaces one that ends.
#include "../server.h"

static void work(int listenfd) {
  for (;;) {
    int connfd = next_client(listenfd);
    echo(connfd);
    close(connfd);
  }
}

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  for (int i = 0; i < 4; i++)
    if (fork() == 0) work(listenfd);
  for (;;)
    if (wait(NULL) > 0 && fork() == 0) work(listenfd);
}
