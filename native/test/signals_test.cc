#include "fork/signals.h"

#include "test/subject.h"

namespace truefork {

namespace {

volatile sig_atomic_t handled = 0;

void Count(int) { handled = handled + 1; }

struct sigaction Action(int signo) {
  struct sigaction action {};
  sigaction(signo, nullptr, &action);
  return action;
}

void Install(int signo, void (*handler)(int), int flags = 0) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGUSR2);
  sigaction(signo, &action, nullptr);
}

// Dispositions and mask are the process's own: each test has one to itself, ctest or not.
void InSubject(const std::function<void()>& body) {
  EXPECT_EQ(test::Describe(test::Subject(body).Wait()), "exit 0");
}

}  // namespace

TEST(HandlersSuspendedTest, RestoresHandlerMaskAndFlags) {
  InSubject([] {
    Install(SIGUSR1, Count, SA_RESTART | SA_NODEFER);
    HandlersSuspended suspended;
    EXPECT_EQ(Action(SIGUSR1).sa_handler, SIG_DFL);
    suspended.Restore();
    const struct sigaction restored = Action(SIGUSR1);
    EXPECT_EQ(restored.sa_handler, Count);
    EXPECT_EQ(restored.sa_flags & (SA_RESTART | SA_NODEFER), SA_RESTART | SA_NODEFER);
    EXPECT_TRUE(sigismember(&restored.sa_mask, SIGUSR2));
  });
}

TEST(HandlersSuspendedTest, RestoresAtTheEndOfItsScope) {
  InSubject([] {
    Install(SIGTERM, Count);
    {
      HandlersSuspended suspended;
      EXPECT_EQ(Action(SIGTERM).sa_handler, SIG_DFL);
    }
    EXPECT_EQ(Action(SIGTERM).sa_handler, Count);
  });
}

TEST(HandlersSuspendedTest, RestoresOnce) {
  InSubject([] {
    Install(SIGUSR1, Count);
    HandlersSuspended suspended;
    suspended.Restore();
    Install(SIGUSR1, SIG_IGN);
    suspended.Restore();
    EXPECT_EQ(Action(SIGUSR1).sa_handler, SIG_IGN);
  });
}

TEST(HandlersSuspendedTest, LeavesIgnoredSignalsAndFaultsAlone) {
  InSubject([] {
    Install(SIGPIPE, SIG_IGN);
    Install(SIGSEGV, Count);
    HandlersSuspended suspended;
    EXPECT_EQ(Action(SIGPIPE).sa_handler, SIG_IGN);
    EXPECT_EQ(Action(SIGSEGV).sa_handler, Count);
  });
}

TEST(AllSignalsBlockedTest, SignalsWaitAndTheMaskIsRestored) {
  InSubject([] {
    Install(SIGUSR1, Count);
    sigset_t usr2;
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    sigprocmask(SIG_BLOCK, &usr2, nullptr);
    {
      AllSignalsBlocked blocked;
      raise(SIGUSR1);
      EXPECT_EQ(handled, 0);
    }
    EXPECT_EQ(handled, 1);
    sigset_t after;
    sigprocmask(SIG_BLOCK, nullptr, &after);
    EXPECT_FALSE(sigismember(&after, SIGUSR1));
    EXPECT_TRUE(sigismember(&after, SIGUSR2));
  });
}

}  // namespace truefork
