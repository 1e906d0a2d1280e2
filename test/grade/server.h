// What the servers of this folder have in common, done right. Each sample does its own part wrong.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static inline int bind_to(const char *port, int reuse) {
  int listenfd = socket(AF_INET, SOCK_STREAM, 0);
  if (reuse) setsockopt(listenfd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  if (bind(listenfd, (struct sockaddr *)&address, sizeof address) < 0) {
    perror("bind");
    exit(1);
  }
  listen(listenfd, 16);
  return listenfd;
}

static inline int listen_on(const char *port) { return bind_to(port, 1); }

static inline void write_all(int fd, const char *data, ssize_t length) {
  while (length > 0) {
    ssize_t n = send(fd, data, length, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;
    data += n;
    length -= n;
  }
}

static inline void echo(int fd) {
  char buffer[4096];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0) write_all(fd, buffer, n);
}

static inline void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, NULL);
}

static inline void reap(int signal) {
  (void)signal;
  int saved = errno;
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
  errno = saved;
}

// accept() until there is a client.
static inline int next_client(int listenfd) {
  for (;;) {
    int connfd = accept(listenfd, NULL, NULL);
    if (connfd >= 0) return connfd;
  }
}

// The child's part, to its end.
static inline void child(int listenfd, int connfd) {
  close(listenfd);
  echo(connfd);
  _exit(0);
}
