// What the owner and its zygote say to each other, over one stream socket. The TypeScript side of it is
// lib/server/protocol.ts: a change here is a change there, and a test holds the two together.
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
  Stop = 1,  // StopCommand
  Kill = 2,  // no body: every child gets SIGKILL, nobody waits
  Ping = 3,  // no body: a loop that lives answers with Pong
};

struct StopCommand {
  uint32_t graceMs;  // how long children may go on by themselves; then SIGTERM
  uint32_t killMs;   // how long they may take to obey it; then SIGKILL
};

// Zygote to owner.
enum class Record : uint32_t {
  LoadFailed = 1,  // JSON: the handler's own error. Sent by JavaScript, before there is a loop
  Listening = 2,   // no body
  Connection = 3,  // ConnectionRecord
  Exit = 4,        // ExitRecord
  Trouble = 5,     // TroubleRecord
  End = 6,         // EndRecord
  Pong = 7,        // no body
};

struct ConnectionRecord {
  uint64_t id;
  int32_t pid;
  uint16_t family;  // AF_INET, AF_INET6 or AF_UNIX
  uint16_t remotePort;
  uint16_t localPort;
  char remoteAddress[110];  // text, ended by NUL
  char localAddress[112];
};

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
  int32_t execErrnum;  // not 0: the program could not be executed (execve(2))
  int32_t unused;
};

// In a server of one process: a connection has ended, and no process with it.
struct EndRecord {
  uint64_t id;
  uint64_t durationUs;
};

// A system call failed in a way that a server outlives. Said once until it succeeds again.
struct TroubleRecord {
  int32_t errnum;
  char syscall[12];
};

struct Field {
  const char* name;
  size_t offset;
  size_t size;
};

struct Layout {
  const char* name;
  uint32_t kind;
  size_t size;
  Field fields[16];  // the last has no name
};

#define TRUEFORK_FIELD(type, field)                    \
  {                                                    \
#field, offsetof(type, field), sizeof(type::field) \
  }

constexpr Layout kLayouts[] = {
    {"Stop",
     static_cast<uint32_t>(Command::Stop),
     sizeof(StopCommand),
     {TRUEFORK_FIELD(StopCommand, graceMs), TRUEFORK_FIELD(StopCommand, killMs)}},
    {"Kill", static_cast<uint32_t>(Command::Kill), 0, {}},
    {"Ping", static_cast<uint32_t>(Command::Ping), 0, {}},
    {"Pong", static_cast<uint32_t>(Record::Pong), 0, {}},
    {"LoadFailed", static_cast<uint32_t>(Record::LoadFailed), 0, {}},
    {"Listening", static_cast<uint32_t>(Record::Listening), 0, {}},
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
      TRUEFORK_FIELD(ExitRecord, execErrnum)}},
    {"Trouble",
     static_cast<uint32_t>(Record::Trouble),
     sizeof(TroubleRecord),
     {TRUEFORK_FIELD(TroubleRecord, errnum), TRUEFORK_FIELD(TroubleRecord, syscall)}},
    {"End",
     static_cast<uint32_t>(Record::End),
     sizeof(EndRecord),
     {TRUEFORK_FIELD(EndRecord, id), TRUEFORK_FIELD(EndRecord, durationUs)}},
};

#undef TRUEFORK_FIELD

}  // namespace truefork::protocol
