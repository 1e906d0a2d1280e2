/* What the tracer has to follow, one act for each name: the first argument. What it prints is what it saw itself. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void say(const char *text) {
  if (write(1, text, strlen(text)) < 0) _exit(99);
}

static void act_fork(void) {
  pid_t pid = fork();
  if (pid < 0) {
    say(errno == EAGAIN ? "EAGAIN\n" : "another error\n");
    return;
  }
  if (pid == 0) _exit(5);
  int status;
  waitpid(pid, &status, 0);
  say(WIFEXITED(status) && WEXITSTATUS(status) == 5 ? "five\n" : "something else\n");
}

static void act_spawn(void) {
  char *argv[] = {"true", NULL};
  pid_t pid;
  if (posix_spawnp(&pid, "true", NULL, NULL, argv, environ) == 0) waitpid(pid, NULL, 0);
  pid = vfork();
  if (pid == 0) _exit(1);
  waitpid(pid, NULL, 0);
}

static void act_daemon(void) {
  int ready[2];
  char byte;
  if (pipe(ready) != 0) return;
  if (fork() == 0) {
    setsid();
    if (fork() == 0) {
      if (write(ready[1], "", 1) != 1) _exit(1);
      for (;;) pause();
    }
    _exit(0);
  }
  wait(NULL);
  if (read(ready[0], &byte, 1) != 1) say("no daemon\n");
}

static void *nothing(void *argument) { return argument; }

static void act_thread(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, nothing, NULL);
  pthread_join(thread, NULL);
  say("joined\n");
}

/* Also from another thread, and with the memory and registers as they were. */
static void act_write(void) {
  int ends[2];
  char first[] = "first", second[] = "second", got[64];
  struct iovec parts[] = {{first, 5}, {second, 6}};
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return;
  printf("write %zd\n", write(ends[0], "0123456789", 10));
  printf("writev %zd, %zu and %zu asked\n", writev(ends[0], parts, 2), parts[0].iov_len, parts[1].iov_len);
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  printf("sendmsg %zd, %zu parts\n", sendmsg(ends[0], &message, 0), (size_t)message.msg_iovlen);
  printf("got %zd\n", read(ends[1], got, sizeof got));
}

static void act_kill(void) {
  say(kill(-1, SIGTERM) < 0 && errno == EPERM ? "EPERM\n" : "allowed\n");
  say(kill(getppid(), SIGTERM) < 0 && errno == EPERM ? "EPERM\n" : "allowed\n");
  say(kill(0, 0) == 0 ? "group\n" : "no group\n");
  signal(SIGUSR1, SIG_IGN);
  say(kill(0, SIGUSR1) == 0 && kill(-getpgrp(), SIGUSR1) == 0 ? "own group\n" : "no own group\n");
  pid_t pid = fork();
  if (pid == 0) {
    for (;;) pause();
  }
  say(kill(pid, SIGKILL) == 0 ? "child\n" : "no child\n");
  wait(NULL);
}

static void act_bomb(void) {
  for (int i = 0; i < 100; i++) {
    pid_t pid = fork();
    if (pid < 0) {
      say("refused\n");
      return;
    }
    if (pid == 0) {
      for (;;) pause();
    }
  }
}

static void print_it(int signo) { printf("signal %d\n", signo); }
static void write_it(int signo) {
  (void)signo;
  say("safe\n");
}

static void act_handlers(void) {
  signal(SIGUSR1, print_it);
  signal(SIGUSR2, write_it);
  raise(SIGUSR1);
  raise(SIGUSR2);
  fflush(stdout);
}

static void nothing_at_all(int signo) { (void)signo; }

/* A pause and a read, each interrupted by a signal: the first is not begun anew. */
static void act_interrupt(void) {
  struct sigaction action = {.sa_handler = nothing_at_all};
  char byte;
  int ends[2];
  if (pipe(ends) != 0) return;
  sigaction(SIGALRM, &action, NULL);
  alarm(1);
  say(read(ends[0], &byte, 1) < 0 && errno == EINTR ? "EINTR\n" : "another end\n");
}

static void act_sleep(void) {
  say("sleeping\n");
  sleep(1);
  say("awake\n");
}

/* A system call as a 32-bit program makes it. */
static void act_foreign(void) {
#ifdef __x86_64__
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
  say(result > 0 ? "answered\n" : "no answer\n");
#endif
}

static void act_signal(void) { raise(SIGSEGV); }

static const struct {
  const char *name;
  void (*act)(void);
} acts[] = {{"fork", act_fork},     {"spawn", act_spawn},         {"daemon", act_daemon},       {"thread", act_thread},
            {"write", act_write},   {"kill", act_kill},           {"bomb", act_bomb},           {"sleep", act_sleep},
            {"signal", act_signal}, {"handlers", act_handlers}, {"interrupt", act_interrupt}, {"foreign", act_foreign}};

int main(int argc, char *argv[]) {
  for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
    if (argc > 1 && strcmp(argv[1], acts[i].name) == 0) {
      acts[i].act();
      fflush(stdout);
      return 0;
    }
  }
  return 2;
}
