#include "trace/injections.h"

#include <algorithm>
#include <sstream>

#include "trace/calls.h"

namespace truefork::trace {

namespace {

Family FamilyOf(const std::string& name) {
  if (name == "fork") return Family::Fork;
  if (name == "accept") return Family::Accept;
  if (name == "read") return Family::Read;
  if (name == "write") return Family::Write;
  return Family::Other;
}

bool AddCalls(const std::string& name, std::vector<uint16_t>* calls) {
  const Family family = FamilyOf(name);
  if (family == Family::Other) {
    const uint16_t call = FindCallByName(name);
    if (call != kNoCall) calls->push_back(call);
    return call != kNoCall;
  }
  for (size_t i = 0; i < Calls().size(); i++) {
    if (Calls()[i].family == family) calls->push_back(static_cast<uint16_t>(i));
  }
  return true;
}

}  // namespace

bool ParseInjection(const std::string& text, Injection* injection) {
  std::istringstream words(text);
  std::string calls;
  words >> injection->name >> calls >> injection->nth >> injection->times >> injection->pid >>
      injection->socketsOnly >> injection->errnum >> injection->length;
  if (words.fail() || injection->nth == 0 || injection->errnum < 0) return false;
  std::istringstream names(calls);
  for (std::string name; std::getline(names, name, ',');) {
    if (!AddCalls(name, &injection->calls)) return false;
  }
  return !injection->calls.empty();
}

bool Injections::Matches(const Injection& injection, uint16_t call, pid_t pid) {
  return (injection.pid == 0 || injection.pid == pid) &&
         std::find(injection.calls.begin(), injection.calls.end(), call) != injection.calls.end();
}

}  // namespace truefork::trace
