// The C reference: the lecture's forking server. Usage: echo-fork [PORT], 0 (the default) for any free port.
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void sig_chld(int signo) {
  int saved = errno, status;  // the signal may arrive between a failed call and its look at errno
  while (waitpid(-1, &status, WNOHANG) > 0)
    ;
  errno = saved;
  (void)signo;
}

static void echo(int connfd) {
  static char buffer[65536];
  for (ssize_t length; (length = read(connfd, buffer, sizeof buffer)) > 0;)
    for (ssize_t sent = 0, n; sent < length; sent += n)
      if ((n = write(connfd, buffer + sent, length - sent)) < 0) return;
}

int main(int argc, char** argv) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  struct sigaction action = {.sa_handler =
                                 sig_chld};  // no SA_RESTART: accept returns EINTR, as in the lecture
  int listenfd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

  address.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
  setsockopt(listenfd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listenfd, (struct sockaddr*)&address, size) || listen(listenfd, 511)) return perror("bind"), 1;
  getsockname(listenfd, (struct sockaddr*)&address, &size);
  sigaction(SIGCHLD, &action, NULL);
  printf("listening %d\n", ntohs(address.sin_port));
  fflush(stdout);  // or every child would inherit the unwritten line

  for (;;) {
    int connfd = accept(listenfd, NULL, NULL);
    if (connfd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return perror("accept"), 1;
    }
    if (fork() == 0) {
      close(listenfd);
      echo(connfd);
      close(connfd);
      _exit(0);
    }
    close(connfd);
  }
}
