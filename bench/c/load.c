// A load generator for echo and HTTP servers on the loopback interface; README.md has its options.
//
// Closed loop: each of N clients connects, sends its bytes, reads them back, compares, closes, and begins
// again. One thread and one epoll: the fewer cycles it takes, the more of the machine is the server's.
//
// Who closes first keeps the connection's four-tuple in TIME_WAIT for a minute; here it is the client, as an
// echo server waits for EOF. At 10,000 connections a second one source address would be out of its 28,000
// ports in three seconds, so each connection takes the next of 250 source addresses: seven million tuples.
// The way round it, a reset by SO_LINGER 0, would show every server an error instead of the EOF it waits for.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  MAX_CLIENTS = 4096,
  MAX_HOLD = 20000,
  MAX_BYTES = 16 << 20,
  MAX_COUNT = 10000000,
  MAX_SECONDS = 600,
  MAX_ERRORS = 1000,  // a server that refuses everything ends the run, instead of being hammered
  SOURCES = 250,
  SPREAD = 4096,
  HEAD = 1024,
};

// Errors are counted by errno; what has none comes after the last of them.
enum { TIMEOUT = 200, CLOSED, MISMATCH, BAD_HTTP, ERRORS };

struct client {
  int fd;               // -1: not connected
  bool busy;            // a round trip is under way
  uint32_t watched;     // the events epoll knows of
  uint64_t started;     // in µs, as every time here
  const char* out;      // what to send
  size_t sent, got;     // bytes so far
  size_t want;          // bytes of the whole answer; for HTTP known when the head is there
  char head[HEAD + 1];  // of an HTTP answer
};

static struct sockaddr_in server = {.sin_family = AF_INET};
static size_t clients = 16, bytes = 64, count = 0, hold = 0;
static uint64_t timeout = 5000000, every = 0;
static double seconds = 2;
static bool http = false;

static int epoll;
static struct client* all;
static size_t slots;
static struct client** idle;  // a stack of clients that may begin
static size_t idles, busy, serial;
static char *request, *received;
static size_t request_size;

static uint32_t* samples;
static size_t done, room, failed, errors[ERRORS];
static uint64_t begun, ended;

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static void fatal(const char* what) {
  fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  exit(2);
}

// A round trip ends, well (error 0) or not. Held connections stay open, the others make room for the next.
static void finish(struct client* c, int error) {
  ended = now();
  busy -= c->busy;
  c->busy = false;
  if (error) {
    errors[error < ERRORS ? error : EIO]++;
    failed++;
  } else {
    if (done == room && !(samples = realloc(samples, (room = room ? 2 * room : 65536) * sizeof *samples)))
      fatal("samples");
    samples[done++] = ended - c->started;
  }
  if (hold && !error) return;
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
  if (!hold) idle[idles++] = c;
}

static void watch(struct client* c, uint32_t events) {
  if (c->watched == events) return;
  struct epoll_event e = {.events = events, .data.ptr = c};
  if (epoll_ctl(epoll, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &e)) fatal("epoll_ctl");
  c->watched = events;
}

// Sends what is left, as far as the socket takes it. False: the round trip is over.
static bool transmit(struct client* c) {
  while (c->sent < request_size) {
    ssize_t n = send(c->fd, c->out + c->sent, request_size - c->sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) break;  // also while the connection is being established
    if (n < 0) return finish(c, errno), false;
    c->sent += n;
  }
  watch(c, c->sent < request_size ? EPOLLIN | EPOLLOUT : EPOLLIN);
  return true;
}

// Looks for the end of the head and the length of the body. False: not an answer we can count.
static bool parse(struct client* c, size_t n) {
  size_t space = c->got < HEAD ? HEAD - c->got : 0;
  memcpy(c->head + c->got, received, n < space ? n : space);
  size_t filled = c->got + n < HEAD ? c->got + n : HEAD;
  c->head[filled] = 0;
  char* end = strstr(c->head, "\r\n\r\n");
  if (!end) return filled < HEAD;
  char* length = strcasestr(c->head, "\r\nContent-Length:");
  if (strncmp(c->head, "HTTP/1.1 200 ", 13) || !length || length > end) return false;
  c->want = end + 4 - c->head + strtoul(length + 17, NULL, 10);
  return true;
}

// One read for one event: epoll tells again if there is more.
static void receive(struct client* c) {
  ssize_t n = recv(c->fd, received, 65536, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0) return finish(c, errno);
  if (n == 0) return finish(c, CLOSED);
  if (http) {
    if (c->want == SIZE_MAX && !parse(c, n)) return finish(c, BAD_HTTP);
  } else if (!c->busy || c->got + n > c->want || memcmp(received, c->out + c->got, n)) {
    return finish(c, MISMATCH);
  }
  c->got += n;
  if (c->got > c->want && c->want != SIZE_MAX) return finish(c, MISMATCH);
  if (c->got == c->want) finish(c, 0);
}

static int open_connection(struct client* c) {
  int on = 1;
  struct sockaddr_in source = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x7f000002 + serial % SOURCES)};
  c->watched = 0;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->fd < 0) return errno;
  // The port is chosen at connect, where the whole four-tuple is known, not at bind.
  setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(c->fd, (struct sockaddr*)&source, sizeof source)) return errno;
  c->started = now();
  if (connect(c->fd, (struct sockaddr*)&server, sizeof server) && errno != EINPROGRESS) return errno;
  return 0;
}

static void begin(struct client* c) {
  serial++;
  c->started = now();
  c->sent = c->got = 0;
  c->want = http ? SIZE_MAX : bytes;
  c->out = http ? request : request + serial % SPREAD;  // so that an answer to another client is no match
  c->busy = true;
  busy++;
  int error = c->fd < 0 ? open_connection(c) : 0;
  if (error) return finish(c, error);
  transmit(c);
}

// Round trips until the count, the time or the idle clients run out; those under way are then finished.
static void run(size_t limit, double duration) {
  struct epoll_event events[256];
  size_t first = serial;
  begun = ended = now();
  done = failed = 0;
  memset(errors, 0, sizeof errors);
  uint64_t last = begun + duration * 1e6, due = begun, looked = begun;

  for (;;) {
    while (idles && busy < clients && serial - first < limit && failed < MAX_ERRORS && now() < last) {
      if (every) {
        uint64_t t = now();
        if (t < due) usleep(due - t);
        due = (t < due ? due : t) + every;
      }
      begin(idle[--idles]);
    }
    if (!busy) break;

    int n = epoll_wait(epoll, events, 256, 100);
    for (int i = 0; i < n; i++) {
      struct client* c = events[i].data.ptr;
      if (c->fd < 0 || (events[i].events & EPOLLOUT && !transmit(c))) continue;
      if (events[i].events & ~EPOLLOUT) receive(c);
    }

    uint64_t t = now();
    if (t - looked < 100000) continue;
    looked = t;
    for (size_t i = 0; i < slots; i++)
      if (all[i].busy && t - all[i].started > timeout) finish(&all[i], TIMEOUT);
  }
}

static int ascending(const void* a, const void* b) {
  uint32_t x = *(const uint32_t*)a, y = *(const uint32_t*)b;
  return (x > y) - (x < y);
}

static uint32_t percentile(double p) { return done ? samples[(size_t)(p * (done - 1))] : 0; }

static void report(void) {
  static const char* own[] = {"TIMEOUT", "CLOSED", "MISMATCH", "BAD_HTTP"};
  double elapsed = (ended - begun) / 1e6;
  const char* comma = "";
  qsort(samples, done, sizeof *samples, ascending);
  printf("{\"connections\":%zu,\"errors\":{", done);
  for (int e = 0; e < ERRORS; e++) {
    if (!errors[e]) continue;
    const char* name = e >= TIMEOUT ? own[e - TIMEOUT] : strerrorname_np(e);
    printf("%s\"%s\":%zu", comma, name ? name : "EIO", errors[e]);
    comma = ",";
  }
  printf("},\"seconds\":%.3f,\"perSecond\":%.1f,\"p50\":%u,\"p90\":%u,\"p99\":%u,\"max\":%u}\n", elapsed,
         elapsed > 0 ? done / elapsed : 0, percentile(.5), percentile(.9), percentile(.99), percentile(1));
  fflush(stdout);
}

static double number(const char* name, double least, double most) {
  char* end;
  double value = strtod(optarg, &end);
  if (*end || !(value >= least && value <= most)) {
    fprintf(stderr, "load: --%s takes a number from %g to %g, not '%s'\n", name, least, most, optarg);
    exit(2);
  }
  return value;
}

static void options(int argc, char** argv) {
  static const struct option known[] = {
      {"clients", 1, 0, 'c'}, {"bytes", 1, 0, 'b'},
      {"seconds", 1, 0, 's'}, {"count", 1, 0, 'n'},
      {"every", 1, 0, 'e'},   {"hold", 1, 0, 'h'},
      {"timeout", 1, 0, 't'}, {"http", 0, 0, 'w'},
      {"host", 1, 0, 'a'},    {0},
  };
  const char* host = "127.0.0.1";
  for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) switch (o) {
      case 'c':
        clients = number("clients", 1, MAX_CLIENTS);
        break;
      case 'b':
        bytes = number("bytes", 1, MAX_BYTES);
        break;
      case 's':
        seconds = number("seconds", .01, MAX_SECONDS);
        break;
      case 'n':
        count = number("count", 1, MAX_COUNT);
        break;
      case 'e':
        every = number("every", .1, 10000) * 1000, clients = 1;
        break;
      case 'h':
        hold = number("hold", 1, MAX_HOLD);
        break;
      case 't':
        timeout = number("timeout", 1, 60000) * 1000;
        break;
      case 'w':
        http = true;
        break;
      case 'a':
        host = optarg;
        break;
      default:
        exit(2);
    }
  if (optind != argc - 1) fatal("usage: load [options] PORT");
  optarg = argv[optind];
  server.sin_port = htons(number("port", 1, 65535));
  if (inet_pton(AF_INET, host, &server.sin_addr) != 1 || ntohl(server.sin_addr.s_addr) >> 24 != 127)
    fatal("--host must be an address of the loopback interface, 127.x.x.x");
}

static void prepare(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  slots = hold ? hold : clients;
  all = calloc(slots, sizeof *all);
  idle = calloc(slots, sizeof *idle);
  received = malloc(65536);
  request = malloc(bytes + SPREAD + 256);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  if (!all || !idle || !received || !request || epoll < 0) fatal("prepare");
  for (size_t i = 0; i < slots; i++) (idle[idles++] = &all[i])->fd = -1;

  if (http) {
    request_size = sprintf(request, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: %s\r\n\r\n",
                           hold ? "keep-alive" : "close");
  } else {
    request_size = bytes;
    for (size_t i = 0; i < bytes + SPREAD; i++) request[i] = rand();
  }
}

int main(int argc, char** argv) {
  char line[16];
  options(argc, argv);
  prepare();
  alarm(seconds + timeout / 1000000 + 5);  // the deadline of everything: the default action ends the process

  if (!hold) {
    run(count ? count : MAX_COUNT, seconds);
    report();
    return 0;
  }
  // Hold: opens its connections and reports; each line on stdin has every one asked again; EOF ends it.
  do {
    run(SIZE_MAX, seconds);
    report();
    for (size_t i = idles = 0; i < slots; i++)
      if (all[i].fd >= 0) idle[idles++] = &all[i];
  } while (fgets(line, sizeof line, stdin));
}
