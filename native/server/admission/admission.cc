#include "server/admission/admission.h"

#include <sys/random.h>

#include <algorithm>

namespace truefork {

using protocol::Policy;
using protocol::Reason;

namespace {

uint64_t RandomSeed() {
  uint64_t seed = 0;
  [[maybe_unused]] const ssize_t size = getrandom(&seed, sizeof seed, GRND_NONBLOCK);
  return seed;
}

}  // namespace

size_t Admission::Hash::operator()(uint64_t key) const {
  // The finalizer of MurmurHash3: each bit of the key and the seed moves half of all bits.
  uint64_t hash = key ^ seed;
  hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
  hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
  return hash ^ hash >> 33;
}

Admission::Admission(uint32_t maxChildren) : sources_(0, Hash{RandomSeed()}) {
  limits_.maxChildren = maxChildren;
}

void Admission::SetLimits(const protocol::AdmissionCommand& limits) {
  limits_ = limits;
  rate_ = {limits.acceptIntervalUs, std::max<int64_t>(1, limits.acceptBurst)};
  sourceRate_ = {limits.sourceIntervalUs, std::max<int64_t>(1, limits.sourceBurst)};
}

void Admission::SetPolicy(Reason reason, Policy policy) {
  if (static_cast<uint32_t>(reason) < protocol::kReasons) policies_[static_cast<uint32_t>(reason)] = policy;
}

bool Admission::Queues(Reason reason) const {
  return policies_[static_cast<uint32_t>(reason)] == Policy::Queue;
}

bool Admission::TakesFromLine(size_t live, int64_t now) const {
  if (live >= limits_.maxChildren && Queues(Reason::MaxChildren)) return false;
  return bucket_.IsOpen(rate_, now) || !Queues(Reason::AcceptRate);
}

int64_t Admission::OpensAt(size_t live, int64_t now) const {
  if (bucket_.IsOpen(rate_, now) || !Queues(Reason::AcceptRate)) return 0;
  if (live >= limits_.maxChildren && Queues(Reason::MaxChildren)) return 0;
  return bucket_.OpensAt(rate_);
}

// A client that is turned away takes no token: a flood that is refused costs the others nothing.
std::optional<Reason> Admission::Refuse(const Address& peer, size_t live, int64_t now) {
  const auto ip = IpOf(peer);
  if (ip && !rules_.Admits(*ip)) return Reason::Address;
  if (live >= limits_.maxChildren) return Reason::MaxChildren;
  Visits* visits = nullptr;
  if (const Source source = SourceOf(peer)) {
    if (sources_.size() >= forgetAt_) ForgetTheIdle(now);
    visits = &sources_[*source];
    if (limits_.maxPerSource > 0 && visits->live >= limits_.maxPerSource) return Reason::MaxPerSource;
    if (!visits->bucket.IsOpen(sourceRate_, now)) return Reason::SourceRate;
  }
  if (!bucket_.IsOpen(rate_, now)) return Reason::AcceptRate;
  bucket_.Take(rate_, now);
  if (visits != nullptr) {
    visits->live++;
    visits->bucket.Take(sourceRate_, now);
  }
  return std::nullopt;
}

void Admission::Leave(const Source& source, int64_t now) {
  if (!source) return;
  const auto found = sources_.find(*source);
  if (found == sources_.end()) return;
  Visits& visits = found->second;
  if (visits.live > 0) visits.live--;
  if (visits.live == 0 && visits.bucket.IsFull(now)) sources_.erase(found);
}

// An address that nobody is connected from any more is kept for as long as its rate is not forgiven, but not
// at any price: whoever has a million networks cannot fill the memory.
void Admission::ForgetTheIdle(int64_t now) {
  for (const bool mayForgive : {false, true}) {
    for (auto it = sources_.begin(); it != sources_.end();) {
      const Visits& visits = it->second;
      const bool forgotten = visits.live == 0 && (mayForgive || visits.bucket.IsFull(now));
      it = forgotten ? sources_.erase(it) : std::next(it);
    }
    if (sources_.size() < kMostSources) break;
  }
  forgetAt_ = std::max(kFewSources, 2 * sources_.size());
}

}  // namespace truefork
