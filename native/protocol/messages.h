// What the owner and its zygote send each other, over one stream socket. Made by `npm run protocol` from
// lib/wire/messages.ts, where a change begins; a test holds the two together.
//
// Each message is a Header and then `length` bytes: one of the structs below, in the machine's own byte
// order, for both ends are on one machine; or, where no struct is named, text in UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>

namespace truefork::protocol {

struct Header {
  uint32_t length;
  uint32_t kind;
};

// Owner to zygote.
enum class Command : uint32_t {
  Stop = 1,             // StopCommand
  Kill = 2,             // no body: every child gets SIGKILL at once
  Begin = 3,            // BeginCommand
  RetiredChildren = 4,  // RetiredChildrenCommand
  Retire = 5,  // no body: another zygote takes over the listeners: accept no more, the children may finish
  MaxConnections = 6,  // MaxConnectionsCommand
  Ping = 7,            // no body: a loop that turns answers with Pong
  Config = 8,      // JSON: what to serve, with the listeners. The first message of all; JavaScript reads it
  Admission = 10,  // AdmissionCommand
  Times = 11,      // TimesCommand
  Resources = 12,  // ResourcesCommand
  AddressRules = 13,  // text: a rule a line: "allow 10.0.0.0/8", "deny 2001:db8::/32"
  Refusal = 14,       // RefusalCommand
};

// Drain, then end the children.
struct StopCommand {
  uint32_t graceMs;  // how long connections may take to finish; then SIGTERM
};

// Until it comes, a zygote accepts no client.
struct BeginCommand {
  uint64_t firstId;  // the id of its first connection
};

// How many children of retired zygotes are left: they count among the maximum.
struct RetiredChildrenCommand {
  uint32_t count;
};

// The most connections at once, of a server of one process.
struct MaxConnectionsCommand {
  uint32_t maximum;
};

// Who may come in.
struct AdmissionCommand {
  uint32_t maxChildren;
  uint32_t maxPerSource;      // 0: no limit
  uint32_t acceptIntervalUs;  // between two connections, at the steady rate; 0: no limit
  uint32_t acceptBurst;       // how many may come at once
  uint32_t sourceIntervalUs;  // the same for one source
  uint32_t sourceBurst;
};

// How long a connection may last, in milliseconds; 0: no limit.
struct TimesCommand {
  uint32_t firstByteMs;   // until the client's first byte
  uint32_t idleMs;        // during which no byte moves, either way
  uint32_t connectionMs;  // in all
  uint32_t killMs;        // then SIGTERM, and this much later SIGKILL; 0: SIGKILL at once
};

// What a child may use of the machine.
struct ResourcesCommand {
  uint64_t memory;  // bytes of its own, beyond what it begins with
  uint32_t cpuSeconds;
  uint32_t openFiles;
  uint64_t core;        // bytes
  int32_t nice;         // as setpriority(2)
  int32_t oomScoreAdj;  // proc(5)
  uint32_t set;         // which of these hold: Resource, or'ed
};

// How clients are refused for a reason; behind the struct, the bytes to send them.
struct RefusalCommand {
  uint32_t reason;  // Reason
  uint32_t policy;  // Policy
};

// Why a client is refused.
enum class Reason : uint32_t {
  MaxChildren = 0,
  MaxPerSource = 1,
  AcceptRate = 2,
  SourceRate = 3,
  Address = 4,
};
constexpr uint32_t kReasons = 5;

// What becomes of a client that is kept out.
enum class Policy : uint32_t {
  Queue = 0,   // left in the backlog; for the limits of the whole server
  Refuse = 1,  // sent a message, if there is one, and closed
  Reset = 2,
};

// The bits of ResourcesCommand.set.
enum Resource : uint32_t {
  kMemory = 1,
  kCpu = 2,
  kOpenFiles = 4,
  kCore = 8,
  kNice = 16,
  kOomScoreAdj = 32,
};

// The limit that ended a child.
enum class Limit : uint32_t {
  None = 0,
  FirstByte = 1,
  Idle = 2,
  Connection = 3,
  Memory = 4,
  Cpu = 5,
  Grace = 6,
};

// Zygote to owner.
enum class Record : uint32_t {
  LoadFailed = 1,  // JSON: the handler's own error. Sent by JavaScript, before there is a loop
  Listening = 2,   // ListeningRecord
  Connection = 3,  // ConnectionRecord
  Exit = 4,        // ExitRecord
  Trouble = 5,     // TroubleRecord
  End = 6,         // EndRecord
  Retired = 7,     // RetiredRecord
  Files = 8,  // JSON: the files that the handler was loaded from. Sent by JavaScript, before there is a loop
  Pong = 9,   // no body
  Refused = 10,  // RefusedRecord
};

// Clients may come.
struct ListeningRecord {
  uint32_t isolation;  // which protections hold: Protection, or'ed
};

// A connection is served.
struct ConnectionRecord {
  uint64_t id;
  int32_t pid;
  uint16_t family;  // AF_INET, AF_INET6 or AF_UNIX
  uint16_t remotePort;
  uint16_t localPort;
  char remoteAddress[110];  // ended by NUL
  char localAddress[112];
};

// The child that served a connection has ended.
struct ExitRecord {
  uint64_t id;
  int32_t pid;
  int32_t status;  // as wait(2) gives it
  uint64_t durationUs;
  uint64_t userCpuUs;
  uint64_t systemCpuUs;
  uint64_t maxRssKib;
  uint64_t minorFaults;
  uint64_t majorFaults;
  uint64_t voluntarySwitches;
  uint64_t involuntarySwitches;
  uint64_t bytesIn;
  uint64_t bytesOut;
  uint32_t limit;        // Limit
  int32_t execErrnum;    // not 0: the program could not be executed (execve(2))
  uint32_t replacedFor;  // rollback::Reason: why this worker could not be rolled back
};

// A system call failed, and the server goes on. Sent once until it succeeds again.
struct TroubleRecord {
  int32_t errnum;
  char syscall[12];
};

// A connection has ended, and its process goes on.
struct EndRecord {
  uint64_t id;
  uint64_t durationUs;
  uint64_t userCpuUs;
  uint64_t systemCpuUs;
  uint64_t maxRssKib;
  uint64_t minorFaults;
  uint64_t majorFaults;
  uint64_t voluntarySwitches;
  uint64_t involuntarySwitches;
  uint64_t bytesIn;
  uint64_t bytesOut;
  uint32_t rolledBack;  // 0: it was not, and usage is not counted; 1: it was; 2: and it looked for what had
                        // changed
};

// The answer to Retire.
struct RetiredRecord {
  uint64_t nextId;  // for the first connection of the next zygote
};

// Clients were refused: the last of them, and how many since the last record for this reason.
struct RefusedRecord {
  uint32_t reason;  // Reason
  uint32_t count;
  uint16_t remotePort;
  char remoteAddress[110];
};

// The layout of every message, for the test that compares it with what TypeScript computes.
struct Field {
  const char* name;
  size_t offset;
  size_t size;
};

struct Layout {
  const char* name;
  uint32_t kind;
  size_t size;
  Field fields[17];  // the last has no name
};

#define TRUEFORK_FIELD(type, field)                    \
  {                                                    \
#field, offsetof(type, field), sizeof(type::field) \
  }

constexpr Layout kLayouts[] = {
    {"Stop",
     static_cast<uint32_t>(Command::Stop),
     sizeof(StopCommand),
     {TRUEFORK_FIELD(StopCommand, graceMs)}},
    {"Kill", static_cast<uint32_t>(Command::Kill), 0, {}},
    {"Begin",
     static_cast<uint32_t>(Command::Begin),
     sizeof(BeginCommand),
     {TRUEFORK_FIELD(BeginCommand, firstId)}},
    {"RetiredChildren",
     static_cast<uint32_t>(Command::RetiredChildren),
     sizeof(RetiredChildrenCommand),
     {TRUEFORK_FIELD(RetiredChildrenCommand, count)}},
    {"Retire", static_cast<uint32_t>(Command::Retire), 0, {}},
    {"MaxConnections",
     static_cast<uint32_t>(Command::MaxConnections),
     sizeof(MaxConnectionsCommand),
     {TRUEFORK_FIELD(MaxConnectionsCommand, maximum)}},
    {"Ping", static_cast<uint32_t>(Command::Ping), 0, {}},
    {"Config", static_cast<uint32_t>(Command::Config), 0, {}},
    {"Admission",
     static_cast<uint32_t>(Command::Admission),
     sizeof(AdmissionCommand),
     {TRUEFORK_FIELD(AdmissionCommand, maxChildren), TRUEFORK_FIELD(AdmissionCommand, maxPerSource),
      TRUEFORK_FIELD(AdmissionCommand, acceptIntervalUs), TRUEFORK_FIELD(AdmissionCommand, acceptBurst),
      TRUEFORK_FIELD(AdmissionCommand, sourceIntervalUs), TRUEFORK_FIELD(AdmissionCommand, sourceBurst)}},
    {"Times",
     static_cast<uint32_t>(Command::Times),
     sizeof(TimesCommand),
     {TRUEFORK_FIELD(TimesCommand, firstByteMs), TRUEFORK_FIELD(TimesCommand, idleMs),
      TRUEFORK_FIELD(TimesCommand, connectionMs), TRUEFORK_FIELD(TimesCommand, killMs)}},
    {"Resources",
     static_cast<uint32_t>(Command::Resources),
     sizeof(ResourcesCommand),
     {TRUEFORK_FIELD(ResourcesCommand, memory), TRUEFORK_FIELD(ResourcesCommand, cpuSeconds),
      TRUEFORK_FIELD(ResourcesCommand, openFiles), TRUEFORK_FIELD(ResourcesCommand, core),
      TRUEFORK_FIELD(ResourcesCommand, nice), TRUEFORK_FIELD(ResourcesCommand, oomScoreAdj),
      TRUEFORK_FIELD(ResourcesCommand, set)}},
    {"AddressRules", static_cast<uint32_t>(Command::AddressRules), 0, {}},
    {"Refusal",
     static_cast<uint32_t>(Command::Refusal),
     sizeof(RefusalCommand),
     {TRUEFORK_FIELD(RefusalCommand, reason), TRUEFORK_FIELD(RefusalCommand, policy)}},
    {"LoadFailed", static_cast<uint32_t>(Record::LoadFailed), 0, {}},
    {"Listening",
     static_cast<uint32_t>(Record::Listening),
     sizeof(ListeningRecord),
     {TRUEFORK_FIELD(ListeningRecord, isolation)}},
    {"Connection",
     static_cast<uint32_t>(Record::Connection),
     sizeof(ConnectionRecord),
     {TRUEFORK_FIELD(ConnectionRecord, id), TRUEFORK_FIELD(ConnectionRecord, pid),
      TRUEFORK_FIELD(ConnectionRecord, family), TRUEFORK_FIELD(ConnectionRecord, remotePort),
      TRUEFORK_FIELD(ConnectionRecord, localPort), TRUEFORK_FIELD(ConnectionRecord, remoteAddress),
      TRUEFORK_FIELD(ConnectionRecord, localAddress)}},
    {"Exit",
     static_cast<uint32_t>(Record::Exit),
     sizeof(ExitRecord),
     {TRUEFORK_FIELD(ExitRecord, id), TRUEFORK_FIELD(ExitRecord, pid), TRUEFORK_FIELD(ExitRecord, status),
      TRUEFORK_FIELD(ExitRecord, durationUs), TRUEFORK_FIELD(ExitRecord, userCpuUs),
      TRUEFORK_FIELD(ExitRecord, systemCpuUs), TRUEFORK_FIELD(ExitRecord, maxRssKib),
      TRUEFORK_FIELD(ExitRecord, minorFaults), TRUEFORK_FIELD(ExitRecord, majorFaults),
      TRUEFORK_FIELD(ExitRecord, voluntarySwitches), TRUEFORK_FIELD(ExitRecord, involuntarySwitches),
      TRUEFORK_FIELD(ExitRecord, bytesIn), TRUEFORK_FIELD(ExitRecord, bytesOut),
      TRUEFORK_FIELD(ExitRecord, limit), TRUEFORK_FIELD(ExitRecord, execErrnum),
      TRUEFORK_FIELD(ExitRecord, replacedFor)}},
    {"Trouble",
     static_cast<uint32_t>(Record::Trouble),
     sizeof(TroubleRecord),
     {TRUEFORK_FIELD(TroubleRecord, errnum), TRUEFORK_FIELD(TroubleRecord, syscall)}},
    {"End",
     static_cast<uint32_t>(Record::End),
     sizeof(EndRecord),
     {TRUEFORK_FIELD(EndRecord, id), TRUEFORK_FIELD(EndRecord, durationUs),
      TRUEFORK_FIELD(EndRecord, userCpuUs), TRUEFORK_FIELD(EndRecord, systemCpuUs),
      TRUEFORK_FIELD(EndRecord, maxRssKib), TRUEFORK_FIELD(EndRecord, minorFaults),
      TRUEFORK_FIELD(EndRecord, majorFaults), TRUEFORK_FIELD(EndRecord, voluntarySwitches),
      TRUEFORK_FIELD(EndRecord, involuntarySwitches), TRUEFORK_FIELD(EndRecord, bytesIn),
      TRUEFORK_FIELD(EndRecord, bytesOut), TRUEFORK_FIELD(EndRecord, rolledBack)}},
    {"Retired",
     static_cast<uint32_t>(Record::Retired),
     sizeof(RetiredRecord),
     {TRUEFORK_FIELD(RetiredRecord, nextId)}},
    {"Files", static_cast<uint32_t>(Record::Files), 0, {}},
    {"Pong", static_cast<uint32_t>(Record::Pong), 0, {}},
    {"Refused",
     static_cast<uint32_t>(Record::Refused),
     sizeof(RefusedRecord),
     {TRUEFORK_FIELD(RefusedRecord, reason), TRUEFORK_FIELD(RefusedRecord, count),
      TRUEFORK_FIELD(RefusedRecord, remotePort), TRUEFORK_FIELD(RefusedRecord, remoteAddress)}},
};

#undef TRUEFORK_FIELD

}  // namespace truefork::protocol
