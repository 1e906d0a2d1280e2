#include "binding/accounts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include <vector>

#include "binding/errors.h"

namespace truefork {

namespace {

template <typename Entry, typename Id>
Napi::Value Find(const Napi::CallbackInfo& info, const char* call,
                 int (*find)(const char*, Entry*, char*, size_t, Entry**), Id Entry::*id) {
  const std::string name = info[0].As<Napi::String>();
  std::vector<char> room(64 * 1024);  // a group's members, too, have to fit
  Entry entry;
  Entry* found = nullptr;
  const int errnum = find(name.c_str(), &entry, room.data(), room.size(), &found);
  if (found != nullptr) return Napi::Number::New(info.Env(), found->*id);
  // Some databases say so when there is no such name (getpwnam(3)).
  if (errnum == 0 || errnum == ENOENT || errnum == ESRCH) return info.Env().Undefined();
  throw SystemError(info.Env(), errnum, call);
}

}  // namespace

Napi::Value UserId(const Napi::CallbackInfo& info) {
  return Find(info, "getpwnam", getpwnam_r, &passwd::pw_uid);
}

Napi::Value GroupId(const Napi::CallbackInfo& info) {
  return Find(info, "getgrnam", getgrnam_r, &group::gr_gid);
}

}  // namespace truefork
