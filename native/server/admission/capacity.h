// How many connections may be served at the same time. Both kinds of server ask it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace truefork {

class Capacity {
 public:
  static constexpr uint32_t kUnlimited = UINT32_MAX;

  explicit Capacity(uint32_t maximum) : maximum_(maximum) {}

  void SetMaximum(uint32_t maximum) { maximum_ = maximum; }
  uint32_t maximum() const { return maximum_; }

  // Retired zygotes still serve connections, which count among the maximum, too.
  void SetRetiredChildren(uint32_t count) { retiredChildren_ = count; }

  // `serving` is how many connections this process serves.
  //
  // Always admit one, even while retired zygotes fill the maximum: otherwise a reload blocks the new zygote
  // until the longest old connection ends.
  bool IsFull(size_t serving) const { return (serving == 0 ? 0 : serving + retiredChildren_) >= maximum_; }

 private:
  uint32_t maximum_;
  uint32_t retiredChildren_ = 0;
};

}  // namespace truefork
