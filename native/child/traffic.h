// The child's side of its slot: the bytes of its connection are counted here, for the price of reading the
// clock.
#pragma once

#include <cstddef>
#include <cstdint>

#include "protocol/slot.h"

namespace truefork::traffic {

// From now on this process counts in `slot` what moves on descriptor `fd`.
void Begin(Slot* slot, int fd);

void Received(size_t size);
// To be called for a write to any descriptor. Only what went to the connection counts.
void Sent(int fd, size_t size);

// For code that counts by itself, as Node's sockets do: so many bytes have moved since Begin().
void Reached(uint64_t bytesIn, uint64_t bytesOut);
uint64_t BytesIn();
uint64_t BytesOut();

// An allocation failed, and the connection ends because of it.
void RanOutOfMemory();

}  // namespace truefork::traffic
