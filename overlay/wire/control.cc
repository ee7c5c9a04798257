#include "overlay/wire/control.h"

#include "overlay/base/assert.h"

namespace ipop::wire {
namespace {

enum class Kind : uint8_t { Ping = 1, Pong, Members, Query, Answer, Announcement, Goodbye };

constexpr size_t kMaxNameSize = 63;

NodeId read_node(Reader& in) { return {in.array<NodeId::kSize>()}; }

BindingRecord read_binding(Reader& in) {
  BindingRecord out;
  out.ip = read_ipv4(in);
  out.mac = read_mac(in);
  out.node = read_node(in);
  out.sequence = in.u64();
  out.lifetime_s = in.u32();
  const size_t name_size = in.u8();
  if (name_size > kMaxNameSize) in.fail();
  out.name = as_text(in.bytes(in.ok() ? name_size : 0));
  if (out.mac.is_group()) in.fail();
  return out;
}

void write_binding(Writer& out, const BindingRecord& binding) {
  IPOP_ASSERT(binding.name.size() <= kMaxNameSize);
  write(out, binding.ip);
  write(out, binding.mac);
  out.bytes(binding.node.bytes);
  out.u64(binding.sequence);
  out.u32(binding.lifetime_s);
  out.u8(static_cast<uint8_t>(binding.name.size()));
  out.bytes(as_bytes(binding.name));
}

/// Whether an optional field follows.
bool read_presence(Reader& in) {
  const uint8_t present = in.u8();
  if (present > 1) in.fail();
  return in.ok() && present == 1;
}

ControlMessage read_ping(Reader& in) { return Ping{.token = in.u64()}; }

ControlMessage read_pong(Reader& in) { return Pong{.token = in.u64(), .observed = read_endpoint(in)}; }

ControlMessage read_members(Reader& in) {
  Members out;
  const size_t count = in.u8();
  if (count > Members::kMaxCount) in.fail();
  for (size_t i = 0; i < count && in.ok(); ++i) {
    out.members.push_back({.node = read_node(in), .endpoint = read_endpoint(in)});
  }
  return out;
}

ControlMessage read_query(Reader& in) {
  Query out;
  out.id = in.u64();
  const uint8_t kind = in.u8();
  if (kind != static_cast<uint8_t>(Query::Kind::Ip) && kind != static_cast<uint8_t>(Query::Kind::Mac))
    in.fail();
  out.kind = static_cast<Query::Kind>(kind);
  out.ip = read_ipv4(in);
  out.mac = read_mac(in);
  if (read_presence(in)) out.claimant = read_mac(in);
  if (read_presence(in)) out.asker = read_binding(in);
  return out;
}

ControlMessage read_answer(Reader& in) {
  Answer out;
  out.id = in.u64();
  if (read_presence(in)) out.binding = read_binding(in);
  return out;
}

struct Encoder {
  Writer out;

  void kind(Kind kind) { out.u8(static_cast<uint8_t>(kind)); }
  void optional(const std::optional<BindingRecord>& binding) {
    out.u8(binding ? 1 : 0);
    if (binding) write_binding(out, *binding);
  }

  void operator()(const Ping& ping) {
    kind(Kind::Ping);
    out.u64(ping.token);
  }
  void operator()(const Pong& pong) {
    kind(Kind::Pong);
    out.u64(pong.token);
    write(out, pong.observed);
  }
  void operator()(const Members& list) {
    IPOP_ASSERT(list.members.size() <= Members::kMaxCount);
    kind(Kind::Members);
    out.u8(static_cast<uint8_t>(list.members.size()));
    for (const auto& member : list.members) {
      out.bytes(member.node.bytes);
      write(out, member.endpoint);
    }
  }
  void operator()(const Query& query) {
    kind(Kind::Query);
    out.u64(query.id);
    out.u8(static_cast<uint8_t>(query.kind));
    write(out, query.ip);
    write(out, query.mac);
    out.u8(query.claimant ? 1 : 0);
    if (query.claimant) write(out, *query.claimant);
    optional(query.asker);
  }
  void operator()(const Answer& answer) {
    kind(Kind::Answer);
    out.u64(answer.id);
    optional(answer.binding);
  }
  void operator()(const Announcement& announcement) {
    kind(Kind::Announcement);
    write_binding(out, announcement.binding);
  }
  void operator()(const Goodbye&) { kind(Kind::Goodbye); }
};

}  // namespace

Result<ControlMessage> decode_control(ByteView plaintext) {
  Reader in(plaintext);
  ControlMessage out;
  switch (static_cast<Kind>(in.u8())) {
    case Kind::Ping:
      out = read_ping(in);
      break;
    case Kind::Pong:
      out = read_pong(in);
      break;
    case Kind::Members:
      out = read_members(in);
      break;
    case Kind::Query:
      out = read_query(in);
      break;
    case Kind::Answer:
      out = read_answer(in);
      break;
    case Kind::Announcement:
      out = Announcement{.binding = read_binding(in)};
      break;
    case Kind::Goodbye:
      out = Goodbye{};
      break;
    default:
      return in.ok() ? Error::UnknownType : Error::Malformed;
  }
  if (!in.ok()) return Error::Malformed;
  return out;
}

Bytes encode_control(const ControlMessage& message) {
  Encoder encoder;
  std::visit(encoder, message);
  return encoder.out.take();
}

}  // namespace ipop::wire
