#include "binding/posix/families.h"

namespace truefork {

Napi::Object PosixCalls(Napi::Env env) {
  Napi::Object calls = Napi::Object::New(env);
  for (const auto family : {ExportConstants, ExportSockets, ExportIo, ExportSelect, ExportProcess, ExportFork,
                            ExportWait, ExportSignals})
    family(calls);
  return calls;
}

}  // namespace truefork
