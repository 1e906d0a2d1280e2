// GCC 11 and later make every allocation of theirs able to call this function, which libstdc++ has only since
// GCC 11 (GLIBCXX_3.4.29). Our own copy lets the addon load where Node itself does: beside the libstdc++ of
// GCC 8.
#include <new>

#if defined(__GLIBCXX__)

namespace std {

// NOLINTNEXTLINE(bugprone-reserved-identifier): the name is libstdc++'s
[[noreturn]] __attribute__((weak, visibility("hidden"))) void __throw_bad_array_new_length() {
  throw std::bad_array_new_length();
}

}  // namespace std

#endif
