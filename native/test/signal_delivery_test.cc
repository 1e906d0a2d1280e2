#include "posix/signal_delivery.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "posix/waiting_calls.h"

namespace truefork {

namespace {

std::vector<siginfo_t> handled;
std::atomic<int> count{0};  // of them, for other threads
int fromEventLoop = 0;
uv_loop_t loop;  // what delivery watches lives as long as the process

void RunHandler(int, const siginfo_t& info) {
  handled.push_back(info);
  count++;
}

void Handle(int signo, int flags = 0) {
  SignalAction action;
  action.kind = SignalAction::Kind::Handler;
  sigemptyset(&action.mask);
  action.flags = flags;
  ASSERT_TRUE(SetSignalAction(signo, action));
}

bool IsPending(int signo) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, signo) == 1;
}

class SignalDelivery : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(uv_loop_init(&loop), 0);
    const auto fromLoop = [] {
      fromEventLoop++;
      RunPendingHandlers();
    };
    ASSERT_TRUE(StartSignalDelivery(&loop, {RunHandler, fromLoop}));
    ASSERT_EQ(pipe(ends_), 0);
  }

  long ReadByte() {
    char byte;
    return WaitingFor(ends_[0], POLLIN, [&]() -> long { return read(ends_[0], &byte, 1); });
  }

  int ends_[2];
};

}  // namespace

TEST_F(SignalDelivery, ASignalStaysPendingUntilHandlersAreRun) {
  Handle(SIGUSR1);
  raise(SIGUSR1);
  EXPECT_TRUE(IsPending(SIGUSR1));
  EXPECT_TRUE(handled.empty());
  EXPECT_EQ(RunPendingHandlers(), Handled::Interrupt);
  ASSERT_EQ(handled.size(), 1u);
  EXPECT_EQ(handled[0].si_signo, SIGUSR1);
  EXPECT_FALSE(IsPending(SIGUSR1));
}

TEST_F(SignalDelivery, StandardSignalsCoalesceAndRealTimeSignalsQueue) {
  Handle(SIGUSR1);
  Handle(SIGRTMIN);
  for (int i = 0; i < 3; i++) raise(SIGUSR1);
  for (int i = 0; i < 3; i++) raise(SIGRTMIN);
  RunPendingHandlers();
  EXPECT_EQ(handled.size(), 4u);
}

TEST_F(SignalDelivery, ASignalThatCameBeforeTheCallInterruptsIt) {
  Handle(SIGUSR1);
  raise(SIGUSR1);
  EXPECT_EQ(ReadByte(), -1);
  EXPECT_EQ(errno, EINTR);
  EXPECT_EQ(handled.size(), 1u);
}

TEST_F(SignalDelivery, ASignalDuringTheCallInterruptsIt) {
  Handle(SIGUSR1);
  const pid_t self = getpid();
  std::thread sender([self] {
    // Sent again until it has had its effect: one that came before the call would be another test.
    while (count == 0) {
      kill(self, SIGUSR1);
      usleep(1000);
    }
  });
  EXPECT_EQ(ReadByte(), -1);
  EXPECT_EQ(errno, EINTR);
  sender.join();
  EXPECT_FALSE(handled.empty());
}

TEST_F(SignalDelivery, WithRestartTheCallGoesOnUntilItHasAResult) {
  Handle(SIGUSR1, SA_RESTART);
  std::thread sender([this] {
    while (count < 3) {
      kill(getpid(), SIGUSR1);
      usleep(1000);
    }
    EXPECT_EQ(write(ends_[1], "x", 1), 1);
  });
  EXPECT_EQ(ReadByte(), 1);
  sender.join();
  EXPECT_GE(handled.size(), 3u);
}

TEST_F(SignalDelivery, PollIsNeverRestarted) {
  Handle(SIGUSR1, SA_RESTART);
  raise(SIGUSR1);
  std::vector<pollfd> fds = {{ends_[0], POLLIN, 0}};
  EXPECT_EQ(PollUntil(fds, kNever), -1);
  EXPECT_EQ(errno, EINTR);
}

TEST_F(SignalDelivery, ASignalThatTheUserBlocksInterruptsNothingAndWaits) {
  Handle(SIGUSR1);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  SetUserMask(blocked);
  raise(SIGUSR1);
  ASSERT_EQ(write(ends_[1], "x", 1), 1);
  EXPECT_EQ(ReadByte(), 1);
  EXPECT_TRUE(handled.empty());
  sigemptyset(&blocked);
  SetUserMask(blocked);
  RunPendingHandlers();
  EXPECT_EQ(handled.size(), 1u);
}

TEST_F(SignalDelivery, TheUsersMaskShowsNothingOfWhatDeliveryBlocks) {
  Handle(SIGUSR1);
  EXPECT_EQ(sigismember(&UserMask(), SIGUSR1), 0);
  sigset_t real;
  sigprocmask(SIG_SETMASK, nullptr, &real);
  EXPECT_EQ(sigismember(&real, SIGUSR1), 1);
}

TEST_F(SignalDelivery, ResetHandIsTheDefaultWhenTheHandlerRuns) {
  Handle(SIGUSR1, SA_RESETHAND);
  raise(SIGUSR1);
  RunPendingHandlers();
  EXPECT_EQ(handled.size(), 1u);
  EXPECT_EQ(CurrentSignalAction(SIGUSR1).kind, SignalAction::Kind::Default);
}

TEST_F(SignalDelivery, TheEventLoopHasHandlersRunToo) {
  Handle(SIGUSR1);
  raise(SIGUSR1);
  uv_idle_t alive;  // what delivery watches keeps no loop alive
  uv_idle_init(&loop, &alive);
  uv_idle_start(&alive, [](uv_idle_t* self) {
    if (!handled.empty()) uv_idle_stop(self);
  });
  uv_run(&loop, UV_RUN_DEFAULT);
  EXPECT_EQ(fromEventLoop, 1);
  EXPECT_EQ(handled.size(), 1u);
}

TEST_F(SignalDelivery, AForkedChildHasADescriptorAndATimerOfItsOwn) {
  Handle(SIGUSR1);
  const pid_t pid = fork();
  if (pid == 0) {
    SignalsAfterFork();
    raise(SIGUSR1);
    _exit(ReadByte() == -1 && errno == EINTR && handled.size() == 1 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(handled.empty());
}

TEST_F(SignalDelivery, AProcessHasHandledWhatItSentItselfByTheNextCheck) {
  Handle(SIGUSR1);
  EXPECT_EQ(SendSignal(getpid(), SIGUSR1), 0);
  EXPECT_EQ(RunPendingHandlers(), Handled::Interrupt);
  ASSERT_EQ(handled.size(), 1u);
  EXPECT_EQ(handled[0].si_code, SI_USER);
  EXPECT_EQ(handled[0].si_pid, getpid());
}

}  // namespace truefork
