// No handler: ended children are waited for before each accept(). A flush, and exit handlers that the children leave alone.
#include "../server.h"

static void bye(void) { printf("the server stops\n"); }
static void stop(int signal) { (void)signal; _exit(0); }

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  atexit(bye);
  handle(SIGTERM, stop, 0);
  int listenfd = listen_on(argv[argc - 1]);
  printf("ready\n");
  for (;;) {
    while (waitpid(-1, NULL, WNOHANG) > 0) continue;
    int connfd = next_client(listenfd);
    if (fork() == 0) child(listenfd, connfd);
    close(connfd);
  }
}
