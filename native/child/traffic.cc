#include "child/traffic.h"

namespace truefork::traffic {

namespace {

Slot unread;  // where a process counts that has no zygote: a rehearsal, a server of one process
Slot* slot = &unread;
int connection = -1;

// Only this process writes to the slot, so that no atomic addition is needed.
void Add(std::atomic<uint64_t>& count, size_t size) {
  count.store(count.load(std::memory_order_relaxed) + size, std::memory_order_relaxed);
  slot->lastActivity.store(Now(), std::memory_order_relaxed);
}

}  // namespace

void Begin(Slot* ownSlot, int fd) {
  slot = ownSlot;
  connection = fd;
  slot->lastActivity.store(Now(), std::memory_order_relaxed);
}

void Received(size_t size) { Add(slot->bytesIn, size); }

void Sent(int fd, size_t size) {
  if (fd == connection) Add(slot->bytesOut, size);
}

void Reached(uint64_t bytesIn, uint64_t bytesOut) {
  if (bytesIn > BytesIn()) Add(slot->bytesIn, bytesIn - BytesIn());
  if (bytesOut > BytesOut()) Add(slot->bytesOut, bytesOut - BytesOut());
}

uint64_t BytesIn() { return slot->bytesIn.load(std::memory_order_relaxed); }
uint64_t BytesOut() { return slot->bytesOut.load(std::memory_order_relaxed); }

void RanOutOfMemory() { slot->outOfMemory.store(1, std::memory_order_relaxed); }

}  // namespace truefork::traffic
