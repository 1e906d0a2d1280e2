#include "fork/threads.h"

#include <pthread.h>

#include <atomic>
#include <vector>

#include "test/subject.h"

namespace truefork {

namespace {

// Threads of one name, asleep on a lock (futex(2)) or busy, until the end of the scope.
class Threads {
 public:
  Threads(int count, const char* name, bool busy = false) : sleep_(PTHREAD_MUTEX_INITIALIZER) {
    pthread_mutex_lock(&sleep_);
    std::atomic<int> named{0};
    for (int i = 0; i < count; i++) {
      threads_.emplace_back([this, name, busy, &named] {
        if (name != nullptr) pthread_setname_np(pthread_self(), name);
        named++;
        while (busy && !over_) continue;
        pthread_mutex_lock(&sleep_);
        pthread_mutex_unlock(&sleep_);
      });
    }
    EXPECT_TRUE(test::Eventually([&] { return named == count; }));
  }
  ~Threads() {
    over_ = true;
    pthread_mutex_unlock(&sleep_);
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  pthread_mutex_t sleep_;
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

}  // namespace

TEST(FindUnsafeThreadTest, OneThreadIsSafe) {
  EXPECT_EQ(FindUnsafeThread(20), "");
  EXPECT_EQ(FindUnsafeThread(24), "");
}

TEST(FindUnsafeThreadTest, NamesAnUnknownThread) {
  Threads stranger(1, "stranger");
  EXPECT_EQ(FindUnsafeThread(24).rfind("\"stranger\" (thread ", 0), 0u) << FindUnsafeThread(24);
}

TEST(FindUnsafeThreadTest, NodesOwnAreSafeAsleep) {
  Threads workers(4, "V8Worker"), pool(4, "libuv-worker");
  EXPECT_EQ(FindUnsafeThread(24), "");
}

TEST(FindUnsafeThreadTest, NodesOwnAreUnsafeAwake) {
  Threads worker(1, "V8Worker", true);
  const std::string unsafe = FindUnsafeThread(24);
  EXPECT_NE(unsafe.find("\"V8Worker\""), std::string::npos) << unsafe;
  EXPECT_NE(unsafe.find("at work"), std::string::npos) << unsafe;
}

TEST(FindUnsafeThreadTest, NodesOwnAreUnsafeInTheMidstOfACall) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  std::thread reader([&] {
    pthread_setname_np(pthread_self(), "libuv-worker");
    char byte;
    EXPECT_EQ(read(pipe[0], &byte, 1), 1);
  });
  EXPECT_TRUE(test::Eventually([] { return !FindUnsafeThread(24).empty(); }));
  EXPECT_NE(FindUnsafeThread(24).find("at work"), std::string::npos);
  EXPECT_EQ(write(pipe[1], "x", 1), 1);
  reader.join();
  close(pipe[0]);
  close(pipe[1]);
}

TEST(FindUnsafeThreadTest, ANamedOneIsNotNameless) {
  Threads profiler(1, "v8:ProfEvntProc");
  EXPECT_NE(FindUnsafeThread(20), "");
}

TEST(FindUnsafeThreadTest, NamelessOnesAreCountedBeforeNode24) {
  {
    Threads nameless(6, nullptr);  // the V8 worker, the signal inspector, and libuv's four
    EXPECT_EQ(FindUnsafeThread(20), "");
    EXPECT_NE(FindUnsafeThread(24), "");
  }
  Threads oneMore(7, nullptr);
  EXPECT_NE(FindUnsafeThread(20), "");
}

}  // namespace truefork
