// A protection that was asked for and does not hold.
#pragma once

#include <string>

namespace truefork {

struct Failure {
  std::string what;  // the part, or the call, in words for a person
  int errnum;
};

}  // namespace truefork
