// How a connection reaches a process that was forked before the client came: over a channel between the
// zygote and this worker alone, with the descriptor as ancillary data (unix(7), SCM_RIGHTS). The worker
// answers on the same channel when it has served the connection.
#pragma once

#include <cstdint>
#include <optional>

#include "protocol/usage.h"
#include "support/address.h"

namespace truefork {

struct Handoff {
  int fd;
  uint64_t id;
  Address peer;
  Address local;
  bool isLast;  // the worker exits once it has served this one
};

// The two ends of a channel, the zygote's and the worker's. False, with errno set, where there are no
// descriptors left. It keeps message boundaries (SOCK_SEQPACKET): each read is one whole message.
bool OpenHandoffChannel(int ends[2]);

// The zygote's side. False where the worker has closed its end. The caller's descriptor stays open.
bool SendHandoff(int channel, const Handoff& handoff);

// The worker's side: waits for the next connection. Nothing when the zygote has closed its end.
std::optional<Handoff> ReceiveHandoff(int channel);

// What a worker says of a connection that it has served.
struct Done {
  uint32_t rolledBack = 0;  // 1: its memory is as it was before. 2: and it had to look for what had changed
  Usage used{};             // for the connection, where it was rolled back
  Usage total{};            // by the process
};

// The worker's side: the connection is served.
void SendDone(int channel, const Done& done = {});

// The zygote's side, without waiting. A worker that has closed its end, or sent anything else, is `Gone`: it
// gets no further connection.
enum class WorkerAnswer { None, Done, Gone };
WorkerAnswer ReceiveDone(int channel, Done& done);

}  // namespace truefork
