// The child's side of its slot: what moves on the connection is counted here, at the price of a clock read.
#pragma once

#include <cstddef>
#include <cstdint>

namespace truefork {

struct Slot;

namespace traffic {

// From now on this process writes to `slot` what moves on descriptor `fd`.
void Begin(Slot* slot, int fd);

void Received(size_t size);
// Of a write to any descriptor: only what went to the connection counts.
void Sent(int fd, size_t size);

// For who counts by himself, as Node's sockets do: so many bytes have moved since Begin().
void Reached(uint64_t bytesIn, uint64_t bytesOut);
uint64_t BytesIn();
uint64_t BytesOut();

// The connection ends for want of memory.
void RanOutOfMemory();

}  // namespace traffic
}  // namespace truefork
