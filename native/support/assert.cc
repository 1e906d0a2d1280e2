#include "support/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

namespace truefork {

void AssertionFailed(const char* condition, const char* file, int line) {
  dprintf(STDERR_FILENO, "truefork: assertion failed: %s (%s:%d). Please report this as a bug of truefork.\n", condition,
          file, line);
  abort();
}

}  // namespace truefork
