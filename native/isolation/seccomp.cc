#include "isolation/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstddef>
#include <initializer_list>

#include "support/raw_syscall.h"

// Numbers that older headers lack. All of these are the same on every architecture.
#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#define SYS_io_uring_enter 426
#define SYS_io_uring_register 427
#define SYS_open_tree 428
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#define SYS_fspick 433
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

namespace truefork {

namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
constexpr bool kHasX32 = true;  // with the same architecture, and this bit in the number
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
constexpr bool kHasX32 = false;
#else
constexpr uint32_t kArchitecture = 0;
constexpr bool kHasX32 = false;
#endif
constexpr uint32_t kX32Bit = 0x40000000;

constexpr int kNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

// Reach into other processes, around the rules for files and sockets, or into the kernel and the machine.
constexpr int kNotPermitted[] = {
    // other processes
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    SYS_process_mrelease,
    SYS_pidfd_getfd,
    SYS_kcmp,
    // namespaces, mounts, roots
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_open_tree_attr,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    // files and sockets by a way that no rule sees
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_open_by_handle_at,
    // parts of the kernel that most of its holes were in, and that a handler has no use for
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    // the machine
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    SYS_quotactl_fd,
    SYS_syslog,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_vhangup,
#if defined(__x86_64__)
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
#endif
};

constexpr uint32_t Refuse(int errnum) { return SECCOMP_RET_ERRNO | static_cast<uint32_t>(errnum); }

// Comparisons that the program puts together, each with the jumps it needs. A jump goes at most 255
// instructions far, so each call that is looked at closely is a block of its own, which ends in a verdict.
class Assembler {
 public:
  // The verdict on a call, whatever its arguments.
  void OnCall(int number, uint32_t verdict) {
    Add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 1));
    Return(verdict);
  }

  template <size_t kCount>
  void OnCalls(const int (&numbers)[kCount], uint32_t verdict) {
    Add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    for (const int number : numbers) {
      Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 1));
      Return(verdict);
    }
  }

  // The verdict where any of these bits is in the argument.
  void OnCallWithBits(int number, int argument, uint32_t bits, uint32_t verdict) {
    Add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 3));
    LoadArgument(argument);
    Add(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1));
    Return(verdict);
  }

  // The verdict where the argument has this value.
  void OnCallWithValue(int number, int argument, uint32_t value, uint32_t verdict) {
    Add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 3));
    LoadArgument(argument);
    Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    Return(verdict);
  }

  struct Socket {
    uint32_t family;
    uint32_t type;
    uint32_t protocol;  // besides 0, the family's own
  };

  // socket(2) or socketpair(2): allowed for these, the verdict for every other.
  void OnSockets(int number, const std::vector<Socket>& allowed, uint32_t verdict) {
    constexpr int kPerSocket = 9;
    const size_t size = allowed.size() * kPerSocket + 1;
    Add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, static_cast<uint8_t>(size)));
    for (const Socket& socket : allowed) {
      LoadArgument(0);
      Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, socket.family, 0, 7));
      LoadArgument(1);
      Add(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~static_cast<uint32_t>(SOCK_CLOEXEC | SOCK_NONBLOCK)));
      Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, socket.type, 0, 4));
      LoadArgument(2);
      Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0));
      Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, socket.protocol, 0, 1));
      Return(SECCOMP_RET_ALLOW);
    }
    Return(verdict);
  }

  void Return(uint32_t verdict) { Add(BPF_STMT(BPF_RET | BPF_K, verdict)); }
  void Add(sock_filter instruction) { program_.push_back(instruction); }
  std::vector<sock_filter> Take() { return std::move(program_); }

 private:
  // The low word, which is all that the kernel takes of an int. Both architectures are little-endian.
  void LoadArgument(int n) {
    Add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offsetof(seccomp_data, args) + 8 * n)));
  }

  std::vector<sock_filter> program_;
};

void RefuseOtherArchitectures(Assembler* program) {
  program->Add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
  program->Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
  program->Return(SECCOMP_RET_KILL_PROCESS);
  if (!kHasX32) return;
  program->Add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  program->Add(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 0, 1));
  program->Return(SECCOMP_RET_KILL_PROCESS);
}

void RefuseNetwork(Assembler* program, const NetworkRules& rules) {
  const uint32_t denied = Refuse(EACCES);
  std::vector<Assembler::Socket> sockets;
  const auto ofInternet = [&](uint32_t type, uint32_t protocol) {
    sockets.push_back({AF_INET, type, protocol});
    sockets.push_back({AF_INET6, type, protocol});
  };
  // By protocol, too: Landlock's rules are about TCP, and a SOCK_STREAM can be SCTP or MPTCP.
  if (rules.tcpConnect || rules.tcpListen) ofInternet(SOCK_STREAM, IPPROTO_TCP);
  if (rules.udp) ofInternet(SOCK_DGRAM, IPPROTO_UDP);
  if (rules.unixSockets) {
    for (const uint32_t type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET})
      sockets.push_back({AF_UNIX, type, 0});
  }
  program->OnSockets(SYS_socket, sockets, denied);
  // A pair of datagram sockets can be sent to any pathname.
  std::vector<Assembler::Socket> pairs{{AF_UNIX, SOCK_STREAM, 0}, {AF_UNIX, SOCK_SEQPACKET, 0}};
  if (rules.unixSockets) pairs.push_back({AF_UNIX, SOCK_DGRAM, 0});
  program->OnSockets(SYS_socketpair, pairs, denied);

  // The connection itself is a TCP socket: it could be disconnected, and connected to somewhere else.
  const bool connects = rules.tcpConnect || rules.udp || rules.unixSockets;
  const bool binds = rules.tcpListen || rules.udp || rules.unixSockets;
  if (!connects) program->OnCall(SYS_connect, denied);
  if (!binds) program->OnCall(SYS_bind, denied);
  // Alone, it binds a TCP socket to a free port, where no rule sees it.
  if (!rules.tcpListen) program->OnCall(SYS_listen, denied);
  // Connects without connect(2), where no rule sees it.
  program->OnCallWithBits(SYS_sendto, 3, MSG_FASTOPEN, denied);
  program->OnCallWithBits(SYS_sendmsg, 2, MSG_FASTOPEN, denied);
  program->OnCallWithBits(SYS_sendmmsg, 3, MSG_FASTOPEN, denied);
}

}  // namespace

std::vector<sock_filter> BuildSandboxFilter(const NetworkRules* network) {
  if (kArchitecture == 0) return {};
  Assembler program;
  RefuseOtherArchitectures(&program);
  program.OnCalls(kNotPermitted, Refuse(EPERM));
  program.OnCall(SYS_clone3, Refuse(ENOSYS));
  program.OnCallWithBits(SYS_clone, 0, kNamespaces, Refuse(EPERM));
  // Types on the terminal that it shares with others.
  program.OnCallWithValue(SYS_ioctl, 1, TIOCSTI, Refuse(EPERM));
  program.OnCallWithValue(SYS_ioctl, 1, TIOCLINUX, Refuse(EPERM));
  if (network != nullptr) RefuseNetwork(&program, *network);
  program.Return(SECCOMP_RET_ALLOW);
  return program.Take();
}

int EnterFilter(const std::vector<sock_filter>& filter) {
  const sock_fprog program{static_cast<unsigned short>(filter.size()),
                           const_cast<sock_filter*>(filter.data())};
  return static_cast<int>(-RawSyscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, RawPointer(&program)));
}

}  // namespace truefork
