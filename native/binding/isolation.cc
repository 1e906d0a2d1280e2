#include "binding/isolation.h"

#include <errno.h>
#include <uv.h>

#include <string>

#include "binding/errors.h"
#include "isolation/descriptors.h"

namespace truefork {

namespace {

std::vector<std::string> Texts(const Napi::Value& value) {
  std::vector<std::string> texts;
  const auto list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) texts.push_back(list.Get(i).As<Napi::String>());
  return texts;
}

std::vector<uint16_t> Ports(const Napi::Value& value) {
  std::vector<uint16_t> ports;
  const auto list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++)
    ports.push_back(static_cast<uint16_t>(list.Get(i).As<Napi::Number>().Uint32Value()));
  return ports;
}

void ReadNetwork(const Napi::Object& given, ConfinementRules::Sandbox* sandbox) {
  LandlockRules::Tcp ports{Ports(given.Get("connect")), Ports(given.Get("listen"))};
  NetworkRules network;
  network.tcpConnect = !ports.connect.empty();
  network.tcpListen = !ports.bind.empty();
  network.udp = given.Get("udp").ToBoolean();
  network.unixSockets = given.Get("unix").ToBoolean();
  // Where there is no TCP at all the filter says so, and no rule is needed.
  if (network.tcpConnect || network.tcpListen) sandbox->ports = ports;
  sandbox->network = network;
}

ConfinementRules::Sandbox SandboxFrom(const Napi::Object& given) {
  const auto has = [&](const char* name) { return !given.Get(name).IsUndefined(); };
  ConfinementRules::Sandbox sandbox;
  sandbox.files = {Texts(given.Get("read")), Texts(given.Get("write"))};
  if (has("network")) ReadNetwork(given.Get("network").As<Napi::Object>(), &sandbox);
  if (has("maxFileSize"))
    sandbox.maxFileSize = static_cast<uint64_t>(given.Get("maxFileSize").As<Napi::Number>().Int64Value());
  if (has("maxProcesses")) sandbox.maxProcesses = given.Get("maxProcesses").As<Napi::Number>().Uint32Value();
  sandbox.ownUser = has("uids");
  return sandbox;
}

}  // namespace

ChildIsolation::Options IsolationFrom(const Napi::Object& given) {
  ChildIsolation::Options options;
  options.endsLeftovers = given.Get("leftovers").ToBoolean();
  options.confinement.scope =
      static_cast<ConfinementRules::Scope>(given.Get("scope").As<Napi::Number>().Int32Value());
  if (!given.Get("sandbox").IsObject()) return options;
  const auto sandbox = given.Get("sandbox").As<Napi::Object>();
  options.confinement.sandbox = SandboxFrom(sandbox);
  options.isBestEffort = sandbox.Get("bestEffort").ToBoolean();
  if (!options.confinement.sandbox->ownUser) return options;
  const auto uids = sandbox.Get("uids").As<Napi::Object>();
  options.users = UidRange(uids.Get("from").As<Napi::Number>().Uint32Value(),
                           uids.Get("to").As<Napi::Number>().Uint32Value());
  return options;
}

void ThrowUnlessIsolated(Napi::Env env, const std::vector<Failure>& failures) {
  if (failures.empty()) return;
  std::string parts;
  for (const Failure& failure : failures) {
    if (!parts.empty()) parts += "; ";
    parts += failure.what + " (" + uv_err_name(uv_translate_sys_error(failure.errnum)) + ")";
  }
  throw MisuseError(env, "ERR_TRUEFORK_ISOLATION",
                    "not enforceable here, so nobody is served: " + parts +
                        ". Leave it out, or accept less with bestEffort in sandbox, or landlock auto");
}

Napi::Value MoveUp(const Napi::CallbackInfo& info) {
  // Not higher: a fork copies the table of descriptors up to the highest.
  const int moved = MoveDescriptorUp(info[0].As<Napi::Number>().Int32Value(), 256);
  if (moved < 0) throw SystemError(info.Env(), errno, "dup3");
  return Napi::Number::New(info.Env(), moved);
}

Napi::Value LandlockVersion(const Napi::CallbackInfo& info) {
  const int abi = LandlockAbi();
  return Napi::Number::New(info.Env(), abi > 0 ? abi : -errno);
}

}  // namespace truefork
