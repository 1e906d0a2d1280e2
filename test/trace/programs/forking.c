/* The lecture's forking server. With -DWAIT its handler calls wait() once for each SIGCHLD; with -DBLOCKING the parent
 * waits for each child before it accepts again; with -DITERATIVE there is no child at all. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void sig_chld(int signo) {
  int stat;
  (void)signo;
#ifdef WAIT
  wait(&stat);
#else
  while (waitpid(-1, &stat, WNOHANG) > 0) {
  }
#endif
}

static void doit(int connfd) {
  char line[1024];
  for (;;) {
    ssize_t length = read(connfd, line, sizeof line);
    if (length <= 0) return;
    if (write(connfd, line, length) != length) return;
  }
}

int main(int argc, char *argv[]) {
  int reuse = 1;
  int listenfd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in servaddr = {.sin_family = AF_INET};
  servaddr.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
  servaddr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listenfd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  if (bind(listenfd, (struct sockaddr *)&servaddr, sizeof servaddr) != 0) return 1;
  listen(listenfd, 16);
#if !defined(BLOCKING) && !defined(ITERATIVE)
  struct sigaction action = {.sa_handler = sig_chld, .sa_flags = SA_RESTART};
  sigaction(SIGCHLD, &action, NULL);
#else
  (void)sig_chld;
#endif
  for (;;) {
    int connfd = accept(listenfd, NULL, NULL);
    if (connfd < 0) continue;
#ifdef ITERATIVE
    doit(connfd);
#else
    pid_t pid = fork();
    if (pid == 0) {
      close(listenfd);
      doit(connfd);
      close(connfd);
      exit(0);
    }
#ifdef BLOCKING
    waitpid(pid, NULL, 0);
#endif
#endif
    close(connfd);
  }
}
