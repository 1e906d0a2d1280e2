#include "binding/accounts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include <string>
#include <vector>

#include "binding/errors.h"

namespace truefork {

namespace {

// An entry of a database, with the memory that its strings are in.
template <typename Entry>
struct Found {
  std::vector<char> room = std::vector<char>(64 * 1024);  // for all the members of a group
  Entry entry;
  Entry* found = nullptr;  // null: there is none
};

template <typename Entry, typename Key>
Found<Entry> Find(Napi::Env env, const char* call, int (*find)(Key, Entry*, char*, size_t, Entry**),
                  Key key) {
  Found<Entry> result;
  const int errnum = find(key, &result.entry, result.room.data(), result.room.size(), &result.found);
  // Some databases report these two where there is no such name (getpwnam(3)).
  if (result.found == nullptr && errnum != 0 && errnum != ENOENT && errnum != ESRCH)
    throw SystemError(env, errnum, call);
  return result;
}

}  // namespace

Napi::Value UserId(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  const auto user = Find(info.Env(), "getpwnam", getpwnam_r, name.c_str());
  return user.found == nullptr ? info.Env().Undefined() : Napi::Number::New(info.Env(), user.entry.pw_uid);
}

Napi::Value GroupId(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  const auto group = Find(info.Env(), "getgrnam", getgrnam_r, name.c_str());
  return group.found == nullptr ? info.Env().Undefined() : Napi::Number::New(info.Env(), group.entry.gr_gid);
}

Napi::Value PasswdEntry(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const uid_t uid = info[0].As<Napi::Number>().Uint32Value();
  const auto user = Find(env, "getpwuid", getpwuid_r, uid);
  if (user.found == nullptr) return env.Undefined();
  Napi::Object entry = Napi::Object::New(env);
  entry.Set("name", user.entry.pw_name);
  entry.Set("gid", user.entry.pw_gid);
  entry.Set("home", user.entry.pw_dir);
  return entry;
}

}  // namespace truefork
