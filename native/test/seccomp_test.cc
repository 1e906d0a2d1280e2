#include "isolation/seccomp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cstring>
#include <map>
#include <thread>

#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;
using test::Subject;

int ErrnoOf(long result) { return result < 0 ? errno : 0; }

void Enter(const NetworkRules* network) {
  ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(EnterFilter(BuildSandboxFilter(network)), 0);
  test::NoLeakCheckAtExit();
}

constexpr uint32_t kOwnArchitecture =
#if defined(__x86_64__)
    AUDIT_ARCH_X86_64;
#else
    AUDIT_ARCH_AARCH64;
#endif

// What the kernel would do: the machine of seccomp(2), as far as the filter uses it. A wrong jump shows as an
// index that is out of the program.
uint32_t Verdict(const std::vector<sock_filter>& program, const seccomp_data& data) {
  uint32_t accumulator = 0;
  for (size_t at = 0; at < program.size(); at++) {
    const sock_filter& now = program[at];
    switch (now.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        memcpy(&accumulator, reinterpret_cast<const char*>(&data) + now.k, sizeof accumulator);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        accumulator &= now.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += accumulator == now.k ? now.jt : now.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += accumulator >= now.k ? now.jt : now.jf;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        at += (accumulator & now.k) != 0 ? now.jt : now.jf;
        break;
      case BPF_RET | BPF_K:
        return now.k;
      default:
        ADD_FAILURE() << "instruction " << now.code;
        return 0;
    }
  }
  ADD_FAILURE() << "ran past its end";
  return 0;
}

uint32_t On(const NetworkRules* network, int number, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0,
            uint64_t d = 0) {
  return Verdict(BuildSandboxFilter(network), {number, kOwnArchitecture, 0, {a, b, c, d, 0, 0}});
}

constexpr uint32_t kAllowed = SECCOMP_RET_ALLOW;
constexpr uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM;
constexpr uint32_t kEacces = SECCOMP_RET_ERRNO | EACCES;
const NetworkRules kNone;

}  // namespace

TEST(SeccompTest, CallsByAnotherArchitecturesNumbersKill) {
  const auto filter = BuildSandboxFilter(nullptr);
  for (const uint32_t architecture : std::initializer_list<uint32_t>{AUDIT_ARCH_I386, AUDIT_ARCH_ARM,
                                                                     AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64}) {
    const uint32_t verdict = Verdict(filter, {SYS_getpid, architecture, 0, {}});
    EXPECT_EQ(verdict, architecture == kOwnArchitecture ? kAllowed : SECCOMP_RET_KILL_PROCESS);
  }
#if defined(__x86_64__)
  EXPECT_EQ(On(nullptr, 0x40000000 | SYS_getpid), SECCOMP_RET_KILL_PROCESS);
#endif
}

TEST(SeccompTest, WhatReachesTheKernelOrOthersIsNotPermitted) {
  for (const int number : {SYS_ptrace,
                           SYS_process_vm_readv,
                           SYS_process_vm_writev,
                           SYS_unshare,
                           SYS_setns,
                           SYS_mount,
                           SYS_umount2,
                           SYS_bpf,
                           SYS_keyctl,
                           SYS_add_key,
                           SYS_userfaultfd,
                           SYS_perf_event_open,
                           SYS_kexec_load,
                           SYS_init_module,
                           SYS_finit_module,
                           SYS_reboot,
                           425,
                           426,
                           427,
                           438})
    EXPECT_EQ(On(nullptr, number), kEperm) << number;
  EXPECT_EQ(On(nullptr, 435), SECCOMP_RET_ERRNO | ENOSYS);
}

TEST(SeccompTest, WhatAProcessLivesOnIsAllowed) {
  for (const int number :
       {SYS_read, SYS_write, SYS_mmap, SYS_futex, SYS_epoll_pwait, SYS_exit_group, SYS_execve, SYS_getrandom,
        SYS_kill, SYS_openat, SYS_setrlimit, SYS_recvmsg, SYS_shutdown})
    EXPECT_EQ(On(&kNone, number), kAllowed) << number;
  EXPECT_EQ(On(&kNone, SYS_clone, SIGCHLD), kAllowed);
  EXPECT_EQ(On(&kNone, SYS_clone, CLONE_VM | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD), kAllowed);
  EXPECT_EQ(On(&kNone, SYS_ioctl, 0, FIONREAD), kAllowed);
  EXPECT_EQ(On(&kNone, SYS_sendto, 0, 0, 0, MSG_NOSIGNAL), kAllowed);
}

TEST(SeccompTest, NamespacesByCloneAreNotPermitted) {
  for (const uint64_t flag :
       {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWIPC, CLONE_NEWUTS, 0x02000000})
    EXPECT_EQ(On(nullptr, SYS_clone, flag | SIGCHLD), kEperm) << flag;
}

TEST(SeccompTest, NobodyTypesOnTheSharedTerminal) {
  EXPECT_EQ(On(nullptr, SYS_ioctl, 0, TIOCSTI), kEperm);
  // The kernel takes 32 bits of it, and so does the filter.
  EXPECT_EQ(On(nullptr, SYS_ioctl, 0, 0x100000000ull | TIOCSTI), kEperm);
}

TEST(SeccompTest, WithoutNetworkThereAreNoSockets) {
  for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET, AF_VSOCK, AF_ALG, AF_XDP}) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET}) {
      EXPECT_EQ(On(&kNone, SYS_socket, family, type), kEacces) << family << " " << type;
      EXPECT_EQ(On(nullptr, SYS_socket, family, type), kAllowed);
    }
  }
  for (const int number : {SYS_connect, SYS_bind, SYS_listen})
    EXPECT_EQ(On(&kNone, number), kEacces) << number;
  EXPECT_EQ(On(&kNone, SYS_sendto, 0, 0, 0, MSG_FASTOPEN), kEacces);
  EXPECT_EQ(On(&kNone, SYS_sendmsg, 0, 0, MSG_FASTOPEN), kEacces);
  EXPECT_EQ(On(&kNone, SYS_sendmmsg, 0, 0, 0, MSG_FASTOPEN | MSG_NOSIGNAL), kEacces);
}

TEST(SeccompTest, APairOfSocketsIsForThePairAlone) {
  EXPECT_EQ(On(&kNone, SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK), kAllowed);
  EXPECT_EQ(On(&kNone, SYS_socketpair, AF_UNIX, SOCK_SEQPACKET), kAllowed);
  EXPECT_EQ(On(&kNone, SYS_socketpair, AF_UNIX, SOCK_DGRAM), kEacces);
}

TEST(SeccompTest, SocketsOfTheAllowedKindsAlone) {
  NetworkRules tcp;
  tcp.tcpConnect = true;
  EXPECT_EQ(On(&tcp, SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), kAllowed);
  EXPECT_EQ(On(&tcp, SYS_socket, AF_INET6, SOCK_STREAM, IPPROTO_TCP), kAllowed);
  EXPECT_EQ(On(&tcp, SYS_socket, AF_INET, SOCK_STREAM, IPPROTO_SCTP), kEacces);
  EXPECT_EQ(On(&tcp, SYS_socket, AF_INET, SOCK_STREAM, 262), kEacces) << "MPTCP";
  EXPECT_EQ(On(&tcp, SYS_socket, AF_INET, SOCK_DGRAM, 0), kEacces);
  EXPECT_EQ(On(&tcp, SYS_socket, AF_UNIX, SOCK_STREAM, 0), kEacces);
  EXPECT_EQ(On(&tcp, SYS_connect), kAllowed);
  EXPECT_EQ(On(&tcp, SYS_listen), kEacces);
  NetworkRules udp;
  udp.udp = true;
  EXPECT_EQ(On(&udp, SYS_socket, AF_INET, SOCK_DGRAM, 0), kAllowed);
  EXPECT_EQ(On(&udp, SYS_socket, AF_INET, SOCK_DGRAM, IPPROTO_ICMP), kEacces);
  EXPECT_EQ(On(&udp, SYS_socket, AF_INET, SOCK_STREAM, 0), kEacces);
  NetworkRules local;
  local.unixSockets = true;
  EXPECT_EQ(On(&local, SYS_socket, AF_UNIX, SOCK_STREAM, 0), kAllowed);
  EXPECT_EQ(On(&local, SYS_socket, AF_INET, SOCK_STREAM, 0), kEacces);
  EXPECT_EQ(On(&local, SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0), kAllowed);
}

TEST(SeccompTest, TheKernelHoldsIt) {
  Subject subject([] {
    Enter(&kNone);
    EXPECT_EQ(ErrnoOf(socket(AF_INET, SOCK_STREAM, 0)), EACCES);
    EXPECT_EQ(ErrnoOf(socket(AF_UNIX, SOCK_STREAM, 0)), EACCES);
    EXPECT_EQ(ErrnoOf(ptrace(PTRACE_TRACEME, 0, 0, 0)), EPERM);
    EXPECT_EQ(ErrnoOf(unshare(CLONE_NEWUSER)), EPERM);
    EXPECT_EQ(ErrnoOf(mount("none", "/tmp", "tmpfs", 0, nullptr)), EPERM);
    EXPECT_EQ(ErrnoOf(syscall(425, 1, nullptr)), EPERM);
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    // The C library starts threads by clone3(2) where it can, and by clone(2) where that is not there.
    bool ran = false;
    std::thread([&] { ran = true; }).join();
    EXPECT_TRUE(ran);
    const pid_t child = fork();
    if (child == 0) _exit(7);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(Describe(status), "exit 7");
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST(SeccompTest, AConnectionCannotBecomeAnother) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 4), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(connect(connection, reinterpret_cast<sockaddr*>(&address), size), 0);
  Subject subject([&] {
    Enter(&kNone);
    sockaddr none{};  // AF_UNSPEC disconnects
    EXPECT_EQ(ErrnoOf(connect(connection, &none, sizeof none)), EACCES);
    EXPECT_EQ(write(connection, "x", 1), 1);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
  close(connection);
  close(listener);
}

}  // namespace truefork
