// DNS messages (RFC 1035) as an authoritative server over UDP reads and writes them, with the extension that
// lets a client say how much it can take (EDNS0, RFC 6891).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "overlay/base/bytes.h"
#include "overlay/base/result.h"
#include "overlay/wire/address.h"

namespace ipop {

inline constexpr uint16_t kDnsPort = 53;

/// A domain name without its root label: "vm1.grid.ipop" has three.  A label may hold any octets.
struct DnsName {
  std::vector<std::string> labels;

  bool operator==(const DnsName&) const = default;
  /// Split at the dots.  REQUIRES: no label is longer than 63 octets, nor the name longer than 253.
  static DnsName of(std::string_view text);
  /// Label by label, as an option of DHCP or of a router advertisement has it.
  Bytes encode() const;
};

/// One after the other, as options of DHCP (RFC 3397, without its compression) and of router advertisements
/// (RFC 8106) have them.  REQUIRES: as DnsName::of(), of each.
Bytes encode_names(const std::vector<std::string>& names);

enum class DnsType : uint16_t { A = 1, Ns = 2, Soa = 6, Ptr = 12, Aaaa = 28, Any = 255 };

/// RFC 1035, section 4.1.1; 16 is RFC 6891's.
enum class DnsCode : uint16_t {
  NoError = 0,
  FormErr = 1,
  ServFail = 2,
  NxDomain = 3,
  NotImp = 4,
  Refused = 5,
  BadVers = 16
};

/// A question of one type and one name, or as much of it as could be understood.
struct DnsQuery {
  static constexpr uint16_t kClassInternet = 1;
  static constexpr uint16_t kClassAny = 255;
  static constexpr size_t kSmallestLimit = 512;  ///< What every client takes.
  static constexpr size_t kLargestLimit = 1232;  ///< What passes in 1280 octets, IPv6's smallest MTU.

  uint16_t id = 0;
  uint8_t opcode = 0;
  bool recursion_desired = false;
  DnsCode problem = DnsCode::NoError;  ///< If it is another, that is the answer.
  struct Question {
    DnsName name;
    DnsType type = DnsType::A;  ///< Or any other number.
    uint16_t dns_class = kClassInternet;
  };
  std::optional<Question> question;
  bool has_edns = false;
  size_t limit = kSmallestLimit;  ///< How large the answer may be.

  /// Malformed: less than a header.  UnexpectedMessage: not a question; answering it could make a loop.
  static Result<DnsQuery> decode(ByteView message);
};

struct DnsSoa {
  DnsName primary, mailbox;
  uint32_t serial = 0, refresh_s = 0, retry_s = 0, expire_s = 0, negative_ttl_s = 0;
};

struct DnsRecord {
  DnsName name;
  DnsType type = DnsType::A;
  uint32_t ttl_s = 0;
  std::variant<Ipv4Address, Ipv6Address, DnsName, DnsSoa> data;  ///< As `type` wants it.
};

struct DnsResponse {
  DnsCode code = DnsCode::NoError;
  bool is_authoritative = false;
  std::vector<DnsRecord> answers{};
  std::vector<DnsRecord> authorities{};

  /// At most query.limit octets.  Answers that do not fit leave the client with a truncated message (RFC
  /// 2181, section 9); authorities that do not fit are left out.
  Bytes encode(const DnsQuery& query) const;
};

}  // namespace ipop
