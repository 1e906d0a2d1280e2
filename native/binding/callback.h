// A function of JavaScript's that is called from the top of the event loop. It is looked up once, and not by
// its name in every child.
#pragma once

#include <napi.h>

#include <array>

namespace truefork {

// NOLINTNEXTLINE(bugprone-exception-escape): node-addon-api's references may throw when they are freed
class Callback {
 public:
  Callback() = default;
  Callback(const Napi::Object& given, const char* name) {
    if (!given.Get(name).IsFunction()) return;  // it is never called, then
    function_ = Napi::Persistent(given.Get(name).As<Napi::Function>());
    function_.SuppressDestruct();
    receiver_ = Napi::Persistent(Napi::Object::New(given.Env()));
    receiver_.SuppressDestruct();
  }

  // What it throws, nobody can catch: it is Node's to deal with.
  template <typename... Arguments>
  void operator()(const Arguments&... given) const {
    Napi::Env env = function_.Env();
    Napi::HandleScope scope(env);
    const std::array<napi_value, sizeof...(given)> arguments{Napi::Value::From(env, given)...};
    try {
      function_.MakeCallback(receiver_.Value(), arguments.size(), arguments.data());
    } catch (const Napi::Error& error) {
      napi_fatal_exception(env, error.Value());
    }
  }

 private:
  Napi::FunctionReference function_;
  // Node takes the receiver for the resource of the callback, and enters the domain in its property
  // `domain`. The global object would do for a receiver, but a script may have a global of that name.
  Napi::ObjectReference receiver_;
};

}  // namespace truefork
