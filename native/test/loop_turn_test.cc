#include "support/loop_turn.h"

#include <poll.h>

#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;

void InProcess(const std::function<void(uv_loop_t*)>& body) {
  test::Subject subject([&] {
    static uv_loop_t loop;  // its handles are never closed
    uv_loop_init(&loop);
    body(&loop);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

}  // namespace

TEST(LoopTurnTest, RunsInEachTurnUntilItIsStopped) {
  InProcess([](uv_loop_t* loop) {
    static LoopTurn turn;
    int turns = 0;
    turn.Init(loop, [&] {
      if (++turns == 5) turn.Stop();
    });
    EXPECT_EQ(uv_run(loop, UV_RUN_DEFAULT), 0);
    EXPECT_EQ(turns, 0);
    turn.Start();
    EXPECT_EQ(uv_run(loop, UV_RUN_DEFAULT), 0);
    EXPECT_EQ(turns, 5);
  });
}

TEST(LoopTurnTest, TimeoutIsWhatTheLoopItselfWouldWait) {
  InProcess([](uv_loop_t* loop) {
    static LoopTurn turn;
    static uv_timer_t timer;
    uv_timer_init(loop, &timer);
    turn.Init(loop, [&] {
      EXPECT_EQ(turn.Timeout(), -1) << "with nothing but the turn, it would wait without end";
      uv_timer_start(
          &timer, [](uv_timer_t*) {}, 60'000, 0);
      EXPECT_GT(turn.Timeout(), 30'000);
      EXPECT_LE(turn.Timeout(), 60'000);
      uv_timer_stop(&timer);
      turn.Stop();
    });
    turn.Start();
    uv_run(loop, UV_RUN_DEFAULT);
  });
}

// The case that it is made for: the callback sleeps, and what the loop watches wakes it.
TEST(LoopTurnTest, DescriptorIsReadableWhenTheLoopHasSomethingToDo) {
  InProcess([](uv_loop_t* loop) {
    static LoopTurn turn;
    static uv_async_t wakeUp;
    bool wasCalled = false;
    uv_async_init(loop, &wakeUp, [](uv_async_t* async) {
      *static_cast<bool*>(async->data) = true;
      turn.Stop();
      uv_unref(reinterpret_cast<uv_handle_t*>(async));
    });
    wakeUp.data = &wasCalled;
    int sleeps = 0;
    turn.Init(loop, [&] {
      if (sleeps++ == 0) {
        pollfd idle{turn.fd(), POLLIN, 0};
        EXPECT_EQ(poll(&idle, 1, 0), 0);
        uv_async_send(&wakeUp);
      }
      pollfd ready{turn.fd(), POLLIN, 0};
      EXPECT_EQ(poll(&ready, 1, 10'000), 1);
    });
    turn.Start();
    uv_run(loop, UV_RUN_DEFAULT);
    EXPECT_TRUE(wasCalled);
    EXPECT_EQ(sleeps, 1);
  });
}

}  // namespace truefork
