// State of which there is one to a process: `NoDestructor<State> state;` at namespace scope.
#pragma once

#include <new>
#include <utility>

namespace truefork {

// An object that is made when the addon is loaded and never destroyed. At exit a forked child would run
// destructors on pages that it shares with its parent, which copies them for nothing; and a reference to a
// JavaScript value must not be released after its environment is gone.
template <typename T>
class NoDestructor {
 public:
  template <typename... Arguments>
  explicit NoDestructor(Arguments&&... arguments) {
    new (storage_) T(std::forward<Arguments>(arguments)...);
  }
  NoDestructor(const NoDestructor&) = delete;
  NoDestructor& operator=(const NoDestructor&) = delete;

  T& operator*() { return *get(); }
  T* operator->() { return get(); }
  T* get() { return std::launder(reinterpret_cast<T*>(storage_)); }

 private:
  alignas(T) unsigned char storage_[sizeof(T)];
};

}  // namespace truefork
