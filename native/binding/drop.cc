#include "binding/drop.h"

#include <errno.h>
#include <uv.h>

#include "binding/errors.h"
#include "isolation/privileges.h"

namespace truefork {

namespace {

Privileges Read(const Napi::Object& wanted) {
  const auto has = [&](const char* name) { return !wanted.Get(name).IsUndefined(); };
  const auto number = [&](const char* name) { return wanted.Get(name).As<Napi::Number>().Uint32Value(); };
  const auto text = [&](const char* name) { return wanted.Get(name).As<Napi::String>().Utf8Value(); };
  Privileges privileges;
  if (has("user")) privileges.user = number("user");
  if (has("group")) privileges.group = number("group");
  if (has("root")) privileges.root = text("root");
  if (has("folder")) privileges.folder = text("folder");
  if (has("umask")) privileges.umask = number("umask");
  privileges.noNewPrivs = wanted.Get("noNewPrivs").ToBoolean();
  privileges.startsUsers = has("startsUsers");
  if (has("groups")) {
    const auto groups = wanted.Get("groups").As<Napi::Array>();
    for (uint32_t i = 0; i < groups.Length(); i++)
      privileges.groups.push_back(groups.Get(i).As<Napi::Number>().Uint32Value());
  }
  return privileges;
}

}  // namespace

void DropPrivilegesFor(const Napi::CallbackInfo& info) { DropPrivilegesAsked(info.Env(), info[0]); }

void DropPrivilegesAsked(Napi::Env env, Napi::Value wanted) {
  if (!wanted.IsObject()) return;
  const auto failure = DropPrivileges(Read(wanted.As<Napi::Object>()));
  if (!failure) return;
  const int error = uv_translate_sys_error(failure->errnum);
  const char* advice = failure->errnum == EPERM ? ". Only root can become another: start as root" : "";
  throw MisuseError(env, "ERR_TRUEFORK_PRIVILEGES",
                    "the privileges could not be given up, so nobody is served: " + failure->what + " (" +
                        uv_err_name(error) + ")" + advice);
}

}  // namespace truefork
