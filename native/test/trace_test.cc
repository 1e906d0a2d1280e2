// What of the tracer can be told without a program: the filter, records, injections, and what it reads from
// files.
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "test/subject.h"
#include "trace/elf_file.h"
#include "trace/filter.h"
#include "trace/image.h"
#include "trace/injections.h"
#include "trace/records.h"
#include "trace/status_file.h"
#include "trace/tracees.h"

namespace truefork::trace {

namespace {

#if defined(__x86_64__)
constexpr uint32_t kNative = AUDIT_ARCH_X86_64;
#else
constexpr uint32_t kNative = AUDIT_ARCH_AARCH64;
#endif

// What the kernel would answer (bpf, as far as the filter uses it).
uint32_t Judge(const std::vector<sock_filter>& program, const seccomp_data& data) {
  uint32_t accumulator = 0;
  for (size_t at = 0; at < program.size(); at++) {
    const sock_filter& step = program[at];
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        memcpy(&accumulator, reinterpret_cast<const char*>(&data) + step.k, sizeof accumulator);
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += accumulator == step.k ? step.jt : step.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += accumulator >= step.k ? step.jt : step.jf;
        break;
      case BPF_RET | BPF_K:
        return step.k;
      default:
        ADD_FAILURE() << "instruction " << step.code;
        return 0;
    }
  }
  ADD_FAILURE() << "the filter has no end";
  return 0;
}

uint32_t JudgeCall(Filter filter, int number, uint32_t architecture = kNative, uint64_t argument = 0) {
  seccomp_data data = {};
  data.nr = number;
  data.arch = architecture;
  data.args[0] = argument;
  return Judge(BuildFilter(filter), data);
}

}  // namespace

TEST(TraceFilter, StopsAtTheCallsOfInterestAlone) {
  EXPECT_EQ(JudgeCall(Filter::LifeCycle, SYS_accept), SECCOMP_RET_TRACE | kInterest);
  EXPECT_EQ(JudgeCall(Filter::LifeCycle, SYS_exit_group), SECCOMP_RET_TRACE | kInterest);
  EXPECT_EQ(JudgeCall(Filter::LifeCycle, SYS_read), SECCOMP_RET_ALLOW);
  EXPECT_EQ(JudgeCall(Filter::ReadWrite, SYS_read), SECCOMP_RET_TRACE | kInterest);
  EXPECT_EQ(JudgeCall(Filter::ReadWrite, SYS_mmap), SECCOMP_RET_ALLOW);
}

TEST(TraceFilter, NoticesOtherArchitectures) {
  EXPECT_EQ(JudgeCall(Filter::LifeCycle, SYS_mmap, AUDIT_ARCH_I386), SECCOMP_RET_TRACE | kForeignAbi);
#if defined(__x86_64__)
  EXPECT_EQ(JudgeCall(Filter::LifeCycle, 0x40000000 | SYS_mmap), SECCOMP_RET_TRACE | kForeignAbi);
#endif
}

TEST(TraceFilter, HearsLocationsAndNoOtherPrctl) {
  EXPECT_EQ(JudgeCall(Filter::LifeCycle, SYS_prctl, kNative, kLocationCall),
            SECCOMP_RET_TRACE | kLocationSaid);
  EXPECT_EQ(JudgeCall(Filter::LifeCycle, SYS_prctl, kNative, 15), SECCOMP_RET_ALLOW);
}

TEST(TraceCalls, AreFoundByNumberAndName) {
  EXPECT_EQ(FindCall(SYS_accept), FindCallByName("accept"));
  EXPECT_STREQ(Calls()[FindCall(SYS_wait4)].name, "wait4");
  EXPECT_EQ(FindCall(SYS_mmap), kNoCall);
  EXPECT_EQ(FindCallByName("mmap"), kNoCall);
}

TEST(TraceInjections, AreCountedFromTheFirstCall) {
  Injection injection;
  ASSERT_TRUE(ParseInjection("second fork 2 2 0 0 11 0", &injection));
  Injections injections;
  injections.Add(injection);
  const auto isSocket = [] { return false; };
  const uint16_t call = FindCallByName("clone");
  EXPECT_EQ(injections.Hit(call, 7, isSocket), nullptr);
  const Injection* const hit = injections.Hit(call, 7, isSocket);
  ASSERT_NE(hit, nullptr);
  EXPECT_EQ(hit->name, "second");
  EXPECT_EQ(hit->errnum, 11);
  EXPECT_NE(injections.Hit(call, 8, isSocket), nullptr);
  EXPECT_EQ(injections.Hit(call, 7, isSocket), nullptr);
  EXPECT_EQ(injections.Hit(FindCallByName("accept"), 7, isSocket), nullptr);
}

TEST(TraceInjections, CountOnlyWhatTheyAreFor) {
  Injection injection;
  ASSERT_TRUE(ParseInjection("short write,sendfile 1 0 42 1 0 5", &injection));
  Injections injections;
  injections.Add(injection);
  const uint16_t call = FindCallByName("write");
  EXPECT_EQ(injections.Hit(call, 41, [] { return true; }), nullptr);
  EXPECT_EQ(injections.Hit(call, 42, [] { return false; }), nullptr);
  for (int i = 0; i < 100; i++) EXPECT_NE(injections.Hit(call, 42, [] { return true; }), nullptr);
}

TEST(TraceInjections, RefuseNonsense) {
  Injection injection;
  EXPECT_FALSE(ParseInjection("", &injection));
  EXPECT_FALSE(ParseInjection("x fork 0 1 0 0 11 0", &injection));
  EXPECT_FALSE(ParseInjection("x nonsense 1 1 0 0 11 0", &injection));
  EXPECT_FALSE(ParseInjection("x fork 1 1 0 0 -11 0", &injection));
}

TEST(TraceRecords, AreWhole) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  Records records(ends[0]);
  records.Add(Kind::Exec, {12, 13, 4}, {-1, 1LL << 40}, {"ab", ""});
  EXPECT_TRUE(records.Flush());
  char bytes[256];
  const ssize_t length = recv(ends[1], bytes, sizeof bytes, 0);
  uint32_t size;
  memcpy(&size, bytes, sizeof size);
  EXPECT_EQ(length, static_cast<ssize_t>(size + sizeof size));
  EXPECT_EQ(size, 24 + 2 * 8 + (4 + 2) + 4U);
  EXPECT_EQ(bytes[4], static_cast<char>(Kind::Exec));
  int64_t second;
  memcpy(&second, bytes + 4 + 24 + 8, sizeof second);
  EXPECT_EQ(second, 1LL << 40);
  close(ends[1]);
  records.Add(Kind::End, {0, 0, kNoCall});
  EXPECT_FALSE(records.Flush());
  close(ends[0]);
}

TEST(TraceStatus, SaysWhatASignalDoes) {
  const std::string status = "Name:\tx\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000010002\n";
  EXPECT_EQ(DispositionIn(status, SIGCHLD), Disposition::Handler);
  EXPECT_EQ(DispositionIn(status, SIGINT), Disposition::Handler);
  EXPECT_EQ(DispositionIn(status, SIGPIPE), Disposition::Ignored);
  EXPECT_EQ(DispositionIn(status, SIGTERM), Disposition::Default);
  EXPECT_EQ(DispositionIn("", SIGTERM), Disposition::Default);
}

#if defined(__x86_64__)
TEST(TraceImage, KnowsCallInstructions) {
  const auto ends = [](std::vector<uint8_t> code) {
    code.insert(code.begin(), kLongestCall, 0x90);
    return EndsWithCall(code.data() + code.size());
  };
  EXPECT_TRUE(ends({0xe8, 1, 2, 3, 4}));        // call rel32
  EXPECT_TRUE(ends({0xff, 0xd0}));              // call *%rax
  EXPECT_TRUE(ends({0x41, 0xff, 0xd4}));        // call *%r12
  EXPECT_TRUE(ends({0xff, 0x15, 1, 2, 3, 4}));  // call *x(%rip)
  EXPECT_TRUE(ends({0xff, 0x50, 8}));           // call *8(%rax)
  EXPECT_TRUE(ends({0xff, 0x90, 1, 2, 3, 4}));  // call *x(%rax)
  EXPECT_FALSE(ends({0x90, 0x90, 0x90}));
  EXPECT_FALSE(ends({0xff, 0xe0}));  // jmp *%rax
}
#endif

TEST(TraceElf, ReadsThisProgram) {
  const std::unique_ptr<const ElfFile> file = ElfFile::Open("/proc/self/exe");
  ASSERT_NE(file, nullptr);
  EXPECT_TRUE(file->HasSection(".text"));
  EXPECT_FALSE(file->HasSection(".nothing"));
  EXPECT_EQ(file->Functions({"main"}).size(), 1U);
  EXPECT_EQ(ElfFile::Open("/proc/self/status"), nullptr);
  EXPECT_EQ(ElfFile::Open("/nowhere"), nullptr);
}

TEST(TraceTracees, FollowAnExecOfAnotherThread) {
  Tracees tracees;
  Process& process = tracees.AddProcess(10, 1);
  for (const pid_t tid : {10, 11, 12}) tracees.Attach(tracees.Add(tid), process);
  tracees.Rename(12, 10);
  ASSERT_NE(tracees.Find(10), nullptr);
  EXPECT_EQ(tracees.Find(10)->process, &process);
  EXPECT_EQ(tracees.Find(11), nullptr);
  EXPECT_EQ(tracees.Find(12), nullptr);
  tracees.Remove(10);
  EXPECT_TRUE(tracees.empty());
  EXPECT_TRUE(tracees.Knows(10));
}

}  // namespace truefork::trace
