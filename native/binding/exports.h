// The one way in which a function is given to JavaScript: as a row of an export table.
#pragma once

#include <napi.h>

#include <cstddef>

namespace truefork {

// A name and its function. A function of type void gives undefined.
struct Export {
  using Function = Napi::Value (*)(const Napi::CallbackInfo&);
  using Procedure = void (*)(const Napi::CallbackInfo&);

  constexpr Export(const char* exportedName, Function called) : name(exportedName), function(called) {}
  constexpr Export(const char* exportedName, Procedure called) : name(exportedName), procedure(called) {}

  const char* name;
  Function function = nullptr;
  Procedure procedure = nullptr;
};

// The name under which the function that is running was exported.
inline const char* ExportedName(const Napi::CallbackInfo& info) {
  return static_cast<const char*>(info.Data());
}

// The rows of a table become properties of `exports`. The names have to be literals: they are kept.
template <size_t count>
void ExportTable(Napi::Object exports, const Export (&table)[count]) {
  Napi::Env env = exports.Env();
  for (const Export& row : table) {
    void* name = const_cast<char*>(row.name);
    exports.Set(row.name, row.function != nullptr ? Napi::Function::New(env, row.function, row.name, name)
                                                  : Napi::Function::New(env, row.procedure, row.name, name));
  }
}

}  // namespace truefork
