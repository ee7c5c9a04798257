#include "overlay/wire/dht.h"

#include "overlay/base/assert.h"
#include "overlay/wire/binding.h"

namespace ipop::wire {
namespace {

/// An octet from 1 to `last`.
template <class Enum>
Enum read_enum(Reader& in, Enum last) {
  const uint8_t value = in.u8();
  if (value == 0 || value > static_cast<uint8_t>(last)) in.fail();
  return static_cast<Enum>(value);
}

template <class Enum>
void write_enum(Writer& out, Enum value) {
  out.u8(static_cast<uint8_t>(value));
}

/// | kind (1) | ip (4) or mac (6) |
DhtAddress read_address(Reader& in) {
  DhtAddress out;
  out.kind = read_enum(in, DhtAddress::Kind::Mac);
  if (out.kind == DhtAddress::Kind::Ip) {
    out.ip = read_ip(in);
  } else {
    out.mac = read_mac(in);
  }
  return out;
}

void write_address(Writer& out, const DhtAddress& address) {
  write_enum(out, address.kind);
  if (address.kind == DhtAddress::Kind::Ip) {
    ipop::write(out, address.ip);
  } else {
    ipop::write(out, address.mac);
  }
}

Bytes read_certificate(Reader& in) {
  const size_t size = in.u16();
  if (size > DhtRecord::kMaxCertificateSize) in.fail();
  const ByteView der = in.bytes(in.ok() ? size : 0);
  return {der.begin(), der.end()};
}

void write_certificate(Writer& out, const Bytes& der) {
  IPOP_ASSERT(der.size() <= DhtRecord::kMaxCertificateSize);
  out.u16(static_cast<uint16_t>(der.size()));
  out.bytes(der);
}

/// | kind (1) | state (1) | ip (4) | mac (6) | node (20) | sequence (8) | issued in ms (8) | expires in s (8)
/// | name size (1) | name |
void write_signed_part(Writer& out, const DhtRecord& record) {
  IPOP_ASSERT(record.name.size() <= DhtRecord::kMaxNameSize);
  write_enum(out, record.kind);
  write_enum(out, record.state);
  ipop::write(out, record.ip);
  ipop::write(out, record.mac);
  write(out, record.node);
  out.u64(record.sequence);
  out.u64(record.issued_ms);
  out.u64(record.expires_s);
  out.u8(static_cast<uint8_t>(record.name.size()));
  out.bytes(as_bytes(record.name));
}

void read_signed_part(Reader& in, DhtRecord& out) {
  out.kind = read_enum(in, DhtAddress::Kind::Mac);
  out.state = read_enum(in, DhtRecord::State::Withdrawn);
  out.ip = read_ip(in);
  out.mac = read_mac(in);
  out.node = read_node(in);
  out.sequence = in.u64();
  out.issued_ms = in.u64();
  out.expires_s = in.u64();
  const size_t name_size = in.u8();
  if (name_size > DhtRecord::kMaxNameSize) in.fail();
  out.name = as_text(in.bytes(in.ok() ? name_size : 0));
  if (out.mac.is_group() || (out.kind == DhtAddress::Kind::Ip && out.ip.is_unspecified())) in.fail();
}

}  // namespace

DhtAddress DhtRecord::address() const {
  if (kind == DhtAddress::Kind::Ip) return {.kind = kind, .ip = ip, .mac = {}};
  return {.kind = kind, .ip = {}, .mac = mac};
}

Bytes DhtRecord::signed_part() const {
  Writer out;
  write_signed_part(out, *this);
  return out.take();
}

Bytes DhtReply::signed_part(ByteView question) const {
  Writer out;
  out.bytes(question);
  write_enum(out, verdict);
  out.u8(is_unsure ? 1 : 0);
  out.u8(record ? 1 : 0);
  if (record) write(out, *record);
  return out.take();
}

DhtRecord read_dht_record(Reader& in) {
  DhtRecord out;
  read_signed_part(in, out);
  out.certificate = read_certificate(in);
  out.signature = in.array<64>();
  return out;
}

void write(Writer& out, const DhtRecord& record) {
  write_signed_part(out, record);
  write_certificate(out, record.certificate);
  out.bytes(record.signature);
}

DhtRequest read_dht_request(Reader& in) {
  DhtRequest out;
  out.id = in.u64();
  out.operation = read_enum(in, DhtRequest::Operation::Put);
  out.asker = read_node(in);
  out.is_relayed = read_presence(in);
  if (out.operation == DhtRequest::Operation::Get) {
    out.address = read_address(in);
  } else {
    out.record = read_dht_record(in);
    out.address = out.record->address();
  }
  return out;
}

void write(Writer& out, const DhtRequest& request) {
  IPOP_ASSERT(request.record.has_value() == (request.operation != DhtRequest::Operation::Get));
  out.u64(request.id);
  write_enum(out, request.operation);
  write(out, request.asker);
  out.u8(request.is_relayed ? 1 : 0);
  if (request.record) {
    write(out, *request.record);
  } else {
    write_address(out, request.address);
  }
}

DhtReply read_dht_reply(Reader& in) {
  DhtReply out;
  out.id = in.u64();
  out.verdict = read_enum(in, DhtReply::Verdict::Refused);
  out.is_unsure = read_presence(in);
  if (out.verdict == DhtReply::Verdict::Held) out.record = read_dht_record(in);
  out.certificate = read_certificate(in);
  out.signature = in.array<64>();
  return out;
}

void write(Writer& out, const DhtReply& reply) {
  IPOP_ASSERT(reply.record.has_value() == (reply.verdict == DhtReply::Verdict::Held));
  out.u64(reply.id);
  write_enum(out, reply.verdict);
  out.u8(reply.is_unsure ? 1 : 0);
  if (reply.record) write(out, *reply.record);
  write_certificate(out, reply.certificate);
  out.bytes(reply.signature);
}

DhtPull read_dht_pull(Reader& in) {
  DhtPull out;
  out.id = in.u64();
  out.from = read_node(in);
  const uint8_t has_nothing = in.u8();
  if (has_nothing > 1) in.fail();
  out.has_nothing = has_nothing == 1;
  return out;
}

void write(Writer& out, const DhtPull& pull) {
  out.u64(pull.id);
  write(out, pull.from);
  out.u8(pull.has_nothing ? 1 : 0);
}

DhtPage read_dht_page(Reader& in) {
  DhtPage out;
  out.id = in.u64();
  if (read_presence(in)) out.next = read_node(in);
  const size_t count = in.u8();
  if (count > DhtPage::kMaxEntries) in.fail();
  for (size_t i = 0; i < count && in.ok(); ++i) {
    const NodeId key = read_node(in);
    out.entries.push_back({.key = key, .stamp = in.u64()});
  }
  return out;
}

void write(Writer& out, const DhtPage& page) {
  IPOP_ASSERT(page.entries.size() <= DhtPage::kMaxEntries);
  out.u64(page.id);
  out.u8(page.next ? 1 : 0);
  if (page.next) write(out, *page.next);
  out.u8(static_cast<uint8_t>(page.entries.size()));
  for (const auto& entry : page.entries) {
    write(out, entry.key);
    out.u64(entry.stamp);
  }
}

DhtFetch read_dht_fetch(Reader& in) {
  DhtFetch out;
  const size_t count = in.u8();
  if (count > DhtFetch::kMaxKeys) in.fail();
  for (size_t i = 0; i < count && in.ok(); ++i) out.keys.push_back(read_node(in));
  return out;
}

void write(Writer& out, const DhtFetch& fetch) {
  IPOP_ASSERT(fetch.keys.size() <= DhtFetch::kMaxKeys);
  out.u8(static_cast<uint8_t>(fetch.keys.size()));
  for (const NodeId& key : fetch.keys) write(out, key);
}

}  // namespace ipop::wire
