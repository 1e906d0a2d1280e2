// Memory outside the snapshot: what a rollback itself needs, and must find as it left it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace truefork::rollback {

constexpr uintptr_t kPage = 4096;  // IsPossible() refuses where pages have another size

inline uintptr_t PageOf(uintptr_t address) { return address & ~(kPage - 1); }
inline uintptr_t PagesUp(uintptr_t size) { return PageOf(size + kPage - 1); }

struct Range {
  uintptr_t start, end;
};

// A mapping between two guard pages: an overrun faults, and the kernel merges it with no neighbour.
class Region {
 public:
  bool Map(size_t size);
  void Protect(int protection) const;
  uint8_t* data() const { return reinterpret_cast<uint8_t*>(start_); }
  size_t size() const { return size_; }
  Range WithGuards() const { return {start_ - kPage, start_ + size_ + kPage}; }

 private:
  uintptr_t start_ = 0;
  size_t size_ = 0;
};

// An array of fixed room, without malloc. What does not fit is not dropped unnoticed: the array says so.
template <typename T, size_t room>
class Array {
 public:
  bool Add(const T& item) {
    if (size_ == room) {
      isFull_ = true;
      return false;
    }
    items_[size_++] = item;
    return true;
  }
  void Clear() {
    size_ = 0;
    isFull_ = false;
  }
  void Shorten(size_t size) { size_ = size; }
  bool isFull() const { return isFull_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t index) { return items_[index]; }
  const T& operator[](size_t index) const { return items_[index]; }
  T& back() { return items_[size_ - 1]; }
  T* begin() { return items_; }
  T* end() { return items_ + size_; }
  const T* begin() const { return items_; }
  const T* end() const { return items_ + size_; }

 private:
  size_t size_ = 0;
  bool isFull_ = false;
  T items_[room];
};

}  // namespace truefork::rollback
