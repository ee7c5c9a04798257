#include "overlay/wire/datagram.h"

namespace ipop::wire {
namespace {

/// The common head of every type but the two that DataHeader is for.
void read_head(Reader& in, Type expected) {
  if (in.u8() != static_cast<uint8_t>(expected)) in.fail();
  in.zeros(3);
}

Writer write_head(Type type) {
  Writer out;
  out.u8(static_cast<uint8_t>(type));
  out.zeros(3);
  return out;
}

/// The Noise message between the fixed fields and the two MACs.
Bytes read_noise(Reader& in) {
  if (in.remaining() < 2 * kMacSize) in.fail();
  const size_t size = in.ok() ? in.remaining() - 2 * kMacSize : 0;
  const ByteView noise = in.bytes(size);
  in.bytes(2 * kMacSize);  // Checked before decoding, by session/cookie.h.
  return {noise.begin(), noise.end()};
}

}  // namespace

Result<Type> peek_type(ByteView datagram) {
  if (datagram.size() < 4 || (datagram[2] | datagram[3]) != 0) return Error::Malformed;
  const auto type = static_cast<Type>(datagram[0]);
  if (type < Type::Initiation || type > Type::UnknownSession) return Error::UnknownType;
  if ((datagram[1] & ~DataHeader::flags_of(type)) != 0) return Error::Malformed;
  return type;
}

Result<Initiation> Initiation::decode(ByteView datagram) {
  Reader in(datagram);
  read_head(in, Type::Initiation);
  Initiation out;
  out.sender_index = in.u32();
  out.noise = read_noise(in);
  if (!in.done() || out.noise.size() != kNoiseSize) return Error::Malformed;
  return out;
}

Bytes Initiation::encode() const {
  Writer out = write_head(Type::Initiation);
  out.u32(sender_index);
  out.bytes(noise);
  return out.take();
}

Result<Response> Response::decode(ByteView datagram) {
  Reader in(datagram);
  read_head(in, Type::Response);
  Response out;
  out.sender_index = in.u32();
  out.receiver_index = in.u32();
  out.noise = read_noise(in);
  if (!in.done() || datagram.size() > kMaxHandshakeSize) return Error::Malformed;
  return out;
}

Bytes Response::encode() const {
  Writer out = write_head(Type::Response);
  out.u32(sender_index);
  out.u32(receiver_index);
  out.bytes(noise);
  return out.take();
}

Result<Confirmation> Confirmation::decode(ByteView datagram) {
  Reader in(datagram);
  read_head(in, Type::Confirmation);
  Confirmation out;
  out.receiver_index = in.u32();
  out.noise = read_noise(in);
  if (!in.done() || datagram.size() > kMaxHandshakeSize) return Error::Malformed;
  return out;
}

Bytes Confirmation::encode() const {
  Writer out = write_head(Type::Confirmation);
  out.u32(receiver_index);
  out.bytes(noise);
  return out.take();
}

Result<CookieReply> CookieReply::decode(ByteView datagram) {
  Reader in(datagram);
  read_head(in, Type::CookieReply);
  CookieReply out;
  out.receiver_index = in.u32();
  out.nonce = in.array<12>();
  out.sealed = in.array<kSealedSize>();
  if (!in.done()) return Error::Malformed;
  return out;
}

Bytes CookieReply::encode() const {
  Writer out = write_head(Type::CookieReply);
  out.u32(receiver_index);
  out.bytes(nonce);
  out.bytes(sealed);
  return out.take();
}

Result<UnknownSession> UnknownSession::decode(ByteView datagram) {
  Reader in(datagram);
  read_head(in, Type::UnknownSession);
  const UnknownSession out{.receiver_index = in.u32()};
  if (!in.done()) return Error::Malformed;
  return out;
}

Bytes UnknownSession::encode() const {
  Writer out = write_head(Type::UnknownSession);
  out.u32(receiver_index);
  return out.take();
}

}  // namespace ipop::wire
