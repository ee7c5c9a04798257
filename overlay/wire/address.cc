#include "overlay/wire/address.h"

#include <arpa/inet.h>  // inet_ntop and inet_pton: text only, no system call.

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace ipop {
namespace {

// What the first octet of an endpoint says of the rest.
constexpr uint8_t kNoEndpoint = 0;
constexpr uint8_t kIpv4Endpoint = 4;
constexpr uint8_t kIpv6Endpoint = 6;

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::array<uint8_t, 16> mapped(Ipv4Address address) {
  std::array<uint8_t, 16> out{};
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), out.begin());
  for (int i = 0; i < 4; ++i) out[12 + i] = static_cast<uint8_t>(address.value >> (24 - 8 * i));
  return out;
}

bool is_mapped(const std::array<uint8_t, 16>& bytes) {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

Ipv4Address unmapped(const std::array<uint8_t, 16>& bytes) {
  uint32_t value = 0;
  for (int i = 12; i < 16; ++i) value = value << 8 | bytes[i];
  return {value};
}

template <class T>
std::optional<T> parse_number(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string MacAddress::to_string() const {
  char text[18];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3],
                bytes[4], bytes[5]);
  return text;
}

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
  MacAddress out;
  if (text.size() != 3 * out.bytes.size() - 1) return std::nullopt;
  for (size_t i = 0; i < out.bytes.size(); ++i) {
    const auto octet = parse_number<uint8_t>(text.substr(3 * i, 2), 16);
    if (!octet || (i > 0 && text[3 * i - 1] != ':')) return std::nullopt;
    out.bytes[i] = *octet;
  }
  return out;
}

std::string Ipv4Address::to_string() const {
  char text[INET_ADDRSTRLEN];
  std::snprintf(text, sizeof text, "%u.%u.%u.%u", value >> 24, value >> 16 & 255, value >> 8 & 255,
                value & 255);
  return text;
}

std::optional<Ipv4Address> Ipv4Address::parse(std::string_view text) {
  in_addr raw;
  if (inet_pton(AF_INET, std::string(text).c_str(), &raw) != 1) return std::nullopt;
  return Ipv4Address{ntohl(raw.s_addr)};
}

std::string Ipv4Subnet::to_string() const {
  return network.to_string() + "/" + std::to_string(prefix_length);
}

std::optional<Ipv4Subnet> Ipv4Subnet::parse(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto network = Ipv4Address::parse(text.substr(0, slash));
  const auto length = parse_number<uint8_t>(text.substr(slash + 1));
  if (!network || !length || *length > 32) return std::nullopt;
  const Ipv4Subnet subnet{*network, *length};
  if ((network->value & ~subnet.mask()) != 0) return std::nullopt;
  return subnet;
}

bool Ipv6Address::is_link_local() const {
  constexpr std::array<uint8_t, 8> kPrefix{0xfe, 0x80};
  return std::equal(kPrefix.begin(), kPrefix.end(), bytes.begin());
}

bool Ipv6Address::is_same_network(const Ipv6Address& other) const {
  return std::equal(bytes.begin(), bytes.begin() + 8, other.bytes.begin());
}

Ipv6Address Ipv6Address::solicited_node() const {
  return {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, bytes[13], bytes[14], bytes[15]}};
}

MacAddress Ipv6Address::multicast_mac() const {
  return {{0x33, 0x33, bytes[12], bytes[13], bytes[14], bytes[15]}};
}

std::string Ipv6Address::to_string() const {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  return text;
}

std::optional<Ipv6Address> Ipv6Address::parse(std::string_view text) {
  Ipv6Address out;
  if (inet_pton(AF_INET6, std::string(text).c_str(), out.bytes.data()) != 1) return std::nullopt;
  return out;
}

IpAddress::IpAddress(Ipv4Address address) {
  if (!address.is_unspecified()) bytes = mapped(address);
}

bool IpAddress::is_ipv4() const { return is_mapped(bytes); }

Ipv4Address IpAddress::ipv4() const { return unmapped(bytes); }

std::string IpAddress::to_string() const { return is_ipv4() ? ipv4().to_string() : ipv6().to_string(); }

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (const auto ipv4 = Ipv4Address::parse(text)) return IpAddress(*ipv4);
  if (const auto ipv6 = Ipv6Address::parse(text)) return IpAddress(*ipv6);
  return std::nullopt;
}

Endpoint Endpoint::from_ipv4(Ipv4Address address, uint16_t port) {
  return {.address = mapped(address), .port = port};
}

bool Endpoint::is_ipv4() const { return is_mapped(address); }

Ipv4Address Endpoint::ipv4() const { return unmapped(address); }

std::string Endpoint::to_string() const {
  if (is_ipv4()) return ipv4().to_string() + ":" + std::to_string(port);
  return "[" + Ipv6Address{address}.to_string() + "]:" + std::to_string(port);
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_number<uint16_t>(text.substr(colon + 1));
  if (!port) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  Endpoint out{.address = {}, .port = *port};
  if (host.empty()) return out;
  if (const auto ipv4 = Ipv4Address::parse(host)) return from_ipv4(*ipv4, *port);
  if (host.size() < 2 || host.front() != '[' || host.back() != ']') return std::nullopt;
  host = host.substr(1, host.size() - 2);
  if (inet_pton(AF_INET6, std::string(host).c_str(), out.address.data()) != 1) return std::nullopt;
  return out;
}

MacAddress read_mac(Reader& in) { return {in.array<6>()}; }

Ipv4Address read_ipv4(Reader& in) { return {in.u32()}; }

Ipv6Address read_ipv6(Reader& in) { return {in.array<16>()}; }

IpAddress read_ip(Reader& in) {
  const IpAddress out(read_ipv6(in));
  if (out.is_ipv4() && out.ipv4().is_unspecified()) in.fail();  // The unspecified address has one form.
  return out;
}

Endpoint read_endpoint(Reader& in) {
  Endpoint out;
  switch (in.u8()) {
    case kNoEndpoint:
      return out;
    case kIpv4Endpoint: {
      const Ipv4Address address = read_ipv4(in);
      return Endpoint::from_ipv4(address, in.u16());
    }
    case kIpv6Endpoint:
      out.address = in.array<16>();
      out.port = in.u16();
      if (out.is_ipv4() || out == Endpoint{}) in.fail();
      return out;
    default:
      in.fail();
      return out;
  }
}

void write(Writer& out, const MacAddress& mac) { out.bytes(mac.bytes); }

void write(Writer& out, Ipv4Address address) { out.u32(address.value); }

void write(Writer& out, const Ipv6Address& address) { out.bytes(address.bytes); }

void write(Writer& out, const IpAddress& address) { out.bytes(address.bytes); }

void write(Writer& out, const Endpoint& endpoint) {
  if (endpoint == Endpoint{}) return out.u8(kNoEndpoint);
  if (endpoint.is_ipv4()) {
    out.u8(kIpv4Endpoint);
    write(out, endpoint.ipv4());
  } else {
    out.u8(kIpv6Endpoint);
    out.bytes(endpoint.address);
  }
  out.u16(endpoint.port);
}

}  // namespace ipop
