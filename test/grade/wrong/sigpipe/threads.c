// link: -pthread
#include "../../server.h"

static void *serve(void *argument) {
  int connfd = (int)(long)argument;
  char buffer[4096];
  ssize_t n;
  while ((n = read(connfd, buffer, sizeof buffer)) > 0) {
    for (ssize_t sent = 0, m; sent < n; sent += m)
      if ((m = write(connfd, buffer + sent, n - sent)) < 0) break;
  }
  close(connfd);
  return NULL;
}

int main(int argc, char **argv) {
  int listenfd = listen_on(argv[argc - 1]);
  for (;;) {
    int connfd = next_client(listenfd);
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, (void *)(long)connfd) == 0) pthread_detach(thread);
  }
}
