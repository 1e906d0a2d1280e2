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
  Stop = 1,    // StopCommand
  Kill = 2,    // no body: every child gets SIGKILL, nobody waits
  Times = 11,  // TimesCommand
};

struct StopCommand {
  uint32_t graceMs;  // how long children may go on by themselves; then SIGTERM
  uint32_t killMs;   // how long they may take to obey it; then SIGKILL
};

// What a connection may take of time, in milliseconds; 0: no limit.
struct TimesCommand {
  uint32_t firstByteMs;   // until the client's first byte
  uint32_t idleMs;        // during which no byte moves, either way
  uint32_t connectionMs;  // in all
  uint32_t killMs;        // then SIGTERM, and this much later SIGKILL; 0: SIGKILL at once
};

// The limit that ended a child.
enum class Limit : uint32_t {
  None = 0,
  FirstByte = 1,
  Idle = 2,
  Connection = 3,
  Cpu = 4,
  Memory = 5,
  Grace = 6,  // of a server that was told to stop
};

// Zygote to owner.
enum class Record : uint32_t {
  LoadFailed = 1,  // JSON: the handler's own error. Sent by JavaScript, before there is a loop
  Listening = 2,   // no body
  Connection = 3,  // ConnectionRecord
  Exit = 4,        // ExitRecord
  Trouble = 5,     // TroubleRecord
  End = 6,         // EndRecord
};

struct ConnectionRecord {
  uint64_t id;
  int32_t pid;
  uint16_t remotePort;
  char remoteAddress[66];  // text, ended by NUL
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
  uint64_t bytesIn;
  uint64_t bytesOut;
  uint32_t limit;  // Limit
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
  Field fields[20];  // the last has no name
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
    {"Times",
     static_cast<uint32_t>(Command::Times),
     sizeof(TimesCommand),
     {TRUEFORK_FIELD(TimesCommand, firstByteMs), TRUEFORK_FIELD(TimesCommand, idleMs),
      TRUEFORK_FIELD(TimesCommand, connectionMs), TRUEFORK_FIELD(TimesCommand, killMs)}},
    {"LoadFailed", static_cast<uint32_t>(Record::LoadFailed), 0, {}},
    {"Listening", static_cast<uint32_t>(Record::Listening), 0, {}},
    {"Connection",
     static_cast<uint32_t>(Record::Connection),
     sizeof(ConnectionRecord),
     {TRUEFORK_FIELD(ConnectionRecord, id), TRUEFORK_FIELD(ConnectionRecord, pid),
      TRUEFORK_FIELD(ConnectionRecord, remotePort), TRUEFORK_FIELD(ConnectionRecord, remoteAddress)}},
    {"Exit",
     static_cast<uint32_t>(Record::Exit),
     sizeof(ExitRecord),
     {TRUEFORK_FIELD(ExitRecord, id), TRUEFORK_FIELD(ExitRecord, pid), TRUEFORK_FIELD(ExitRecord, status),
      TRUEFORK_FIELD(ExitRecord, durationUs), TRUEFORK_FIELD(ExitRecord, userCpuUs),
      TRUEFORK_FIELD(ExitRecord, systemCpuUs), TRUEFORK_FIELD(ExitRecord, maxRssKib),
      TRUEFORK_FIELD(ExitRecord, minorFaults), TRUEFORK_FIELD(ExitRecord, majorFaults),
      TRUEFORK_FIELD(ExitRecord, voluntarySwitches), TRUEFORK_FIELD(ExitRecord, involuntarySwitches)}},
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
