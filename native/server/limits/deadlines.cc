#include "server/limits/deadlines.h"

namespace truefork {

void Deadlines::Set(uint32_t key, Deadline when) {
  if (key >= places_.size()) places_.resize(key + 1, kAbsent);
  size_t at = places_[key];
  if (at == kAbsent) {
    at = heap_.size();
    heap_.push_back({when, key});
    SiftUp(at, {when, key});
  } else if (when < heap_[at].when) {
    SiftUp(at, {when, key});
  } else {
    SiftDown(at, {when, key});
  }
}

void Deadlines::Remove(uint32_t key) {
  if (key < places_.size() && places_[key] != kAbsent) RemoveAt(places_[key]);
}

std::optional<uint32_t> Deadlines::TakeDue(Time now) {
  if (heap_.empty() || !heap_.front().when.HasPassed(now)) return std::nullopt;
  const uint32_t key = heap_.front().key;
  RemoveAt(0);
  return key;
}

void Deadlines::RemoveAt(size_t at) {
  places_[heap_[at].key] = kAbsent;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (at == heap_.size()) return;
  // The last entry fills the gap, and may belong above or below it.
  if (at > 0 && last.when < heap_[(at - 1) / 2].when) {
    SiftUp(at, last);
  } else {
    SiftDown(at, last);
  }
}

void Deadlines::SiftUp(size_t at, Entry entry) {
  while (at > 0) {
    const size_t parent = (at - 1) / 2;
    if (!(entry.when < heap_[parent].when)) break;
    Place(at, heap_[parent]);
    at = parent;
  }
  Place(at, entry);
}

void Deadlines::SiftDown(size_t at, Entry entry) {
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].when < heap_[child].when) child++;
    if (!(heap_[child].when < entry.when)) break;
    Place(at, heap_[child]);
    at = child;
  }
  Place(at, entry);
}

void Deadlines::Place(size_t at, Entry entry) {
  heap_[at] = entry;
  places_[entry.key] = at;
}

}  // namespace truefork
