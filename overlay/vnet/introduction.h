// What libvirt's domains say of guests of this host: the addresses and names that they are to have.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "overlay/base/result.h"
#include "overlay/wire/address.h"

namespace ipop {

struct Introduction {
  MacAddress mac;
  std::optional<Ipv4Address> ip{};
  std::string name{};  ///< A DNS label (is_host_label()), or empty.
  bool operator==(const Introduction&) const = default;

  /// "MAC [ADDRESS] [NAME]", parted by single spaces.  A name that could be an address is one.
  static Result<Introduction, Problem> parse(std::string_view text);
};

class Introductions {
 public:
  static constexpr size_t kMax = 4096;  ///< As many as a host may have guests (AddressMap::Limits).

  /// In the place of what was said of that guest before; one that says nothing ends that.  Refused: the
  /// address is another's by what was said of that, or there are too many.
  Result<Done, Problem> add(const Introduction& guest);
  /// Null if nothing is said.
  const Introduction* find(const MacAddress& guest) const;
  std::optional<MacAddress> whose(Ipv4Address ip) const;

 private:
  void forget(const MacAddress& guest);

  std::map<MacAddress, Introduction> guests_;
  std::map<Ipv4Address, MacAddress> by_ip_;
};

}  // namespace ipop
