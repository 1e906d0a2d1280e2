#include "child/traffic.h"

#include "server/limits/slots.h"
#include "support/clock.h"

namespace truefork::traffic {

namespace {

Slot nobodys;  // for what is served without a loop: a rehearsal, a server of one process
Slot* mine = &nobodys;
int connection = -1;

// The child alone writes, so that no atomic addition is needed.
void Add(std::atomic<uint64_t>& count, size_t size) {
  count.store(count.load(std::memory_order_relaxed) + size, std::memory_order_relaxed);
  mine->lastActivity.store(NowMicros(), std::memory_order_relaxed);
}

}  // namespace

void Begin(Slot* slot, int fd) {
  mine = slot;
  connection = fd;
  mine->lastActivity.store(NowMicros(), std::memory_order_relaxed);
}

void Received(size_t size) { Add(mine->bytesIn, size); }

void Sent(int fd, size_t size) {
  if (fd == connection) Add(mine->bytesOut, size);
}

void Reached(uint64_t bytesIn, uint64_t bytesOut) {
  if (bytesIn > BytesIn()) Add(mine->bytesIn, bytesIn - BytesIn());
  if (bytesOut > BytesOut()) Add(mine->bytesOut, bytesOut - BytesOut());
}

uint64_t BytesIn() { return mine->bytesIn.load(std::memory_order_relaxed); }
uint64_t BytesOut() { return mine->bytesOut.load(std::memory_order_relaxed); }

void RanOutOfMemory() { mine->isOutOfMemory.store(true, std::memory_order_relaxed); }

}  // namespace truefork::traffic
