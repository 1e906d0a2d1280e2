// Connections of a server that waits for all of them, with what could not be sent yet.
#include "server.h"

struct peer {
  int open;
  char *unsent;
  size_t length;
};
static struct peer peers[4096];

static inline void non_blocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

static inline void drop(int fd) {
  close(fd);
  free(peers[fd].unsent);
  peers[fd] = (struct peer){0};
}

static inline void flush_peer(int fd) {
  struct peer *peer = &peers[fd];
  while (peer->length > 0) {
    ssize_t n = send(fd, peer->unsent, peer->length, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) {
      drop(fd);
      return;
    }
    memmove(peer->unsent, peer->unsent + n, peer->length - n);
    peer->length -= n;
  }
}

// Reads only while nothing is unsent: a client that does not read is not read from.
static inline void echo_some(int fd) {
  char buffer[4096];
  ssize_t n = read(fd, buffer, sizeof buffer);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    drop(fd);
    return;
  }
  peers[fd].unsent = realloc(peers[fd].unsent, n);
  memcpy(peers[fd].unsent, buffer, n);
  peers[fd].length = n;
  flush_peer(fd);
}
