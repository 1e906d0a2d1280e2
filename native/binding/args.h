// The arguments of a call, checked: only what has the right type and range reaches the system.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "binding/exports.h"

namespace truefork {

// Part of a Uint8Array of the caller's. A signal handler may run while a call waits, and may detach or shrink
// the array. So the address of its memory is looked up before each try and never kept.
class Bytes {
 public:
  Bytes(const char* call, Napi::Uint8Array array, size_t offset, size_t size)
      : call_(call), array_(array), offset_(offset), size_(size) {}

  uint8_t* data() const;  // throws when the array no longer holds it
  size_t size() const { return size_; }

 private:
  const char* call_;
  Napi::Uint8Array array_;
  size_t offset_;
  size_t size_;
};

class Args {
 public:
  explicit Args(const Napi::CallbackInfo& info) : info_(info), call_(ExportedName(info)) {}

  Napi::Env env() const { return info_.Env(); }
  const char* call() const { return call_; }
  bool Has(size_t index) const { return !info_[index].IsUndefined() && !info_[index].IsNull(); }
  Napi::Value operator[](size_t index) const { return info_[index]; }

  int Int(size_t index, const char* name) const { return IntOf(info_[index], name); }
  int IntOr(size_t index, const char* name, int otherwise) const {
    return Has(index) ? Int(index, name) : otherwise;
  }
  uint32_t Unsigned(size_t index, const char* name) const { return UnsignedOf(info_[index], name); }
  std::string String(size_t index, const char* name) const { return StringOf(info_[index], name); }
  Napi::Object Object(size_t index, const char* name) const;
  Napi::Array Array(size_t index, const char* name, uint32_t most) const;
  std::vector<std::string> Strings(size_t index, const char* name) const;

  // `size` bytes (by default all that follow) of a Uint8Array from `offset` (by default 0) on.
  Bytes Buffer(size_t array, size_t size, size_t offset) const;
  Bytes WholeBuffer(size_t array) const;

  int IntOf(Napi::Value value, const char* name) const;
  uint32_t UnsignedOf(Napi::Value value, const char* name) const;
  double NumberOf(Napi::Value value, const char* name, double least, double most) const;
  std::string StringOf(Napi::Value value, const char* name) const;

  // The result of a system call, or its error; as a number for JavaScript.
  long Checked(long result) const;
  Napi::Value Result(long result) const { return Napi::Number::New(env(), Checked(result)); }

  // Both say which argument of which call it is, and what it has to be.
  Napi::Error WrongType(const char* name, const char* expected) const;
  Napi::Error OutOfRange(const char* name, const std::string& expected) const;

 private:
  const Napi::CallbackInfo& info_;
  const char* call_;
};

}  // namespace truefork
