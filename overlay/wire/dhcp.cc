#include "overlay/wire/dhcp.h"

#include <algorithm>
#include <map>

namespace ipop {
namespace {

constexpr uint8_t kHardwareEthernet = 1;
constexpr uint32_t kMagicCookie = 0x63825363;  // RFC 2131, section 3.
constexpr uint16_t kBroadcastFlag = 0x8000;
constexpr size_t kSnameSize = 64;
constexpr size_t kFileSize = 128;
constexpr size_t kSmallest = 300;  // RFC 951: 236 octets and 64 of vendor area.

enum Code : uint8_t {
  kPad = 0,
  kSubnetMask = 1,
  kDnsServers = 6,
  kHostName = 12,
  kDomainName = 15,
  kMtu = 26,
  kBroadcastAddress = 28,
  kNtpServers = 42,
  kRequestedAddress = 50,
  kLeaseTime = 51,
  kOverload = 52,
  kMessageType = 53,
  kServerId = 54,
  kParameterList = 55,
  kMessage = 56,
  kMaxSize = 57,
  kRenewalTime = 58,
  kRebindingTime = 59,
  kClientId = 61,
  kDomainSearch = 119,
  kClasslessRoutes = 121,
  kEnd = 255,
};

/// How many octets of a subnet's address RFC 3442 writes.
size_t significant_octets(uint8_t prefix_length) { return (prefix_length + 7u) / 8; }

/// The options by code; the pieces of one that comes several times joined in their order (RFC 3396, section
/// 5).
using Options = std::map<uint8_t, Bytes>;

/// One field full of options, each | code (1) | length (1) | data |.  A missing end option is forgiven.
bool collect(ByteView field, Options& out) {
  Reader in(field);
  while (in.remaining() > 0) {
    const uint8_t code = in.u8();
    if (code == kPad) continue;
    if (code == kEnd) break;
    const ByteView data = in.bytes(in.u8());
    Bytes& joined = out[code];
    joined.insert(joined.end(), data.begin(), data.end());
  }
  return in.ok();
}

/// Takes options out of the collection as typed values; remembers if one had the wrong size.
class Taker {
 public:
  explicit Taker(const Options& options) : options_(options) {}
  bool ok() const { return ok_; }

  template <class T>
  std::optional<T> number(uint8_t code) {
    const auto found = options_.find(code);
    if (found == options_.end()) return std::nullopt;
    if (found->second.size() != sizeof(T)) {
      ok_ = false;
      return std::nullopt;
    }
    T value = 0;
    for (const uint8_t byte : found->second) value = static_cast<T>(value << 8 | byte);
    return value;
  }
  std::optional<Ipv4Address> address(uint8_t code) {
    const auto value = number<uint32_t>(code);
    if (!value) return std::nullopt;
    return Ipv4Address{*value};
  }
  std::vector<Ipv4Address> addresses(uint8_t code) {
    const Bytes list = bytes(code);
    if (list.size() % 4 != 0) ok_ = false;
    std::vector<Ipv4Address> out;
    Reader in(list);
    while (ok_ && in.remaining() > 0) out.push_back(read_ipv4(in));
    return out;
  }
  /// Each | width (1) | significant octets of the destination (0 to 4) | router (4) |.
  std::vector<Ipv4Route> routes(uint8_t code) {
    const Bytes list = bytes(code);
    std::vector<Ipv4Route> out;
    Reader in(list);
    while (in.ok() && in.remaining() > 0) {
      Ipv4Route route;
      route.to.prefix_length = in.u8();
      if (route.to.prefix_length > 32) in.fail();
      if (!in.ok()) break;
      const size_t n = significant_octets(route.to.prefix_length);
      for (size_t i = 0; i < n; ++i) route.to.network.value |= uint32_t{in.u8()} << (24 - 8 * i);
      route.via = read_ipv4(in);
      if (!route.to.contains(route.to.network)) in.fail();
      out.push_back(route);
    }
    if (!in.ok()) ok_ = false;
    return out;
  }
  Bytes bytes(uint8_t code) const {
    const auto found = options_.find(code);
    return found == options_.end() ? Bytes() : found->second;
  }
  std::string text(uint8_t code) const {
    std::string out(as_text(bytes(code)));
    out.erase(out.find_last_not_of('\0') + 1);  // RFC 2132, section 2: a receiver has to trim trailing nulls.
    return out;
  }

 private:
  const Options& options_;
  bool ok_ = true;
};

/// Writes options that are there, in pieces of at most 255 octets.
class Putter {
 public:
  explicit Putter(Writer& out) : out_(out) {}

  void bytes(uint8_t code, ByteView data) {
    while (!data.empty()) {
      const size_t n = std::min<size_t>(data.size(), 255);
      out_.u8(code);
      out_.u8(static_cast<uint8_t>(n));
      out_.bytes(data.first(n));
      data = data.subspan(n);
    }
  }
  void text(uint8_t code, const std::string& text) { bytes(code, as_bytes(text)); }
  template <class T>
  void number(uint8_t code, const std::optional<T>& value) {
    if (!value) return;
    Writer data;
    if constexpr (sizeof(T) == 2) {
      data.u16(*value);
    } else {
      data.u32(*value);
    }
    bytes(code, data.view());
  }
  void address(uint8_t code, const std::optional<Ipv4Address>& address) {
    if (address) number<uint32_t>(code, address->value);
  }
  void addresses(uint8_t code, const std::vector<Ipv4Address>& addresses) {
    Writer data;
    for (const Ipv4Address& address : addresses) write(data, address);
    bytes(code, data.view());
  }
  void routes(uint8_t code, const std::vector<Ipv4Route>& routes) {
    Writer data;
    for (const Ipv4Route& route : routes) {
      data.u8(route.to.prefix_length);
      const size_t n = significant_octets(route.to.prefix_length);
      for (size_t i = 0; i < n; ++i) data.u8(static_cast<uint8_t>(route.to.network.value >> (24 - 8 * i)));
      write(data, route.via);
    }
    bytes(code, data.view());
  }

 private:
  Writer& out_;
};

}  // namespace

/// | op (1) | htype = 1 (1) | hlen = 6 (1) | hops (1) | xid (4) | secs (2) | flags (2)
/// | ciaddr (4) | yiaddr (4) | siaddr (4) | giaddr (4) | chaddr (6) | zero (10)
/// | sname (64) | file (128) | cookie (4) | options |
Result<DhcpMessage> DhcpMessage::decode(ByteView payload) {
  Reader in(payload);
  const auto op = in.u8();
  const auto hardware = in.u8();
  const auto hardware_size = in.u8();
  in.u8();
  DhcpMessage out;
  out.op = static_cast<Op>(op);
  out.xid = in.u32();
  out.secs = in.u16();
  out.broadcast = (in.u16() & kBroadcastFlag) != 0;
  out.ciaddr = read_ipv4(in);
  out.yiaddr = read_ipv4(in);
  out.siaddr = read_ipv4(in);
  out.giaddr = read_ipv4(in);
  out.chaddr = read_mac(in);
  in.bytes(10);  // Padding of chaddr; clients leave all sorts of things in it.
  const ByteView sname = in.bytes(kSnameSize);
  const ByteView file = in.bytes(kFileSize);
  const auto cookie = in.u32();
  const ByteView field = in.rest();
  if (!in.ok() || op < 1 || op > 2 || hardware != kHardwareEthernet || hardware_size != 6 ||
      cookie != kMagicCookie) {
    return Error::Malformed;
  }

  Options options;
  if (!collect(field, options)) return Error::Malformed;
  if (const auto overload = options.find(kOverload); overload != options.end()) {
    if (overload->second.size() != 1 || overload->second[0] < 1 || overload->second[0] > 3) {
      return Error::Malformed;
    }
    const uint8_t fields = overload->second[0];  // 1: file, 2: sname, 3: both, file first (RFC 3396).
    if ((fields & 1) != 0 && !collect(file, options)) return Error::Malformed;
    if ((fields & 2) != 0 && !collect(sname, options)) return Error::Malformed;
  }

  Taker taker(options);
  const auto type = taker.number<uint8_t>(kMessageType);
  out.subnet_mask = taker.address(kSubnetMask);
  out.dns_servers = taker.addresses(kDnsServers);
  out.host_name = taker.text(kHostName);
  out.domain_name = taker.text(kDomainName);
  out.mtu = taker.number<uint16_t>(kMtu);
  out.broadcast_address = taker.address(kBroadcastAddress);
  out.ntp_servers = taker.addresses(kNtpServers);
  out.requested_address = taker.address(kRequestedAddress);
  out.lease_seconds = taker.number<uint32_t>(kLeaseTime);
  out.server_id = taker.address(kServerId);
  out.parameter_list = taker.bytes(kParameterList);
  out.message = taker.text(kMessage);
  out.max_size = taker.number<uint16_t>(kMaxSize);
  out.renewal_seconds = taker.number<uint32_t>(kRenewalTime);
  out.rebinding_seconds = taker.number<uint32_t>(kRebindingTime);
  out.client_id = taker.bytes(kClientId);
  out.search_domain = taker.bytes(kDomainSearch);
  out.routes = taker.routes(kClasslessRoutes);
  if (!taker.ok()) return Error::Malformed;
  if (!type || *type < 1 || *type > 8) return Error::UnknownType;
  out.type = static_cast<Type>(*type);
  return out;
}

Bytes DhcpMessage::encode() const {
  Writer out;
  out.u8(static_cast<uint8_t>(op));
  out.u8(kHardwareEthernet);
  out.u8(6);
  out.u8(0);
  out.u32(xid);
  out.u16(secs);
  out.u16(broadcast ? kBroadcastFlag : 0);
  write(out, ciaddr);
  write(out, yiaddr);
  write(out, siaddr);
  write(out, giaddr);
  write(out, chaddr);
  out.zeros(10 + kSnameSize + kFileSize);
  out.u32(kMagicCookie);

  Putter put(out);
  const uint8_t type_octet = static_cast<uint8_t>(type);
  put.bytes(kMessageType, {&type_octet, 1});  // First: some clients look no further than a few options.
  put.address(kServerId, server_id);
  put.number(kLeaseTime, lease_seconds);
  put.number(kRenewalTime, renewal_seconds);
  put.number(kRebindingTime, rebinding_seconds);
  put.address(kSubnetMask, subnet_mask);
  put.address(kBroadcastAddress, broadcast_address);
  put.number(kMtu, mtu);
  put.addresses(kDnsServers, dns_servers);
  put.routes(kClasslessRoutes, routes);
  put.addresses(kNtpServers, ntp_servers);
  put.text(kDomainName, domain_name);
  put.text(kHostName, host_name);
  put.address(kRequestedAddress, requested_address);
  put.bytes(kParameterList, parameter_list);
  put.number(kMaxSize, max_size);
  put.text(kMessage, message);
  put.bytes(kClientId, client_id);
  put.bytes(kDomainSearch, search_domain);
  out.u8(kEnd);
  if (out.size() < kSmallest) out.zeros(kSmallest - out.size());
  return out.take();
}

}  // namespace ipop
