#include "fork/fork.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "support/faults.h"
#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;

const auto kNothing = [] {};

// The process that forks: a subject, with a loop of its own. The test runner itself never calls Fork().
void InSubject(const std::function<void(uv_loop_t*)>& body) {
  test::Subject subject([&] {
    uv_loop_t loop;
    uv_loop_init(&loop);
    body(&loop);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop), 0);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

void ExpectSuccess(pid_t child) {
  int status;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(Describe(status), "exit 0");
}

}  // namespace

TEST(ForkTest, ReturnsTwice) {
  InSubject([](uv_loop_t* loop) {
    const pid_t parent = getpid();
    bool didInChild = false;
    const pid_t pid = Fork(loop, [&] { didInChild = true; });
    if (pid == 0) {
      EXPECT_EQ(getppid(), parent);
      EXPECT_TRUE(didInChild);
      test::ExitSubject();
    }
    EXPECT_FALSE(didInChild);
    ExpectSuccess(pid);
  });
}

TEST(ForkTest, ChildsLoopRuns) {
  InSubject([](uv_loop_t* loop) {
    const pid_t pid = Fork(loop, kNothing);
    if (pid == 0) {
      bool rang = false;
      uv_timer_t timer;
      timer.data = &rang;
      uv_timer_init(loop, &timer);
      uv_timer_start(
          &timer, [](uv_timer_t* self) { *static_cast<bool*>(self->data) = true; }, 1, 0);
      EXPECT_EQ(uv_run(loop, UV_RUN_DEFAULT), 0);
      EXPECT_TRUE(rang);
      test::ExitSubject();
    }
    ExpectSuccess(pid);
  });
}

// The two share an epoll descriptor at first: what the child takes out of it would be gone for the parent
// too.
TEST(ForkTest, ChildTakesNoWatchOfTheParent) {
  InSubject([](uv_loop_t* loop) {
    test::SocketPair pair;
    uv_poll_t watch;
    uv_poll_init(loop, &watch, pair.fds[0]);
    const auto onReadable = [](uv_poll_t* self, int, int) {
      uv_close(reinterpret_cast<uv_handle_t*>(self), nullptr);
    };
    uv_poll_start(&watch, UV_READABLE, onReadable);
    uv_run(loop, UV_RUN_NOWAIT);  // now it is in the epoll
    const pid_t pid = Fork(loop, kNothing);
    if (pid == 0) {
      uv_close(reinterpret_cast<uv_handle_t*>(&watch), nullptr);
      uv_run(loop, UV_RUN_DEFAULT);
      test::ExitSubject();
    }
    ExpectSuccess(pid);
    EXPECT_EQ(send(pair.fds[1], "", 1, 0), 1);
    EXPECT_TRUE(test::Eventually([&] { return uv_run(loop, UV_RUN_NOWAIT) == 0; }));
  });
}

TEST(ForkTest, SignalsAreBlockedUntilTheChildIsItself) {
  InSubject([](uv_loop_t* loop) {
    static volatile sig_atomic_t handled = 0;
    signal(SIGUSR1, [](int) { handled = 1; });
    const pid_t pid = Fork(loop, [] {
      raise(SIGUSR1);
      EXPECT_EQ(handled, 0);
    });
    if (pid == 0) {
      EXPECT_EQ(handled, 1);
      test::ExitSubject();
    }
    ExpectSuccess(pid);
    EXPECT_EQ(handled, 0);
    sigset_t mask;
    sigprocmask(SIG_BLOCK, nullptr, &mask);
    EXPECT_FALSE(sigismember(&mask, SIGUSR1));
  });
}

TEST(ForkTest, BufferedOutputIsWrittenOnce) {
  test::SocketPair output;
  InSubject([&](uv_loop_t* loop) {
    FILE* out = fdopen(dup(output.fds[1]), "w");
    fputs("once", out);
    const pid_t pid = Fork(loop, kNothing);
    if (pid == 0) test::ExitSubject();
    ExpectSuccess(pid);
    fclose(out);
  });
  output.Close(1);
  char text[64];
  EXPECT_EQ(std::string(text, recv(output.fds[0], text, sizeof text, MSG_WAITALL)), "once");
}

TEST(ForkTest, FailsWhenToldTo) {
  InSubject([](uv_loop_t* loop) {
    faults::Arm(faults::Call::Fork, EAGAIN, 1, 0);
    EXPECT_EQ(Fork(loop, kNothing), -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_EQ(test::CountChildren(getpid()), 0u);
    const pid_t pid = Fork(loop, kNothing);
    if (pid == 0) test::ExitSubject();
    ExpectSuccess(pid);
  });
}

}  // namespace truefork
