#include "fork/fuse.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

namespace truefork {

namespace {

// A place holds who is in it: the pid, and below it when that process began, so that a pid that is given out
// again later is not taken for it. Nobody has to give a place back, not even a process that is killed: the
// dead are found when the table looks full.
using Place = std::atomic<uint64_t>;
constexpr uint64_t kFree = 0;
constexpr int kTimeBits = 42;
constexpr uint32_t kMostPlaces = 1 << 16;

Place* places = nullptr;  // shared by all that descend from the process that made it
Place* taken = nullptr;
uint32_t generation = 0;

// Who a process is; kFree if it has ended, waited for or not.
uint64_t Identity(pid_t pid) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return kFree;
  char text[1024];
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return kFree;
  text[size] = '\0';
  const char* at = strrchr(text, ')');  // the name before it may hold anything
  if (at == nullptr || at[1] == '\0' || at[2] == 'Z' || at[2] == 'X') return kFree;
  constexpr int kFieldsToStartTime = 20;  // proc_pid_stat(5): state is the 3rd, starttime the 22nd
  for (int field = 0; field < kFieldsToStartTime && at != nullptr; field++) at = strchr(at + 1, ' ');
  const uint64_t started = at == nullptr ? 0 : strtoull(at + 1, nullptr, 10);
  return uint64_t(pid) << kTimeBits | (started & ((uint64_t{1} << kTimeBits) - 1));
}

bool MakeTable() {
  void* memory =
      mmap(nullptr, kMostPlaces * sizeof(Place), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  places = static_cast<Place*>(memory);
  return true;
}

bool Take(uint32_t count, uint64_t self) {
  for (uint32_t i = 0; i < count; i++) {
    uint64_t nobody = kFree;
    if (!places[i].compare_exchange_strong(nobody, self)) continue;
    taken = &places[i];
    return true;
  }
  return false;
}

void FreePlacesOfTheDead(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint64_t holder = places[i].load();
    if (holder == kFree || Identity(static_cast<pid_t>(holder >> kTimeBits)) == holder) continue;
    places[i].compare_exchange_strong(holder, kFree);
  }
}

}  // namespace

Fuse TakePlace(const FuseLimits& limits) {
  if (generation >= limits.generations) return Fuse::TooDeep;
  if (places == nullptr && !MakeTable()) return Fuse::TooMany;
  const uint32_t count = std::min(limits.descendants, kMostPlaces);
  const uint64_t self = Identity(getpid());
  if (Take(count, self)) return Fuse::Holds;
  FreePlacesOfTheDead(count);
  return Take(count, self) ? Fuse::Holds : Fuse::TooMany;
}

void GivePlaceTo(pid_t child) { taken->store(Identity(child)); }

void GivePlaceBack() { taken->store(kFree); }

void EnterNextGeneration() { generation++; }

}  // namespace truefork
