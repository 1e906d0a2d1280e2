// Which addresses are admitted, by CIDR (RFC 4632, RFC 4291).
#pragma once

#include <string_view>
#include <vector>

#include "server/admission/source.h"

namespace truefork {

// Ranges of addresses, sorted and disjoint: a binary search finds an address among thousands.
class IpRanges {
 public:
  void Add(const Ip& first, const Ip& last) { ranges_.push_back({first, last}); }
  void Sort();  // once all are added
  bool Contains(const Ip& ip) const;
  bool empty() const { return ranges_.empty(); }

 private:
  struct Range {
    Ip first;
    Ip last;
  };
  std::vector<Range> ranges_;
};

class AddressRules {
 public:
  // One rule a line: "allow 10.0.0.0/8", "deny 2001:db8::/32", "deny 10.0.0.7". False where a line is no
  // rule; then nothing has changed.
  bool Parse(std::string_view text);

  // Deny wins. If the allow list is not empty, addresses that are not on it are rejected.
  bool Admits(const Ip& ip) const;

 private:
  IpRanges allowed_;
  IpRanges denied_;
};

}  // namespace truefork
