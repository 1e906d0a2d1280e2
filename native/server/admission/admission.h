// Who may come in: by address, by how many are there already, by how many come in a second.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/messages.h"
#include "server/admission/address_rules.h"
#include "server/admission/source.h"
#include "server/admission/token_bucket.h"
#include "speed/arena.h"

namespace truefork {

class Admission {
 public:
  explicit Admission(uint32_t maxChildren);

  void SetLimits(const protocol::AdmissionCommand& limits);
  uint32_t maxChildren() const { return limits_.maxChildren; }
  bool SetRules(std::string_view text) { return rules_.Parse(text); }
  void SetPolicy(protocol::Reason reason, protocol::Policy policy);

  // Whether the next client can be taken from the line, were it to be turned away. Only the limits of the
  // whole server let clients wait there: one that is over a limit of its own would keep the others behind it
  // waiting.
  bool TakesFromLine(size_t live, int64_t now) const;
  // When time alone changes that; 0: it does not.
  int64_t OpensAt(size_t live, int64_t now) const;

  // Why this client is turned away; nothing when it may come in, and then it is counted.
  std::optional<protocol::Reason> Refuse(const Address& peer, size_t live, int64_t now);
  // One that had come in has gone.
  void Leave(const Source& source, int64_t now);

  size_t sources() const { return sources_.size(); }

 private:
  struct Visits {
    uint32_t live = 0;
    TokenBucket bucket = {};
  };

  // Neighbouring networks belong to one owner, who shall not choose where they fall in the table.
  struct Hash {
    uint64_t seed;
    size_t operator()(uint64_t key) const;
  };

  bool Queues(protocol::Reason reason) const;
  void ForgetTheIdle(int64_t now);

  AddressRules rules_;
  protocol::AdmissionCommand limits_{};
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
