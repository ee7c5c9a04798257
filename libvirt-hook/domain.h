// What the hook needs to know of a libvirt domain, read from the XML that libvirt writes to the hook's stdin
// (https://libvirt.org/formatdomain.html).
//
// Our own element in <metadata> marks a domain whose type='ethernet' NICs the hook shall attach:
//
//     <metadata>
//       <ipop:attach xmlns:ipop="urn:ipop:domain:1" bridge="br-ipop"/>
//     </metadata>
//
//   bridge=  where to; may be left out on a host that has one IPOP bridge only
//   mac=     only the NIC with this address; without it, every NIC that no other mark names
//
// Another one says what the guest is to have in the virtual network:
//
//       <ipop:guest xmlns:ipop="urn:ipop:domain:1" address="10.128.0.9" name="web"/>
//
//   address=  its IPv4 address, which DHCP gives it
//   name=     its name in DNS; without it, the domain's, if that can be one
//   mac=      only the NIC with this address; may be left out where there is one NIC only
//
// libvirt keeps one element per namespace, so several are put into one <ipop:domain>:
//
//     <ipop:domain xmlns:ipop="urn:ipop:domain:1">
//       <ipop:attach mac="52:54:00:00:00:01" bridge="br-red"/>
//       <ipop:attach mac="52:54:00:00:00:02" bridge="br-blue"/>
//       <ipop:guest mac="52:54:00:00:00:02" address="10.128.0.9"/>
//     </ipop:domain>
#pragma once

#include <string>
#include <vector>

#include "overlay/base/bytes.h"
#include "overlay/base/result.h"

namespace ipop::hook {

inline constexpr char kMetadataNamespace[] = "urn:ipop:domain:1";

struct Nic {
  bool ethernet = false;  ///< <interface type='ethernet'>: a tap that libvirt makes and plugs nowhere.
  std::string mac;        ///< Normal form (names.h); empty if the XML has none.
  std::string tap;        ///< A device name (names.h); empty while the tap has no name, or an odd one.
  std::string bridge{};   ///< Where libvirt plugs it in; empty if it does not, or the XML does not say.
  std::string network{};  ///< The libvirt network that it is of, any text; empty if it is of none.
};

struct Mark {
  std::string bridge;  ///< A device name, or empty for "the only one".
  std::string mac;     ///< Normal form, or empty for "every other NIC".
};

struct Guest {
  std::string mac;      ///< Normal form, or empty for "the only NIC".
  std::string address;  ///< As is_ipv4(), or empty.
  std::string name;     ///< As is_host_name(), or empty.
};

struct Domain {
  std::string uuid;  ///< As is_uuid().
  std::string name;  ///< As is_host_name(); empty if it cannot be one.
  std::vector<Nic> nics;
  std::vector<Mark> marks;
  std::vector<Guest> guests;
  std::vector<std::string> remarks;  ///< Sentences about what was ignored.
};

/// Reads the XML of one domain.  Fetches nothing, expands no entity (a DOCTYPE is refused: libvirt writes
/// none) and does not throw, whatever the bytes are.
Result<Domain, Problem> parse_domain(ByteView xml);

}  // namespace ipop::hook
