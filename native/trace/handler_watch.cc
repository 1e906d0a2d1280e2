#include "trace/handler_watch.h"

#include <inttypes.h>
#include <stdio.h>

#include <algorithm>

#include "trace/elf_file.h"
#include "trace/registers.h"

namespace truefork::trace {

namespace {

constexpr uint32_t kMostSteps = 200'000;

}  // namespace

void HandlerWatch::Begin(Thread& thread, int signal) {
  thread.stepping = signal;
  thread.reported.clear();
  threads_[thread.tid] = Locate(thread.process->pid);
  steps_[thread.tid] = 0;
}

std::string HandlerWatch::Look(Thread& thread) {
  steps_[thread.tid]++;
  uint64_t instruction, stack, link;
  if (!ReadInstruction(thread.tid, &instruction, &stack, &link)) return "";
  const Functions& functions = threads_[thread.tid];
  const auto found = functions.find(instruction);
  if (found == functions.end()) return "";
  std::vector<std::string>& reported = thread.reported;
  if (std::find(reported.begin(), reported.end(), found->second) != reported.end()) return "";
  reported.push_back(found->second);
  return found->second;
}

bool HandlerWatch::IsTooLong(Thread& thread) { return steps_[thread.tid] > kMostSteps; }

const HandlerWatch::Functions& HandlerWatch::FunctionsOf(const std::string& path) {
  const auto known = files_.find(path);
  if (known != files_.end()) return known->second;
  const std::unique_ptr<const ElfFile> file = ElfFile::Open(path);
  return files_[path] = file ? file->Functions(functions_) : Functions();
}

// All of them, where the loader has put them in this process.
HandlerWatch::Functions HandlerWatch::Locate(pid_t pid) {
  Functions located;
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/maps", pid);
  FILE* const maps = fopen(path, "re");
  if (maps == nullptr) return located;
  char line[4096 + 128];
  while (fgets(line, sizeof line, maps) != nullptr) {
    uint64_t start, end, offset;
    char access[8];
    char name[4096];
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %*s %4095[^\n]", &start, &end, access,
               &offset, name) != 5 ||
        access[2] != 'x' || name[0] != '/') {
      continue;
    }
    const Functions& functions = FunctionsOf(name);
    const std::unique_ptr<const ElfFile> file = functions.empty() ? nullptr : ElfFile::Open(name);
    uint64_t bias;
    if (file == nullptr || !file->BiasOf(start, offset, &bias)) continue;
    for (const auto& [address, function] : functions) located.emplace(address + bias, function);
  }
  fclose(maps);
  return located;
}

}  // namespace truefork::trace
