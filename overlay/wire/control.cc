#include "overlay/wire/control.h"

#include "overlay/base/assert.h"
#include "overlay/wire/binding.h"

namespace ipop::wire {
namespace {

enum class Kind : uint8_t {
  Ping = 1,
  Pong,
  Members,
  Gone,
  Goodbye,
  Routed,
  Ack,
  Broadcast,
  Direct,
  SettingsOffer,
  SettingsRequest,
  SettingsPiece,
};

constexpr uint8_t kWantsLink = 1;
constexpr uint8_t kAsksEndpoint = 2;
constexpr uint8_t kAsksReceived = 4;
constexpr uint8_t kHasReceived = 2;
constexpr uint8_t kAsksSettings = 1;

/// An octet of flags, of which only `known` may be set.
uint8_t read_flags(Reader& in, uint8_t known) {
  const uint8_t flags = in.u8();
  if ((flags & ~known) != 0) in.fail();
  return flags;
}

Ping read_ping(Reader& in) {
  Ping out{.token = in.u64()};
  const uint8_t flags = read_flags(in, kWantsLink | kAsksEndpoint | kAsksReceived);
  out.wants_link = (flags & kWantsLink) != 0;
  out.asks_endpoint = (flags & kAsksEndpoint) != 0;
  out.asks_received = (flags & kAsksReceived) != 0;
  return out;
}

Pong read_pong(Reader& in) {
  Pong out{.token = in.u64(), .wants_link = false, .observed = {}};
  const uint8_t flags = read_flags(in, kWantsLink | kHasReceived);
  out.wants_link = (flags & kWantsLink) != 0;
  if (read_presence(in)) out.observed = read_endpoint(in);
  if ((flags & kHasReceived) != 0) out.received = in.u64();
  return out;
}

Goodbye read_goodbye(Reader& in) {
  const uint8_t reason = in.u8();
  if (reason > static_cast<uint8_t>(Goodbye::Reason::Unneeded)) in.fail();
  return {.reason = static_cast<Goodbye::Reason>(reason)};
}

Routed read_routed(Reader& in) {
  Routed out;
  const uint8_t mode = in.u8();
  if (mode < static_cast<uint8_t>(Routed::Mode::Exact) || mode > static_cast<uint8_t>(Routed::Mode::Before))
    in.fail();
  out.mode = static_cast<Routed::Mode>(mode);
  out.hops = in.u8();
  out.detours = in.u8();
  if (out.hops > Routed::kMaxHops || out.detours > Routed::kMaxDetours) in.fail();
  out.ack_token = in.u32();
  out.id = in.u64();
  out.source = read_node(in);
  out.destination = read_node(in);
  if (read_presence(in)) out.via = read_node(in);
  const ByteView body = in.bytes(in.u16());
  out.body.assign(body.begin(), body.end());
  return out;
}

Ack read_ack(Reader& in) { return {.token = in.u32(), .taken = read_presence(in)}; }

Broadcast read_broadcast(Reader& in) {
  Broadcast out;
  out.hops = in.u8();
  if (out.hops > Routed::kMaxHops) in.fail();
  out.id = in.u64();
  out.source = read_node(in);
  out.bound = read_node(in);
  const ByteView body = in.bytes(in.u16());
  out.body.assign(body.begin(), body.end());
  return out;
}

Direct read_direct(Reader& in) {
  const ByteView body = in.bytes(in.u16());
  return {.body = Bytes(body.begin(), body.end())};
}

SettingsOffer read_settings_offer(Reader& in) {
  SettingsOffer out;
  out.version = in.u64();
  out.size = in.u16();
  out.stamp = in.array<SettingsOffer::kStampSize>();
  out.asks = (read_flags(in, kAsksSettings) & kAsksSettings) != 0;
  return out;
}

SettingsRequest read_settings_request(Reader& in) {
  SettingsRequest out;
  out.version = in.u64();
  out.offset = in.u16();
  return out;
}

SettingsPiece read_settings_piece(Reader& in) {
  SettingsPiece out;
  out.version = in.u64();
  out.offset = in.u16();
  const size_t size = in.u16();
  if (size > SettingsPiece::kMaxSize) in.fail();
  const ByteView octets = in.bytes(size);
  out.octets.assign(octets.begin(), octets.end());
  return out;
}

void write_body(Writer& out, const Bytes& body) {
  IPOP_ASSERT(body.size() <= 0xffff);
  out.u16(static_cast<uint16_t>(body.size()));
  out.bytes(body);
}

struct Encoder {
  Writer out;

  void kind(Kind kind) { out.u8(static_cast<uint8_t>(kind)); }

  void operator()(const Ping& ping) {
    kind(Kind::Ping);
    out.u64(ping.token);
    out.u8(static_cast<uint8_t>((ping.wants_link ? kWantsLink : 0) |
                                (ping.asks_endpoint ? kAsksEndpoint : 0) |
                                (ping.asks_received ? kAsksReceived : 0)));
  }
  void operator()(const Pong& pong) {
    kind(Kind::Pong);
    out.u64(pong.token);
    out.u8(static_cast<uint8_t>((pong.wants_link ? kWantsLink : 0) | (pong.received ? kHasReceived : 0)));
    out.u8(pong.observed ? 1 : 0);
    if (pong.observed) ipop::write(out, *pong.observed);
    if (pong.received) out.u64(*pong.received);
  }
  void operator()(const Members& list) {
    kind(Kind::Members);
    write(out, list);
  }
  void operator()(const Gone& gone) {
    kind(Kind::Gone);
    write(out, gone.node);
  }
  void operator()(const Goodbye& goodbye) {
    kind(Kind::Goodbye);
    out.u8(static_cast<uint8_t>(goodbye.reason));
  }
  void operator()(const Routed& message) {
    kind(Kind::Routed);
    out.u8(static_cast<uint8_t>(message.mode));
    out.u8(message.hops);
    out.u8(message.detours);
    out.u32(message.ack_token);
    out.u64(message.id);
    write(out, message.source);
    write(out, message.destination);
    out.u8(message.via ? 1 : 0);
    if (message.via) write(out, *message.via);
    write_body(out, message.body);
  }
  void operator()(const Ack& ack) {
    kind(Kind::Ack);
    out.u32(ack.token);
    out.u8(ack.taken ? 1 : 0);
  }
  void operator()(const Broadcast& message) {
    kind(Kind::Broadcast);
    out.u8(message.hops);
    out.u64(message.id);
    write(out, message.source);
    write(out, message.bound);
    write_body(out, message.body);
  }
  void operator()(const Direct& message) {
    kind(Kind::Direct);
    write_body(out, message.body);
  }
  void operator()(const SettingsOffer& offer) {
    kind(Kind::SettingsOffer);
    out.u64(offer.version);
    out.u16(offer.size);
    out.bytes(offer.stamp);
    out.u8(offer.asks ? kAsksSettings : 0);
  }
  void operator()(const SettingsRequest& request) {
    kind(Kind::SettingsRequest);
    out.u64(request.version);
    out.u16(request.offset);
  }
  void operator()(const SettingsPiece& piece) {
    IPOP_ASSERT(piece.octets.size() <= SettingsPiece::kMaxSize);
    kind(Kind::SettingsPiece);
    out.u64(piece.version);
    out.u16(piece.offset);
    write_body(out, piece.octets);
  }
};

}  // namespace

Members read_members(Reader& in) {
  Members out;
  const size_t count = in.u8();
  if (count > Members::kMaxCount) in.fail();
  for (size_t i = 0; i < count && in.ok(); ++i) {
    const NodeId node = read_node(in);
    out.members.push_back({.node = node, .endpoint = read_endpoint(in)});
  }
  return out;
}

void write(Writer& out, const Members& list) {
  IPOP_ASSERT(list.members.size() <= Members::kMaxCount);
  out.u8(static_cast<uint8_t>(list.members.size()));
  for (const auto& member : list.members) {
    write(out, member.node);
    ipop::write(out, member.endpoint);
  }
}

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
    case Kind::Gone:
      out = Gone{.node = read_node(in)};
      break;
    case Kind::Goodbye:
      out = read_goodbye(in);
      break;
    case Kind::Routed:
      out = read_routed(in);
      break;
    case Kind::Ack:
      out = read_ack(in);
      break;
    case Kind::Broadcast:
      out = read_broadcast(in);
      break;
    case Kind::Direct:
      out = read_direct(in);
      break;
    case Kind::SettingsOffer:
      out = read_settings_offer(in);
      break;
    case Kind::SettingsRequest:
      out = read_settings_request(in);
      break;
    case Kind::SettingsPiece:
      out = read_settings_piece(in);
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
