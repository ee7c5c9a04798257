#include "overlay/wire/dns.h"

#include <algorithm>
#include <map>

#include "overlay/base/assert.h"

namespace ipop {
namespace {

constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxName = 255;  // Encoded, with the root.
constexpr uint8_t kPointer = 0xc0;
constexpr uint16_t kTypeOpt = 41;
constexpr uint16_t kResponse = 0x8000, kAuthoritative = 0x0400, kTruncated = 0x0200,
                   kRecursionDesired = 0x0100;

/// The name of a question: nothing precedes it that it could point at.
DnsName read_name(Reader& in) {
  DnsName out;
  size_t size = 1;
  while (const size_t length = in.u8()) {
    size += 1 + length;
    if (length > kMaxLabel || size > kMaxName) in.fail();
    if (!in.ok()) return {};
    out.labels.emplace_back(as_text(in.bytes(length)));
  }
  return out;
}

/// The name of a record that is only counted: a pointer ends it.
void skip_name(Reader& in) {
  while (const size_t length = in.u8()) {
    if ((length & kPointer) == kPointer) {
      in.u8();
      return;
    }
    if (length > kMaxLabel) in.fail();
    in.bytes(in.ok() ? length : 0);
  }
}

/// | name | type (2) | class (2) | ttl (4) | length (2) | data |.  Of an OPT the class is how much the client
/// takes, and the second octet of the ttl the version.
void read_record(Reader& in, bool is_additional, DnsQuery& query) {
  const size_t before = in.remaining();
  skip_name(in);
  const bool at_root = before - in.remaining() == 1;
  const auto type = in.u16();
  const size_t limit = in.u16();
  const auto ttl = in.u32();
  in.bytes(in.u16());
  if (!in.ok() || type != kTypeOpt) return;
  if (!at_root || !is_additional || query.has_edns) in.fail();  // RFC 6891, section 6.1.1.
  query.has_edns = true;
  query.limit = std::clamp(limit, DnsQuery::kSmallestLimit, DnsQuery::kLargestLimit);
  if ((ttl >> 16 & 0xff) != 0) query.problem = DnsCode::BadVers;
}

/// Writes a message of at most `limit` octets, names compressed (RFC 1035, section 4.1.4).
class MessageWriter {
 public:
  explicit MessageWriter(size_t limit) : limit_(limit) {}

  Writer& out() { return out_; }
  bool fits(size_t more) const { return out_.size() + more <= limit_; }

  void name(const DnsName& name) {
    const Bytes whole = name.encode();
    size_t at = 0;
    for (const std::string& label : name.labels) {
      const auto [known, is_new] = names_.emplace(as_text(ByteView(whole).subspan(at)), out_.size());
      if (!is_new) {
        out_.u16(static_cast<uint16_t>(kPointer << 8 | known->second));
        return;
      }
      out_.bytes(ByteView(whole).subspan(at, 1 + label.size()));
      at += 1 + label.size();
    }
    out_.u8(0);
  }

  void record(const DnsRecord& record) {
    name(record.name);
    out_.u16(static_cast<uint16_t>(record.type));
    out_.u16(DnsQuery::kClassInternet);
    out_.u32(record.ttl_s);
    out_.u16(0);
    const size_t start = out_.size();
    std::visit([&](const auto& data) { write_data(data); }, record.data);
    out_.patch_u16(start - 2, static_cast<uint16_t>(out_.size() - start));
  }

 private:
  void write_data(Ipv4Address address) { write(out_, address); }
  void write_data(const Ipv6Address& address) { write(out_, address); }
  void write_data(const DnsName& target) { name(target); }
  void write_data(const DnsSoa& soa) {
    name(soa.primary);
    name(soa.mailbox);
    for (const uint32_t number : {soa.serial, soa.refresh_s, soa.retry_s, soa.expire_s, soa.negative_ttl_s}) {
      out_.u32(number);
    }
  }

  size_t limit_;
  Writer out_;
  std::map<std::string, size_t> names_;  ///< Where each stands, as encoded; all is below 16 KB.
};

}  // namespace

DnsName DnsName::of(std::string_view text) {
  DnsName out;
  for (size_t from = 0; from < text.size();) {
    const size_t dot = std::min(text.find('.', from), text.size());
    IPOP_ASSERT(dot - from <= kMaxLabel);
    out.labels.emplace_back(text.substr(from, dot - from));
    from = dot + 1;
  }
  return out;
}

Bytes DnsName::encode() const {
  Writer out;
  for (const std::string& label : labels) {
    out.u8(static_cast<uint8_t>(label.size()));
    out.bytes(as_bytes(label));
  }
  out.u8(0);
  return out.take();
}

Bytes encode_names(const std::vector<std::string>& names) {
  Writer out;
  for (const std::string& name : names) out.bytes(DnsName::of(name).encode());
  return out.take();
}

/// | id (2) | flags (2) | questions (2) | answers (2) | authorities (2) | additionals (2)
/// | name | type (2) | class (2) | records |
Result<DnsQuery> DnsQuery::decode(ByteView message) {
  Reader in(message);
  DnsQuery out;
  out.id = in.u16();
  const auto flags = in.u16();
  const auto questions = in.u16();
  const size_t others = size_t{in.u16()} + in.u16();
  const size_t additionals = in.u16();
  if (!in.ok()) return Error::Malformed;
  if ((flags & kResponse) != 0) return Error::UnexpectedMessage;
  out.opcode = flags >> 11 & 15;
  out.recursion_desired = (flags & kRecursionDesired) != 0;
  if (out.opcode != 0) {
    out.problem = DnsCode::NotImp;  // What it looks like behind the header is that operation's own.
    return out;
  }
  Question question;
  question.name = read_name(in);
  question.type = static_cast<DnsType>(in.u16());
  question.dns_class = in.u16();
  if (questions != 1 || !in.ok()) {
    out.problem = DnsCode::FormErr;
    return out;
  }
  out.question = std::move(question);
  for (size_t i = 0; i < others + additionals && in.ok(); ++i) read_record(in, i >= others, out);
  if (!in.ok()) out.problem = DnsCode::FormErr;
  return out;
}

/// As the question, with the answer's flags; | root (1) | 41 (2) | limit (2) | code, version, zero (4) | 0
/// (2) | answers an OPT.
Bytes DnsResponse::encode(const DnsQuery& query) const {
  constexpr size_t kOptSize = 11;
  const auto compose = [&](const std::vector<DnsRecord>& records, const std::vector<DnsRecord>& authority,
                           bool truncated) -> std::optional<Bytes> {
    MessageWriter message(query.limit);
    Writer& out = message.out();
    out.u16(query.id);
    out.u16(static_cast<uint16_t>(kResponse | query.opcode << 11 | (is_authoritative ? kAuthoritative : 0) |
                                  (truncated ? kTruncated : 0) |
                                  (query.recursion_desired ? kRecursionDesired : 0) |
                                  (static_cast<uint16_t>(code) & 15)));
    out.u16(query.question ? 1 : 0);
    out.u16(static_cast<uint16_t>(records.size()));
    out.u16(static_cast<uint16_t>(authority.size()));
    out.u16(query.has_edns ? 1 : 0);
    if (query.question) {
      message.name(query.question->name);
      out.u16(static_cast<uint16_t>(query.question->type));
      out.u16(query.question->dns_class);
    }
    for (const auto* section : {&records, &authority}) {
      for (const DnsRecord& record : *section) message.record(record);
    }
    if (!message.fits(query.has_edns ? kOptSize : 0)) return std::nullopt;
    if (query.has_edns) {
      out.u8(0);
      out.u16(kTypeOpt);
      out.u16(DnsQuery::kLargestLimit);
      out.u32(static_cast<uint32_t>(code) >> 4 << 24);
      out.u16(0);
    }
    return out.take();
  };
  if (auto whole = compose(answers, authorities, false)) return *whole;
  if (auto bare = compose(answers, {}, false)) return *bare;
  return *compose({}, {}, true);  // A header, a question and an OPT are below the smallest limit.
}

}  // namespace ipop
