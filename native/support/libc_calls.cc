#include "support/libc_calls.h"

namespace truefork {

LibcCalls libcCalls;

}  // namespace truefork
