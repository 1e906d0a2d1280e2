#include "server/admission/address_rules.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace truefork {

namespace {

bool IsBefore(const Ip& a, const Ip& b) { return a.isV4 != b.isV4 ? a.isV4 : a.bytes < b.bytes; }

struct Cidr {
  Ip ip;
  unsigned bits;
};

std::optional<Cidr> ParseCidr(std::string_view text) {
  const size_t slash = text.find('/');
  Address address;
  if (!ParseIp(std::string(text.substr(0, slash)), 0, &address)) return std::nullopt;
  const Ip ip = *IpOf(address);
  const unsigned most = address.family() == AF_INET ? 32 : 128;
  unsigned bits = most;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, bits);
    if (error != std::errc() || stop != end || bits > most) return std::nullopt;
  }
  // ::ffff:10.0.0.0/104 is another way to write 10.0.0.0/8. A prefix shorter than 96 bits would cover a part
  // of IPv6 and all of IPv4, which is surely not what was meant.
  if (ip.isV4 && most == 128) {
    if (bits < 96) return std::nullopt;
    bits -= 96;
  }
  return Cidr{ip, bits};
}

}  // namespace

void IpRanges::Sort() {
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& a, const Range& b) { return IsBefore(a.first, b.first); });
  std::vector<Range> disjoint;
  for (const Range& range : ranges_) {
    if (disjoint.empty() || IsBefore(disjoint.back().last, range.first)) {
      disjoint.push_back(range);
    } else if (IsBefore(disjoint.back().last, range.last)) {
      disjoint.back().last = range.last;
    }
  }
  ranges_ = std::move(disjoint);
}

bool IpRanges::Contains(const Ip& ip) const {
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), ip,
                       [](const Ip& ip, const Range& range) { return IsBefore(ip, range.first); });
  return after != ranges_.begin() && !IsBefore(std::prev(after)->last, ip);
}

bool AddressRules::Parse(std::string_view text) {
  AddressRules parsed;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) return false;
    const auto cidr = ParseCidr(line.substr(space + 1));
    const bool allows = line.substr(0, space) == "allow";
    if (!cidr || (!allows && line.substr(0, space) != "deny")) return false;
    (allows ? parsed.allowed_ : parsed.denied_).Add(cidr->ip.First(cidr->bits), cidr->ip.Last(cidr->bits));
  }
  parsed.allowed_.Sort();
  parsed.denied_.Sort();
  *this = std::move(parsed);
  return true;
}

bool AddressRules::Admits(const Ip& ip) const {
  return !denied_.Contains(ip) && (allowed_.empty() || allowed_.Contains(ip));
}

}  // namespace truefork
