// struct timeval between the system's form and JavaScript's { tv_sec, tv_usec }.
#pragma once

#include <napi.h>
#include <sys/time.h>

#include "binding/args.h"

namespace truefork {

inline Napi::Object TimevalToObject(Napi::Env env, const timeval& time) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("tv_sec", static_cast<double>(time.tv_sec));
  object.Set("tv_usec", static_cast<double>(time.tv_usec));
  return object;
}

inline timeval TimevalFrom(const Args& args, Napi::Value value, const char* name) {
  if (!value.IsObject()) throw args.WrongType(name, "{ tv_sec, tv_usec }");
  const auto object = value.As<Napi::Object>();
  timeval time{};
  time.tv_sec = static_cast<time_t>(args.NumberOf(object.Get("tv_sec"), "tv_sec", 0, INT32_MAX));
  time.tv_usec = static_cast<suseconds_t>(args.NumberOf(object.Get("tv_usec"), "tv_usec", 0, 999'999));
  return time;
}

}  // namespace truefork
