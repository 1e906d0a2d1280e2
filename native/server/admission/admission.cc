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

Admission::Admission() : sources_(0, Hash{RandomSeed()}) {}

void Admission::SetLimits(const protocol::AdmissionCommand& limits) {
  capacity_.SetMaximum(limits.maxChildren);
  maxPerSource_ = limits.maxPerSource;
  rate_ = {Duration(limits.acceptIntervalUs), std::max<int64_t>(1, limits.acceptBurst)};
  sourceRate_ = {Duration(limits.sourceIntervalUs), std::max<int64_t>(1, limits.sourceBurst)};
}

void Admission::SetPolicy(Reason reason, Policy policy) {
  if (static_cast<uint32_t>(reason) < protocol::kReasons) policies_[static_cast<uint32_t>(reason)] = policy;
}

bool Admission::Queues(Reason reason) const {
  return policies_[static_cast<uint32_t>(reason)] == Policy::Queue;
}

bool Admission::MayAccept(size_t serving, Time now) const {
  if (capacity_.IsFull(serving) && Queues(Reason::MaxChildren)) return false;
  return bucket_.IsOpen(rate_, now) || !Queues(Reason::AcceptRate);
}

Deadline Admission::OpensAt(size_t serving, Time now) const {
  if (bucket_.IsOpen(rate_, now) || !Queues(Reason::AcceptRate)) return Deadline::Never();
  if (capacity_.IsFull(serving) && Queues(Reason::MaxChildren)) return Deadline::Never();
  return bucket_.OpensAt(rate_);
}

// A client that is refused takes no token: a refused flood costs the other clients nothing.
std::optional<Reason> Admission::Refuse(const Address& peer, size_t serving, Time now) {
  const auto ip = IpOf(peer);
  if (ip && !rules_.Admits(*ip)) return Reason::Address;
  if (capacity_.IsFull(serving)) return Reason::MaxChildren;
  Visits* visits = nullptr;
  if (const Source source = SourceOf(peer)) {
    if (sources_.size() >= forgetAt_) ForgetIdleSources(now);
    visits = &sources_[*source];
    if (maxPerSource_ > 0 && visits->connections >= maxPerSource_) return Reason::MaxPerSource;
    if (!visits->bucket.IsOpen(sourceRate_, now)) return Reason::SourceRate;
  }
  if (!bucket_.IsOpen(rate_, now)) return Reason::AcceptRate;
  bucket_.Take(rate_, now);
  if (visits != nullptr) {
    visits->connections++;
    visits->bucket.Take(sourceRate_, now);
  }
  return std::nullopt;
}

void Admission::Release(const Source& source, Time now) {
  if (!source) return;
  const auto found = sources_.find(*source);
  if (found == sources_.end()) return;
  Visits& visits = found->second;
  if (visits.connections > 0) visits.connections--;
  if (visits.connections == 0 && visits.bucket.IsFull(now)) sources_.erase(found);
}

// A source without connections is remembered until its bucket is full again. Above kMostSources it is
// forgotten earlier, so that a client with a million networks cannot fill the memory.
void Admission::ForgetIdleSources(Time now) {
  for (const bool forgetsRates : {false, true}) {
    for (auto it = sources_.begin(); it != sources_.end();) {
      const Visits& visits = it->second;
      const bool forgotten = visits.connections == 0 && (forgetsRates || visits.bucket.IsFull(now));
      it = forgotten ? sources_.erase(it) : std::next(it);
    }
    if (sources_.size() < kMostSources) break;
  }
  forgetAt_ = std::max(kFewSources, 2 * sources_.size());
}

}  // namespace truefork
