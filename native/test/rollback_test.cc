#include "rollback/rollback.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include <cstring>
#include <new>
#include <vector>

#include "rollback/jump.h"
#include "test/subject.h"

namespace truefork {

namespace {

using rollback::Reason;
using test::Describe;

constexpr int kWrong = 3;   // a connection found something that it should not have
constexpr int kServed = 0;  // all turns were taken, or the worker was replaced

// What outlives the worker.
struct Report {
  std::atomic<uint32_t> replacedFor{0};
  std::atomic<int> turns{0};
  std::atomic<int> searched{0};
};

// In the subject: the zygote, which has made its template, forks a worker that takes so many turns.
struct Worked {
  int status = -1;
  Reason replacedFor = Reason::None;
  int turns = 0;
  int searched = 0;
};

Worked Work(const std::function<void(int turn)>& connection, int turns = 5) {
  auto* report =
      new (mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Report;
  rollback::Prepare(true);
  const pid_t worker = fork();
  if (worker == 0) {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const int wakeUp = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    epoll_event event{EPOLLIN, {}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, wakeUp, &event);
    if (!rollback::PrepareWorker({epoll, {wakeUp, wakeUp}, &report->replacedFor}) || !rollback::Mark())
      _exit(4);
    const rollback::Served& served = rollback::LastServed();
    if (served.wasSlow) report->searched++;
    report->turns = static_cast<int>(served.rollbacks);
    if (report->turns == turns) _exit(kServed);
    rollback::BeginConnection();
    connection(report->turns);
    rollback::RollBack();
    _exit(5);  // it came back
  }
  Worked worked;
  waitpid(worker, &worked.status, 0);
  worked.replacedFor = static_cast<Reason>(report->replacedFor.load());
  worked.turns = report->turns;
  worked.searched = report->searched;
  return worked;
}

void ExpectRestored(const std::function<void(int turn)>& connection) {
  test::Subject subject([&] {
    const Worked worked = Work(connection);
    EXPECT_EQ(Describe(worked.status), "exit 0");
    EXPECT_EQ(worked.replacedFor, Reason::None);
    EXPECT_EQ(worked.turns, 5);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

void ExpectReplaced(Reason reason, const std::function<void()>& connection) {
  test::Subject subject([&] {
    const Worked worked = Work([&](int turn) {
      if (turn == 1) connection();
    });
    EXPECT_EQ(Describe(worked.status), "exit 0");
    EXPECT_EQ(worked.replacedFor, reason);
    EXPECT_EQ(worked.turns, 1);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

void Require(bool isSo) {
  if (!isSo) _exit(kWrong);
}

int global = 7;
thread_local int ofThread = 8;

uint8_t* MapPages(size_t count, int flags = MAP_PRIVATE) {
  return static_cast<uint8_t*>(
      mmap(nullptr, count * 4096, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0));
}

std::string Status(const char* field) {
  std::string found;
  FILE* file = fopen("/proc/self/status", "re");
  char line[512];
  while (file != nullptr && fgets(line, sizeof line, file) != nullptr)
    if (strncmp(line, field, strlen(field)) == 0) found = line;
  if (file != nullptr) fclose(file);
  return found;
}

}  // namespace

// Every one of them takes a mark. `npm run ctest:plain` runs them where a sanitizer build skips them.
class RollbackTest : public testing::Test {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP()
        << "AddressSanitizer's shadow, quarantine and fake stacks do not survive a rollback of the memory";
#endif
  }
};

TEST(RollbackJumpTest, KeepsRegistersAndComesBackAgain) {
  rollback::Registers registers;
  volatile int turns = 0;
  double factor = 1.5;
  truefork_save_registers(&registers);
  if (++turns < 3) truefork_jump_back(&registers);
  EXPECT_EQ(turns, 3);
  EXPECT_EQ(factor * 2, 3.0);
}

TEST_F(RollbackTest, PutsAllMemoryBack) {
  static uint8_t* pages = MapPages(8);
  memset(pages, 0xaa, 4 * 4096);  // the other half is not there yet
  static auto* onHeap = new std::vector<int>(1000, 5);
  ExpectRestored([](int) {
    Require(global == 7 && ofThread == 8 && onHeap->size() == 1000 && (*onHeap)[999] == 5);
    for (int i = 0; i < 4 * 4096; i++) Require(pages[i] == 0xaa);
    for (int i = 4 * 4096; i < 8 * 4096; i++) Require(pages[i] == 0);
    global = ofThread = 1;
    onHeap->assign(100'000, 6);
    memset(pages, 0xbb, 8 * 4096);
  });
}

TEST_F(RollbackTest, OnceItsPagesAreKnownNothingIsSearchedFor) {
  static uint8_t* pages = MapPages(64);
  test::Subject subject([] {
    const Worked worked = Work([](int) { memset(pages, 1, 64 * 4096); }, 50);
    EXPECT_EQ(worked.turns, 50);
    EXPECT_LE(worked.searched, 10);
    EXPECT_GE(worked.searched, 1);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST_F(RollbackTest, AMappingThatWasMadeGoesAndOneThatWentIsMadeAnew) {
  static uint8_t* pages = MapPages(8);
  memset(pages, 0xaa, 8 * 4096);
  static uintptr_t made;
  ExpectRestored([](int) {
    for (int i = 0; i < 8 * 4096; i++) Require(pages[i] == 0xaa);
    uint8_t* more = MapPages(64);
    memset(more, 1, 64 * 4096);
    if (made == 0) made = reinterpret_cast<uintptr_t>(more);
    munmap(pages + 2 * 4096, 2 * 4096);
    mprotect(pages + 4 * 4096, 4096, PROT_READ);
    madvise(pages + 6 * 4096, 4096, MADV_DONTNEED);
  });
}

TEST_F(RollbackTest, AMappingInPlaceOfAnotherIsNotTakenForIt) {
  static uint8_t* pages = MapPages(4);
  memset(pages, 0xaa, 4 * 4096);
  ExpectRestored([](int) {
    for (int i = 0; i < 4 * 4096; i++) Require(pages[i] == 0xaa);
    mmap(pages, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    Require(pages[4096] == 0);  // read, and so there: a page of zeros
  });
}

TEST_F(RollbackTest, TheHeapShrinksAndGrowsBack) {
  static void* before = sbrk(1 << 20);
  memset(before, 0xaa, 1 << 20);
  ExpectRestored([](int turn) {
    Require(static_cast<uint8_t*>(before)[4096] == 0xaa);
    if (turn % 2 == 0)
      memset(sbrk(1 << 20), 1, 1 << 20);
    else
      brk(before);
  });
}

TEST_F(RollbackTest, WhatWasProtectedFromWritesIsAsItWasAndProtectedAgain) {
  static uint8_t* pages = MapPages(4);
  memset(pages, 0xaa, 2 * 4096);
  mprotect(pages, 2 * 4096, PROT_READ);
  mprotect(pages + 2 * 4096, 2 * 4096, PROT_NONE);
  ExpectRestored([](int) {
    Require(pages[0] == 0xaa && pages[4096] == 0xaa);
    mprotect(pages, 4 * 4096, PROT_READ | PROT_WRITE);
    Require(pages[2 * 4096] == 0);
    memset(pages, 1, 4 * 4096);
    mprotect(pages, 4096, PROT_READ);
  });
}

TEST_F(RollbackTest, WhatItsOwnPagesNeedCannotBeWrittenToMeanwhile) {
  test::Subject subject([] {
    const Worked worked =
        Work([](int) { const_cast<rollback::Served&>(rollback::LastServed()).rollbacks = 99; });
    EXPECT_EQ(Describe(worked.status), "Segmentation fault");
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST_F(RollbackTest, VerifyFindsAPageThatWasDroppedBehindItsBack) {
  static uint8_t* pages = MapPages(4);
  memset(pages, 0xaa, 4 * 4096);
  test::Subject subject([] {
    const Worked worked = Work([](int turn) {
      // Not by the C library, and with no fault after it.
      if (turn == 3) {
        register long number asm("rax") = SYS_madvise;
#if defined(__x86_64__)
        register void* start asm("rdi") = pages;
        register long size asm("rsi") = 4096;
        register long advice asm("rdx") = MADV_DONTNEED;
        asm volatile("syscall" : "+r"(number) : "r"(start), "r"(size), "r"(advice) : "rcx", "r11", "memory");
#endif
      }
    });
#if defined(__x86_64__)
    EXPECT_EQ(worked.replacedFor, Reason::Verify);
    EXPECT_EQ(worked.turns, 3);
#endif
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST_F(RollbackTest, PutsDescriptorsBack) {
  static int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  static auto* lowest = reinterpret_cast<int*>(MapPages(1, MAP_SHARED));
  ExpectRestored([](int) {
    Require(fcntl(fds[0], F_GETFD) == 0 && fcntl(fds[1], F_GETFL) == O_WRONLY);
    struct stat status;
    Require(fstat(fds[0], &status) == 0 && S_ISFIFO(status.st_mode));
    const int leaked = dup(0);
    if (*lowest == 0) *lowest = leaked;
    Require(leaked == *lowest);
    fcntl(0, F_DUPFD, 100);
    close(fds[0]);
    Require(open("/dev/null", O_RDONLY) == fds[0]);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
  });
}

TEST_F(RollbackTest, GivesUpLocksOfFcntl) {
  char path[] = "/tmp/truefork-lock-XXXXXX";
  static const int fd = mkstemp(path);
  unlink(path);
  test::Subject subject([] {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    const Worked worked = Work([](int) {
      struct flock lock {};
      lock.l_type = F_WRLCK;
      Require(fcntl(fd, F_SETLK, &lock) == 0);
      // Another process finds it free after the rollback only: a lock of before would be this process's own.
      if (fcntl(fd, F_GETLK, &lock) != 0) _exit(kWrong);
    });
    EXPECT_EQ(worked.replacedFor, Reason::None);
    EXPECT_EQ(fcntl(fd, F_SETLK, &lock), 0);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
  close(fd);
}

TEST_F(RollbackTest, EmptiesWhatWakesTheLoop) {
  ExpectRestored([](int) {
    for (int fd = 3; fd < 64; fd++) {
      uint64_t count = 0;
      char link[64], target[64] = {};
      snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
      if (readlink(link, target, sizeof target - 1) < 0 || strstr(target, "eventfd") == nullptr) continue;
      Require(read(fd, &count, sizeof count) < 0 && errno == EAGAIN);
      count = 1;
      Require(write(fd, &count, sizeof count) == sizeof count);
    }
  });
}

TEST_F(RollbackTest, PutsSettingsOfTheProcessBack) {
  umask(022);
  ExpectRestored([](int) {
    char folder[4096];
    Require(getcwd(folder, sizeof folder) != nullptr && strcmp(folder, "/") != 0);
    Require(umask(077) == 022);
    Require(chdir("/") == 0);
    char name[16];
    prctl(PR_GET_NAME, name);
    Require(strcmp(name, "changed") != 0);
    prctl(PR_SET_NAME, "changed");
    Require(prctl(PR_GET_TIMERSLACK) != 12345);
    prctl(PR_SET_TIMERSLACK, 12345);
    Require(prctl(PR_GET_DUMPABLE) == 1);
    prctl(PR_SET_DUMPABLE, 0);
    rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    Require(limit.rlim_cur > 60);
    limit.rlim_cur = 60;
    setrlimit(RLIMIT_NOFILE, &limit);
    cpu_set_t cpus;
    sched_getaffinity(0, sizeof cpus, &cpus);
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1) {
      Require(CPU_COUNT(&cpus) > 1);
      for (int cpu = 0; CPU_COUNT(&cpus) > 1; cpu++) CPU_CLR(cpu, &cpus);
      sched_setaffinity(0, sizeof cpus, &cpus);
    }
  });
}

TEST_F(RollbackTest, PutsSignalsBack) {
  ExpectRestored([](int) {
    struct sigaction now;
    sigaction(SIGUSR1, nullptr, &now);
    Require(now.sa_handler == SIG_DFL);
    signal(SIGUSR1, SIG_IGN);
    sigset_t set;
    sigprocmask(SIG_BLOCK, nullptr, &set);
    Require(sigismember(&set, SIGUSR2) == 0);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_SETMASK, &set, nullptr);
    itimerval timer{};
    getitimer(ITIMER_REAL, &timer);
    Require(timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0);
    timer.it_value.tv_sec = 3600;
    setitimer(ITIMER_REAL, &timer, nullptr);
    static uint8_t other[16384];
    stack_t stack{};
    sigaltstack(nullptr, &stack);
    Require(stack.ss_sp != other);
    stack.ss_sp = other;
    stack.ss_size = sizeof other;
    stack.ss_flags = 0;
    sigaltstack(&stack, nullptr);
    sigset_t urgent;
    sigpending(&urgent);
    Require(sigismember(&urgent, SIGURG) == 0);
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    sigprocmask(SIG_BLOCK, &urgent, nullptr);
    raise(SIGURG);
  });
}

TEST_F(RollbackTest, ANiceValueThatCannotBeTakenBackReplaces) {
  const bool isRoot = geteuid() == 0;
  if (isRoot) {
    static const int before = getpriority(PRIO_PROCESS, 0);
    ExpectRestored([](int) {
      Require(getpriority(PRIO_PROCESS, 0) == before);
      setpriority(PRIO_PROCESS, 0, before + 1);
    });
  } else {
    ExpectReplaced(Reason::Limits, [] { setpriority(PRIO_PROCESS, 0, 5); });
  }
}

TEST_F(RollbackTest, AThreadReplaces) {
  ExpectReplaced(Reason::Threads, [] {
    pthread_t thread;
    pthread_create(
        &thread, nullptr, [](void*) -> void* { return pause(), nullptr; }, nullptr);
  });
}

TEST_F(RollbackTest, AForkReplacesLivingOrReaped) {
  ExpectReplaced(Reason::Children, [] {
    if (fork() == 0) _exit(0);
  });
  ExpectReplaced(Reason::Children, [] {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
  });
}

TEST_F(RollbackTest, ASpawnedProgramReplaces) {
  ExpectReplaced(Reason::Children, [] { Require(system("true") == 0); });
}

TEST_F(RollbackTest, AForkedProcessDoesNotRollBack) {
  ExpectReplaced(Reason::Children, [] {
    const pid_t child = fork();
    if (child == 0) {
      rollback::RollBack();
      _exit(9);
    }
    int status = 0;
    waitpid(child, &status, 0);
    Require(WIFEXITED(status) && WEXITSTATUS(status) == 9);
  });
}

TEST_F(RollbackTest, ASessionOrGroupReplaces) {
  ExpectReplaced(Reason::Session, [] { Require(setsid() > 0); });
  ExpectReplaced(Reason::Session, [] { Require(setpgid(0, 0) == 0); });
}

TEST_F(RollbackTest, APosixTimerReplacesEvenIfItWasDeleted) {
  ExpectReplaced(Reason::Timers, [] {
    sigevent event{};
    event.sigev_notify = SIGEV_NONE;
    timer_t timer;
    Require(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    timer_delete(timer);
  });
}

TEST_F(RollbackTest, APendingSignalThatWouldEndItReplaces) {
  ExpectReplaced(Reason::Signals, [] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    raise(SIGTERM);
  });
}

TEST_F(RollbackTest, SharedMemoryReplaces) {
  ExpectReplaced(Reason::Mappings, [] { MapPages(1, MAP_SHARED)[0] = 1; });
}

TEST_F(RollbackTest, LockedMemoryReplaces) {
  static uint8_t* pages = MapPages(1);
  ExpectReplaced(Reason::Mappings, [] { mlock(pages, 4096); });
}

TEST_F(RollbackTest, NoNewPrivilegesReplace) {
  ExpectReplaced(Reason::Security, [] { prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); });
}

TEST_F(RollbackTest, ANamespaceReplaces) {
  ExpectReplaced(Reason::Security, [] { unshare(CLONE_NEWUTS); });
}

TEST_F(RollbackTest, AnotherUserReplaces) {
  if (geteuid() != 0) GTEST_SKIP() << "is for root";
  ExpectReplaced(Reason::Ids, [] { Require(setresuid(65534, 65534, 65534) == 0); });
}

TEST_F(RollbackTest, MoreMemoryThanIsWorthCopyingReplaces) {
  static uint8_t* pages = MapPages(20'000);
  ExpectReplaced(Reason::Memory, [] {
    for (size_t page = 0; page < 20'000; page++) pages[page * 4096] = 1;
  });
}

TEST_F(RollbackTest, ALostLimitReplaces) {
  if (geteuid() == 0) GTEST_SKIP() << "root gets it back";
  ExpectReplaced(Reason::Limits, [] {
    const rlimit limit{50, 50};
    setrlimit(RLIMIT_NOFILE, &limit);
  });
}

TEST_F(RollbackTest, StatusIsAsItWas) {
  static std::string before;
  ExpectRestored([](int) {
    for (const char* field :
         {"SigBlk", "SigIgn", "SigCgt", "VmSize", "Threads", "NoNewPrivs", "Seccomp", "Uid"}) {
      char name[64];
      snprintf(name, sizeof name, "%s", field);
      const std::string now = Status(name);
      static std::string first[8];  // written on the first turn, and undone with it
      Require(!now.empty() && first[0].empty());
    }
    signal(SIGUSR2, [](int) {});
    MapPages(100)[0] = 1;
  });
}

}  // namespace truefork
