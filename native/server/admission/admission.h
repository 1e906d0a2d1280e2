// Which clients are accepted: by address, by how many connections there are, by how many come in a second.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/messages.h"
#include "server/admission/address_rules.h"
#include "server/admission/capacity.h"
#include "server/admission/source.h"
#include "server/admission/token_bucket.h"
#include "speed/arena.h"
#include "support/time.h"

namespace truefork {

class Admission {
 public:
  Admission();

  void SetLimits(const protocol::AdmissionCommand& limits);
  Capacity& capacity() { return capacity_; }
  const Capacity& capacity() const { return capacity_; }
  bool SetRules(std::string_view text) { return rules_.Parse(text); }
  void SetPolicy(protocol::Reason reason, protocol::Policy policy);

  // Whether to take the next client out of the backlog, be it only to refuse it. Only a limit of the whole
  // server can leave clients in the backlog: a client over its own limit would block the ones behind it.
  bool MayAccept(size_t serving, Time now) const;
  // When the passing of time changes that.
  Deadline OpensAt(size_t serving, Time now) const;

  // Why this client is refused. Nothing when it is admitted, and then it is counted.
  std::optional<protocol::Reason> Refuse(const Address& peer, size_t serving, Time now);
  // A connection that was admitted has ended.
  void Release(const Source& source, Time now);

  size_t sources() const { return sources_.size(); }

 private:
  struct Visits {
    uint32_t connections = 0;
    TokenBucket bucket = {};
  };

  // Seeded: whoever controls many networks must not be able to choose addresses that collide in the table.
  struct Hash {
    uint64_t seed;
    size_t operator()(uint64_t key) const;
  };

  bool Queues(protocol::Reason reason) const;
  void ForgetIdleSources(Time now);

  AddressRules rules_;
  Capacity capacity_{Capacity::kUnlimited};
  uint32_t maxPerSource_ = 0;  // 0: no limit
  protocol::Policy policies_[protocol::kReasons] = {};
  Rate rate_;
  Rate sourceRate_;
  TokenBucket bucket_;
  arena::UnorderedMap<uint64_t, Visits, Hash> sources_;
  size_t forgetAt_ = kFewSources;

  static constexpr size_t kFewSources = 1024;
  static constexpr size_t kMostSources = 65'536;
};

}  // namespace truefork
