// A thread for each client, but the server waits for it.
// link: -pthread
#include "../../server.h"

static void *serve(void *argument) {
  echo((int)(long)argument);
  return NULL;
}

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  for (;;) {
    int connfd = next_client(listenfd);
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, (void *)(long)connfd) == 0) pthread_join(thread, NULL);
    close(connfd);
  }
}
