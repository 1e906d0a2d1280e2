// What the tracer tells: one record for each thing that happened, on a stream socket. lib/trace/records.ts
// reads them.
//
// A record: u32 size of all that follows, u8 kind, u8 flags, u16 call, i32 pid, i32 tid, i64 microseconds, u8
// values, u8 blobs, u16 0; the values, i64 each; the blobs, each with its u32 size. All in the machine's own
// byte order.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace truefork::trace {

enum class Kind : uint8_t {
  Hello,       // blobs: the names of the calls
  Failed,      // values: errno; blobs: what could not be done. The last record
  Born,        // values: parent, how (BornBy), for the first: when, in microseconds of CLOCK_MONOTONIC
  Exec,        // blobs: the file, its arguments with a 0 behind each
  Exit,        // values: wait status
  ThreadExit,  //
  Enter,       // values: six arguments; blobs: data, return addresses, the script's own line
  Leave,       // values: result; blobs: data, socket (SocketFacts), local address, peer's address
  Signal,      // values: signal, Disposition, si_code, si_pid, restart
  Stopped,     // values: signal
  Continued,   //
  Intervened,  // values: Reason; blobs: the injection's name
  UnsafeCall,  // values: signal; blobs: function
  Refused,     //
  End,         // nothing is left. The last record
};

enum class BornBy : uint8_t { Root, Fork, VFork, Clone, Thread };
enum class Disposition : uint8_t { Default, Ignored, Handler };
enum class Reason : uint8_t { Injected, Stranger, Everybody, ProcessLimit };

struct Subject {
  pid_t pid;
  pid_t tid;
  uint16_t call;
};

class Records {
 public:
  explicit Records(int socket) : socket_(socket) {}

  void Add(Kind kind, Subject subject, std::initializer_list<int64_t> values = {},
           std::initializer_list<std::string_view> blobs = {});
  // Sends what has come together. False when the reader is gone.
  bool Flush();
  bool broken() const { return broken_; }

  // Time is counted from here on.
  void StartClock();
  // CLOCK_MONOTONIC, microseconds.
  int64_t startedAt() const { return start_; }

 private:
  template <typename Number>
  void Put(Number number);

  const int socket_;
  std::string pending_;
  int64_t start_ = 0;
  bool broken_ = false;
};

}  // namespace truefork::trace
