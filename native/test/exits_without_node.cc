// In place of fork/exits.cc: how a child ends is Node's affair. A child of these tests ends with _exit(2) of
// its own.
#include <unistd.h>

#include "fork/exits.h"

namespace truefork {

void GuardExits() {}
void SetExitVeto(bool (*)()) {}
void InsteadOfExit(void (*)(int)) {}
void ExitNow(int code) { _exit(code); }

}  // namespace truefork
