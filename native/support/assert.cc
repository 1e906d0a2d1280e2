#include "support/assert.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <charconv>
#include <iterator>

namespace truefork {

namespace {

// No stdio and no allocation: the state that is broken may be theirs.
void Say(const char* text) {
  const ssize_t written = write(STDERR_FILENO, text, strlen(text));
  static_cast<void>(written);  // there is nobody else to tell
}

}  // namespace

void AssertionFailed(const char* condition, const char* file, int line) {
  char number[16];
  *std::to_chars(number, std::end(number) - 1, line).ptr = '\0';
  for (const char* part :
       {"truefork: assertion failed: ", condition, " (", file, ":", static_cast<const char*>(number),
        "). This is a bug of truefork: please report it\n"})
    Say(part);
  abort();
}

}  // namespace truefork
