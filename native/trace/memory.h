// The memory of a stopped thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace truefork::trace {

// How many bytes could be read; it may end at a page that is not there.
size_t ReadMemory(pid_t tid, uint64_t address, void* into, size_t size);
bool WriteMemory(pid_t tid, uint64_t address, const void* from, size_t size);

std::string ReadBytes(pid_t tid, uint64_t address, size_t size);

template <typename Value>
bool ReadValue(pid_t tid, uint64_t address, Value* value) {
  return ReadMemory(tid, address, value, sizeof *value) == sizeof *value;
}

}  // namespace truefork::trace
