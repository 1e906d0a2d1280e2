#include "binding/errors.h"

#include <errno.h>
#include <uv.h>

namespace truefork {

namespace {

struct Description {
  const char* name;
  const char* text;
};

// libuv has no name for the errors that none of its own calls meets.
Description Describe(int errnum) {
  switch (errnum) {
    case ECHILD:
      return {"ECHILD", "no child processes"};
    case EDOM:
      return {"EDOM", "argument out of domain"};
    case ENOEXEC:
      return {"ENOEXEC", "exec format error"};
    default:
      return {uv_err_name(-errnum), uv_strerror(-errnum)};
  }
}

Napi::Error Build(Napi::Env env, int errnum, const char* syscall, const std::string& about) {
  const Description known = Describe(errnum);
  Napi::Error error =
      Napi::Error::New(env, std::string(syscall) + " " + known.name + ": " + known.text + about);
  error.Value().Set("errno", -errnum);
  error.Value().Set("code", known.name);
  error.Value().Set("syscall", syscall);
  return error;
}

}  // namespace

Napi::Error SystemError(Napi::Env env, int errnum, const char* syscall) {
  return Build(env, errnum, syscall, "");
}

Napi::Error SystemError(Napi::Env env, int errnum, const char* syscall, const std::string& address,
                        int port) {
  std::string where = address;
  if (port >= 0) where += ":" + std::to_string(port);
  Napi::Error error = Build(env, errnum, syscall, " " + where);
  error.Value().Set("address", address);
  if (port >= 0) error.Value().Set("port", port);
  return error;
}

Napi::Error MisuseError(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Value().Set("code", code);
  return error;
}

Napi::TypeError MisuseTypeError(Napi::Env env, const char* code, const std::string& message) {
  Napi::TypeError error = Napi::TypeError::New(env, message);
  error.Value().Set("code", code);
  return error;
}

}  // namespace truefork
