#include "binding/passwd.h"

#include <errno.h>
#include <pwd.h>

#include <vector>

#include "binding/errors.h"

namespace truefork {

Napi::Value PasswdEntry(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::vector<char> room(64 * 1024);
  passwd entry;
  passwd* found = nullptr;
  const uid_t uid = info[0].As<Napi::Number>().Uint32Value();
  const int errnum = getpwuid_r(uid, &entry, room.data(), room.size(), &found);
  if (found == nullptr && errnum != 0 && errnum != ENOENT && errnum != ESRCH)
    throw SystemError(env, errnum, "getpwuid");
  if (found == nullptr) return env.Undefined();
  Napi::Object result = Napi::Object::New(env);
  result.Set("name", found->pw_name);
  result.Set("gid", found->pw_gid);
  result.Set("home", found->pw_dir);
  return result;
}

}  // namespace truefork
