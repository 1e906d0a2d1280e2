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
  Begin = 3,   // BeginCommand: to a zygote that was started with room for nobody
  Resize = 4,  // ResizeCommand
  Retire = 5,  // no body: another takes the listener over. Accepts nobody any more; its children finish
};

struct StopCommand {
  uint32_t graceMs;  // how long children may go on by themselves; then SIGTERM
  uint32_t killMs;   // how long they may take to obey it; then SIGKILL
};

struct BeginCommand {
  uint64_t firstId;  // the id of its first connection
  uint32_t most;     // as in ResizeCommand
  uint32_t unused;
};

struct ResizeCommand {
  uint32_t most;  // children, or connections, at once
};

// Zygote to owner.
enum class Record : uint32_t {
  LoadFailed = 1,  // JSON: the handler's own error. Sent by JavaScript, before there is a loop
  Listening = 2,   // no body
  Connection = 3,  // ConnectionRecord
  Exit = 4,        // ExitRecord
  Trouble = 5,     // TroubleRecord
  End = 6,         // EndRecord
  Retired = 7,     // RetiredRecord: the answer to Retire
  Files = 8,       // JSON: the files that the handler was loaded from. Sent by JavaScript, before LoadFailed or Listening
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

struct RetiredRecord {
  uint64_t nextId;  // for the first connection of the next zygote
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
  Field fields[12];  // the last has no name
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
    {"Begin",
     static_cast<uint32_t>(Command::Begin),
     sizeof(BeginCommand),
     {TRUEFORK_FIELD(BeginCommand, firstId), TRUEFORK_FIELD(BeginCommand, most)}},
    {"Resize",
     static_cast<uint32_t>(Command::Resize),
     sizeof(ResizeCommand),
     {TRUEFORK_FIELD(ResizeCommand, most)}},
    {"Retire", static_cast<uint32_t>(Command::Retire), 0, {}},
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
    {"Retired",
     static_cast<uint32_t>(Record::Retired),
     sizeof(RetiredRecord),
     {TRUEFORK_FIELD(RetiredRecord, nextId)}},
    {"Files", static_cast<uint32_t>(Record::Files), 0, {}},
};

#undef TRUEFORK_FIELD

}  // namespace truefork::protocol
