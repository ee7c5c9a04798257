#include "overlay/vnet/dns_responder.h"

#include <algorithm>
#include <charconv>

namespace ipop {
namespace {

using Question = DnsQuery::Question;

bool is_same(std::string_view a, std::string_view b) { return to_lower(a) == to_lower(b); }

/// Whether `name` is in `zone` or its apex.
bool ends_with(const DnsName& name, const DnsName& zone) {
  return name.labels.size() >= zone.labels.size() &&
         std::equal(zone.labels.rbegin(), zone.labels.rend(), name.labels.rbegin(), is_same);
}

DnsName before(const DnsName& name, size_t zone_size) {
  return {{name.labels.begin(), name.labels.end() - static_cast<ptrdiff_t>(zone_size)}};
}

bool asks_for(const Question& question, DnsType type) {
  return question.type == type || question.type == DnsType::Any;
}

/// A number as reverse names write it: no sign, no leading zero, one octet or (in base 16) half of one.
std::optional<uint8_t> digit_of(const std::string& label, int base) {
  uint8_t value = 0;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), value, base);
  if (error != std::errc{} || end != label.data() + label.size()) return std::nullopt;
  if (label.size() > (base == 16 ? 1u : 3u) || (label.size() > 1 && label[0] == '0')) return std::nullopt;
  return value;
}

/// One of the two trees of reverse names: RFC 1035, section 3.5, and RFC 3596, section 2.5.
struct ReverseTree {
  DnsName root;
  int base;
  std::vector<uint8_t> digits;  ///< Of the network, the highest first: the whole ones of its prefix.
  size_t address_digits;        ///< Of an address.
};

ReverseTree tree_of(const Ipv4Subnet& subnet) {
  ReverseTree out{.root = DnsName::of("in-addr.arpa"), .base = 10, .digits = {}, .address_digits = 4};
  for (int i = 0; i < subnet.prefix_length / 8; ++i) {
    out.digits.push_back(static_cast<uint8_t>(subnet.network.value >> (24 - 8 * i)));
  }
  return out;
}

ReverseTree tree_of(const Ipv6Address& prefix) {
  ReverseTree out{.root = DnsName::of("ip6.arpa"), .base = 16, .digits = {}, .address_digits = 32};
  for (size_t i = 0; i < 8; ++i) {
    out.digits.push_back(prefix.bytes[i] >> 4);
    out.digits.push_back(prefix.bytes[i] & 15);
  }
  return out;
}

DnsName zone_of(const ReverseTree& tree) {
  DnsName out = tree.root;
  for (const uint8_t digit : tree.digits) {
    char text[4];
    const auto end = std::to_chars(text, text + sizeof text, digit, tree.base).ptr;
    out.labels.insert(out.labels.begin(), std::string(text, end));
  }
  return out;
}

/// From 4 octets or 32 halves, the highest first.
IpAddress address_of(const std::vector<uint8_t>& digits) {
  if (digits.size() == 4) {
    uint32_t value = 0;
    for (const uint8_t digit : digits) value = value << 8 | digit;
    return Ipv4Address{value};
  }
  Ipv6Address out;
  for (size_t i = 0; i < digits.size(); ++i) {
    out.bytes[i / 2] = static_cast<uint8_t>(out.bytes[i / 2] << 4 | digits[i]);
  }
  return out;
}

}  // namespace

Result<Bytes> DnsResponder::answer(Instant now, ByteView message, bool was_asked) {
  if (!rate_.take(now)) return Error::RateLimited;
  const auto query = DnsQuery::decode(message);
  if (!query) return query.error();
  std::optional<Query> lacking;
  DnsResponse response = respond(*query, lacking);
  if (lacking && !was_asked) response = {.code = DnsCode::ServFail};
  if (response.code == DnsCode::ServFail) {
    ++counts_.failed;
  } else if (response.code == DnsCode::NoError && !response.answers.empty()) {
    ++counts_.found;
  } else if (response.is_authoritative) {
    ++counts_.not_found;
  } else {
    ++counts_.refused;
  }
  return response.encode(*query);
}

std::optional<Query> DnsResponder::lacks(ByteView message) const {
  std::optional<Query> out;
  if (const auto query = DnsQuery::decode(message)) (void)respond(*query, out);
  return out;
}

DnsResponse DnsResponder::respond(const DnsQuery& query, std::optional<Query>& lacking) const {
  if (query.problem != DnsCode::NoError) return {.code = query.problem};
  const Question& question = *query.question;
  if (question.dns_class != DnsQuery::kClassInternet && question.dns_class != DnsQuery::kClassAny) {
    return {.code = DnsCode::Refused};
  }
  const DnsName forward = zone();
  if (ends_with(question.name, forward)) {
    return respond_forward(question, before(question.name, forward.labels.size()), lacking);
  }
  return respond_reverse(question, lacking);
}

Query DnsResponder::ask_for(const std::string& host, const Question& question) const {
  const IpAddress family = question.type == DnsType::Aaaa ? IpAddress(service_.ipv6) : IpAddress(service_.ip);
  return {.id = 0,
          .kind = Query::Kind::Name,
          .ip = family,
          .mac = {},
          .name = to_lower(host),
          .claim = {},
          .asker = {}};
}

DnsResponse DnsResponder::respond_forward(const Question& question, const DnsName& host,
                                          std::optional<Query>& lacking) const {
  if (host.labels.empty()) return at_apex(question, zone());
  const auto mac = host.labels.size() == 1 ? map_.find_name(host.labels[0]) : std::nullopt;
  if (!mac) {
    if (host.labels.size() == 1 && is_host_label(host.labels[0])) lacking = ask_for(host.labels[0], question);
    return negative(DnsCode::NxDomain, zone());
  }
  DnsResponse out{.code = DnsCode::NoError, .is_authoritative = true};
  for (const IpAddress& address : map_.addresses(*mac)) {
    if (address.is_ipv4() && asks_for(question, DnsType::A)) {
      out.answers.push_back({question.name, DnsType::A, kTtl, address.ipv4()});
    } else if (!address.is_ipv4() && !address.ipv6().is_link_local() && asks_for(question, DnsType::Aaaa)) {
      out.answers.push_back({question.name, DnsType::Aaaa, kTtl, address.ipv6()});
    }
  }
  if (!out.answers.empty()) return out;
  const bool is_for_addresses = asks_for(question, DnsType::A) || asks_for(question, DnsType::Aaaa);
  if (is_for_addresses && !map_.is_local(*mac)) lacking = ask_for(host.labels[0], question);
  return negative(DnsCode::NoError, zone());
}

// A name on the way to an address of the network exists, but has nothing (RFC 8020); one that leads elsewhere
// is not ours to speak of, and one that leads nowhere does not exist.
DnsResponse DnsResponder::respond_reverse(const Question& question, std::optional<Query>& lacking) const {
  for (const ReverseTree& tree : {tree_of(service_.subnet), tree_of(service_.prefix)}) {
    const DnsName zone = zone_of(tree);
    if (!ends_with(question.name, zone)) continue;
    if (question.name.labels.size() == zone.labels.size()) return at_apex(question, zone);
    const DnsName inner = before(question.name, zone.labels.size());
    std::vector<uint8_t> digits = tree.digits;
    for (auto label = inner.labels.rbegin(); label != inner.labels.rend(); ++label) {
      const auto digit = digit_of(*label, tree.base);
      if (!digit || digits.size() == tree.address_digits) return negative(DnsCode::NxDomain, zone);
      digits.push_back(*digit);
    }
    const bool is_whole = digits.size() == tree.address_digits;
    // What is below this name: from the first address of it to the last.
    std::vector<uint8_t> first = digits, last = digits;
    first.resize(tree.address_digits, 0);
    last.resize(tree.address_digits, tree.base == 16 ? 15 : 255);
    const IpAddress low = address_of(first), high = address_of(last);
    const Ipv4Subnet& subnet = service_.subnet;
    if (tree.base == 10 && (high < IpAddress(subnet.network) || low > IpAddress(subnet.broadcast()))) {
      return {.code = DnsCode::Refused};
    }
    if (!is_whole) return negative(DnsCode::NoError, zone);
    const auto name = name_at(low);
    if (!name) {
      if (service_.is_guest_address(low) && !map_.find_ip(low)) {
        lacking = Query{
            .id = 0, .kind = Query::Kind::Ip, .ip = low, .mac = {}, .name = {}, .claim = {}, .asker = {}};
      }
      return negative(DnsCode::NxDomain, zone);
    }
    if (!asks_for(question, DnsType::Ptr)) return negative(DnsCode::NoError, zone);
    return {.code = DnsCode::NoError,
            .is_authoritative = true,
            .answers = {{question.name, DnsType::Ptr, kTtl, *name}},
            .authorities = {}};
  }
  return {.code = DnsCode::Refused};
}

/// The network's own name is the service's, which is also its name server; it heads the reverse zones, too.
DnsResponse DnsResponder::at_apex(const Question& question, const DnsName& apex) const {
  DnsResponse out{.code = DnsCode::NoError, .is_authoritative = true};
  const bool is_forward = apex == zone();
  if (is_forward && asks_for(question, DnsType::A)) {
    out.answers.push_back({question.name, DnsType::A, kTtl, service_.ip});
  }
  if (is_forward && asks_for(question, DnsType::Aaaa)) {
    out.answers.push_back({question.name, DnsType::Aaaa, kTtl, service_.ipv6});
  }
  if (asks_for(question, DnsType::Ns)) {
    out.answers.push_back({question.name, DnsType::Ns, kTtl, zone()});
  }
  if (asks_for(question, DnsType::Soa)) {
    DnsRecord soa = negative(DnsCode::NoError, apex).authorities.front();
    soa.name = question.name;
    out.answers.push_back(soa);
  }
  return out.answers.empty() ? negative(DnsCode::NoError, apex) : out;
}

/// RFC 2308, section 3: with the SOA, so that the client knows for how long to believe it.
DnsResponse DnsResponder::negative(DnsCode code, const DnsName& apex) const {
  const DnsSoa soa{.primary = zone(),
                   .mailbox = DnsName::of("hostmaster." + service_.domain()),
                   .serial = 1,  // Nobody transfers the zone, so nobody asks whether it has changed.
                   .refresh_s = 3600,
                   .retry_s = 600,
                   .expire_s = 86400,
                   .negative_ttl_s = kNegativeTtl};
  return {.code = code,
          .is_authoritative = true,
          .answers = {},
          .authorities = {{apex, DnsType::Soa, kNegativeTtl, soa}}};
}

std::optional<DnsName> DnsResponder::name_at(const IpAddress& address) const {
  if (service_.is_own_address(address)) return zone();
  const auto binding = map_.find_ip(address);
  if (!binding || binding->name.empty() || map_.find_name(binding->name) != binding->mac) return std::nullopt;
  return DnsName::of(binding->name + "." + service_.domain());
}

}  // namespace ipop
