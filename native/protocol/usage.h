// What a process has used, as its records tell it (getrusage(2)).
#pragma once

#include <sys/resource.h>

#include <cstdint>

namespace truefork {

struct Usage {
  uint64_t userCpuUs;
  uint64_t systemCpuUs;
  uint64_t maxRssKib;
  uint64_t minorFaults;
  uint64_t majorFaults;
  uint64_t voluntarySwitches;
  uint64_t involuntarySwitches;

  static Usage From(const rusage& usage) {
    const auto micros = [](const timeval& time) { return uint64_t{1'000'000} * time.tv_sec + time.tv_usec; };
    const auto count = [](long number) { return static_cast<uint64_t>(number); };
    return {micros(usage.ru_utime), micros(usage.ru_stime), count(usage.ru_maxrss), count(usage.ru_minflt),
            count(usage.ru_majflt), count(usage.ru_nvcsw),  count(usage.ru_nivcsw)};
  }

  // What came after `before`. The most memory is not a sum: it is the process's.
  Usage Since(const Usage& before) const {
    // `before` is what the process itself has said, and may be anything.
    const auto minus = [](uint64_t a, uint64_t b) { return a > b ? a - b : 0; };
    return {minus(userCpuUs, before.userCpuUs),
            minus(systemCpuUs, before.systemCpuUs),
            maxRssKib,
            minus(minorFaults, before.minorFaults),
            minus(majorFaults, before.majorFaults),
            minus(voluntarySwitches, before.voluntarySwitches),
            minus(involuntarySwitches, before.involuntarySwitches)};
  }

  template <typename Record>
  void WriteTo(Record& record) const {
    record.userCpuUs = userCpuUs;
    record.systemCpuUs = systemCpuUs;
    record.maxRssKib = maxRssKib;
    record.minorFaults = minorFaults;
    record.majorFaults = majorFaults;
    record.voluntarySwitches = voluntarySwitches;
    record.involuntarySwitches = involuntarySwitches;
  }
};

}  // namespace truefork
