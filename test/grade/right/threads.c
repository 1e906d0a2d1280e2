// One thread for each client.
// link: -pthread
#include "../server.h"

static void *serve(void *argument) {
  int connfd = (int)(long)argument;
  echo(connfd);
  close(connfd);
  return NULL;
}

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  for (;;) {
    int connfd = next_client(listenfd);
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, (void *)(long)connfd) == 0)
      pthread_detach(thread);
    else
      close(connfd);
  }
}
