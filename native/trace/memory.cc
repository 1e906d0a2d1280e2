#include "trace/memory.h"

#include <sys/uio.h>

#include <algorithm>

namespace truefork::trace {

namespace {

constexpr size_t kPage = 4096;

}  // namespace

size_t ReadMemory(pid_t tid, uint64_t address, void* into, size_t size) {
  size_t done = 0;
  // process_vm_readv(2) gives all of an area or nothing of it: so page by page.
  while (done < size) {
    const uint64_t at = address + done;
    const size_t part = std::min(size - done, kPage - at % kPage);
    iovec local = {static_cast<char*>(into) + done, part};
    iovec remote = {reinterpret_cast<void*>(at), part};
    if (process_vm_readv(tid, &local, 1, &remote, 1, 0) != static_cast<ssize_t>(part)) break;
    done += part;
  }
  return done;
}

bool WriteMemory(pid_t tid, uint64_t address, const void* from, size_t size) {
  iovec local = {const_cast<void*>(from), size};
  iovec remote = {reinterpret_cast<void*>(address), size};
  return process_vm_writev(tid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

std::string ReadBytes(pid_t tid, uint64_t address, size_t size) {
  std::string bytes(size, '\0');
  bytes.resize(ReadMemory(tid, address, bytes.data(), size));
  return bytes;
}

}  // namespace truefork::trace
