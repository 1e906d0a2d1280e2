// The system calls that a trace is about. Room native/trace: a ptrace(2) tracer with seccomp(2) filters and
// fault injection. It imports the system's headers and support/, and knows no Node; native/binding/trace.cc
// starts it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace truefork::trace {

// What a filter stops at. The second contains the first.
enum class Filter : uint8_t { LifeCycle, ReadWrite };

// What a fault can be injected into by one name, and what the tracer has to know of a call.
enum class Family : uint8_t { Other, Fork, Accept, Read, Write, Kill, Wait };

struct Call {
  const char* name;
  int number;  // of this architecture
  Filter filter;
  Family family;
};

constexpr uint16_t kNoCall = 0xffff;

// Records name a call by its place in here.
const std::vector<Call>& Calls();

// The place of the call with this number, or kNoCall.
uint16_t FindCall(long number);
uint16_t FindCallByName(std::string_view name);

// The names in their order, with newlines between.
std::string CallNames();

// prctl(kLocationCall, text, length): a program says where in its source it is. Other kernels and tracers
// answer EINVAL.
constexpr uint32_t kLocationCall = 0x54464b4d;

}  // namespace truefork::trace
