#include "binding/args.h"

#include <errno.h>

#include <cmath>
#include <limits>

#include "binding/errors.h"

namespace truefork {

namespace {

// More would not fit into the kernel's own limit for arguments and environment (execve(2), E2BIG).
constexpr uint32_t kMostStrings = 1'000'000;

bool IsDetached(Napi::Uint8Array array) {
  bool detached = false;
  napi_is_detached_arraybuffer(array.Env(), array.ArrayBuffer(), &detached);
  return detached;
}

}  // namespace

uint8_t* Bytes::data() const {
  if (offset_ + size_ > array_.ByteLength() || IsDetached(array_)) {
    throw MisuseTypeError(array_.Env(), "ERR_TRUEFORK_DETACHED_BUFFER",
                          std::string(call_) + ": the buffer was detached or resized: its memory is gone");
  }
  Napi::Uint8Array array = array_;
  return array.Data() + offset_;
}

Napi::Error Args::WrongType(const char* name, const char* expected) const {
  return MisuseTypeError(env(), "ERR_TRUEFORK_ARGUMENT",
                         std::string(call_) + ": " + name + " must be " + expected);
}

Napi::Error Args::OutOfRange(const char* name, const std::string& expected) const {
  Napi::RangeError error =
      Napi::RangeError::New(env(), std::string(call_) + ": " + name + " must be " + expected);
  error.Value().Set("code", "ERR_TRUEFORK_OUT_OF_RANGE");
  return error;
}

double Args::NumberOf(Napi::Value value, const char* name, double least, double most) const {
  if (!value.IsNumber()) throw WrongType(name, "a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= least && number <= most)) {
    throw OutOfRange(name, "from " + std::to_string(static_cast<int64_t>(least)) + " to " +
                               std::to_string(static_cast<int64_t>(most)));
  }
  if (std::trunc(number) != number) throw OutOfRange(name, "a whole number");
  return number;
}

int Args::IntOf(Napi::Value value, const char* name) const {
  using Limits = std::numeric_limits<int>;
  return static_cast<int>(NumberOf(value, name, Limits::min(), Limits::max()));
}

uint32_t Args::UnsignedOf(Napi::Value value, const char* name) const {
  return static_cast<uint32_t>(NumberOf(value, name, 0, std::numeric_limits<uint32_t>::max()));
}

std::string Args::StringOf(Napi::Value value, const char* name) const {
  if (!value.IsString()) throw WrongType(name, "a string");
  std::string text = value.As<Napi::String>();
  if (text.find('\0') != std::string::npos) throw WrongType(name, "a string without NUL characters");
  return text;
}

Napi::Object Args::Object(size_t index, const char* name) const {
  if (!info_[index].IsObject() || info_[index].IsFunction()) throw WrongType(name, "an object");
  return info_[index].As<Napi::Object>();
}

Napi::Array Args::Array(size_t index, const char* name, uint32_t most) const {
  if (!info_[index].IsArray()) throw WrongType(name, "an array");
  const auto array = info_[index].As<Napi::Array>();
  if (array.Length() > most) throw OutOfRange(name, "no longer than " + std::to_string(most));
  return array;
}

std::vector<std::string> Args::Strings(size_t index, const char* name) const {
  const Napi::Array array = Array(index, name, kMostStrings);
  std::vector<std::string> strings;
  for (uint32_t i = 0; i < array.Length(); i++) strings.push_back(StringOf(array.Get(i), name));
  return strings;
}

Bytes Args::WholeBuffer(size_t array) const {
  const Napi::Value value = info_[array];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw WrongType("buffer", "a Uint8Array or Buffer");
  }
  const auto bytes = value.As<Napi::Uint8Array>();
  const Bytes whole(call_, bytes, 0, bytes.ByteLength());
  whole.data();
  return whole;
}

Bytes Args::Buffer(size_t array, size_t size, size_t offset) const {
  const Bytes whole = WholeBuffer(array);
  const auto length = static_cast<double>(whole.size());
  const double from = Has(offset) ? NumberOf(info_[offset], "offset", 0, length) : 0;
  const double count = Has(size) ? NumberOf(info_[size], "length", 0, length - from) : length - from;
  return Bytes(call_, info_[array].As<Napi::Uint8Array>(), static_cast<size_t>(from),
               static_cast<size_t>(count));
}

long Args::Checked(long result) const {
  if (result < 0) throw SystemError(env(), errno, call_);
  return result;
}

}  // namespace truefork
