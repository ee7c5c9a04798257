#include "overlay/crypto/noise.h"

#include <algorithm>
#include <utility>

#include "overlay/base/assert.h"
#include "overlay/crypto/aead.h"

namespace ipop {
namespace {

constexpr std::string_view kProtocolName = "Noise_XX_25519_AESGCM_SHA256";
constexpr size_t kDhSize = 32;
constexpr size_t kMaxMessageSize = 65535;  // Section 3.

}  // namespace

TransportKeys::~TransportKeys() {
  wipe(send);
  wipe(receive);
}

Noise::Noise(Role role, ByteView prologue, DhKey static_key, DhKey ephemeral)
    : role_(role), s_(std::move(static_key)), e_(std::move(ephemeral)) {
  static_assert(kProtocolName.size() <=
                sizeof(Hash));  // So the name itself, padded with zeros, is the first h.
  std::copy(kProtocolName.begin(), kProtocolName.end(), h_.begin());
  ck_ = h_;
  mix_hash(prologue);
}

Noise::~Noise() {
  wipe(ck_);
  wipe(ee_);
  if (k_) wipe(*k_);
}

size_t Noise::overhead(int message) {
  switch (message) {
    case 0:
      return kDhSize;  // e
    case 1:
      return kDhSize + kDhSize + kTagSize + kTagSize;  // e, s and its tag, the payload's tag
    default:
      return kDhSize + kTagSize + kTagSize;  // s and its tag, the payload's tag
  }
}

bool Noise::is_our_turn() const {
  return !complete() && (next_message_ % 2 == 0) == (role_ == Role::Initiator);
}

Bytes Noise::write_message(ByteView payload) {
  IPOP_ASSERT(is_our_turn());
  IPOP_ASSERT(payload.size() + overhead(next_message_) <= kMaxMessageSize);

  // A key of theirs that would make dh() fail was refused when we read it.
  Bytes out;
  switch (next_message_) {
    case 0:  // -> e
      write_e(out);
      break;
    case 1:  // <- e, ee, s, es
      write_e(out);
      mix_key(ee_);                                // ee
      encrypt_and_hash(s_.public_key(), out);      // s
      IPOP_ASSERT(mix_dh(s_, remote_ephemeral_));  // es
      break;
    case 2:                                        // -> s, se
      encrypt_and_hash(s_.public_key(), out);      // s
      IPOP_ASSERT(mix_dh(s_, remote_ephemeral_));  // se
      break;
  }
  encrypt_and_hash(payload, out);
  ++next_message_;
  return out;
}

Result<Bytes> Noise::read_message(ByteView message) {
  if (complete() || is_our_turn()) return Error::UnexpectedMessage;
  if (message.size() < overhead(next_message_) || message.size() > kMaxMessageSize) return Error::Malformed;

  Reader in(message);
  Result<Done> ok = Done{};
  switch (next_message_) {
    case 0:  // -> e
      read_e(in);
      // For the token ee of our answer; now is the time to refuse a worthless key.
      if (auto shared = dh(e_, remote_ephemeral_)) {
        ee_ = *shared;
        wipe(*shared);
      } else {
        ok = shared.error();
      }
      break;
    case 1:  // <- e, ee, s, es
      read_e(in);
      ok = mix_dh(e_, remote_ephemeral_);       // ee
      if (ok) ok = read_s(in);                  // s
      if (ok) ok = mix_dh(e_, remote_static_);  // es
      break;
    case 2:                                     // -> s, se
      ok = read_s(in);                          // s
      if (ok) ok = mix_dh(e_, remote_static_);  // se
      break;
  }
  if (!ok) return ok.error();
  Result<Bytes> payload = decrypt_and_hash(in.rest());
  if (payload) ++next_message_;
  return payload;
}

TransportKeys Noise::split() const {
  IPOP_ASSERT(complete());
  auto [initiators, responders] = noise_hkdf<2>(ck_, {});
  TransportKeys keys;
  keys.send = role_ == Role::Initiator ? initiators : responders;
  keys.receive = role_ == Role::Initiator ? responders : initiators;
  wipe(initiators);
  wipe(responders);
  return keys;
}

void Noise::write_e(Bytes& out) {
  out.insert(out.end(), e_.public_key().begin(), e_.public_key().end());
  mix_hash(e_.public_key());
}

void Noise::read_e(Reader& in) {
  remote_ephemeral_ = in.array<kDhSize>();
  mix_hash(remote_ephemeral_);
}

Result<Done> Noise::read_s(Reader& in) {
  const auto s = decrypt_and_hash(in.bytes(kDhSize + kTagSize));
  if (!s) return s.error();
  std::copy(s->begin(), s->end(), remote_static_.begin());
  return Done{};
}

Result<Done> Noise::mix_dh(const DhKey& ours, const std::array<uint8_t, 32>& theirs) {
  auto shared = dh(ours, theirs);
  if (!shared) return shared.error();
  mix_key(*shared);
  wipe(*shared);
  return Done{};
}

void Noise::mix_key(ByteView input_key_material) {
  auto [ck, temp_k] = noise_hkdf<2>(ck_, input_key_material);
  ck_ = ck;
  k_ = temp_k;
  n_ = 0;
  wipe(ck);
  wipe(temp_k);
}

void Noise::mix_hash(ByteView data) { h_ = sha256({h_, data}); }

void Noise::encrypt_and_hash(ByteView plaintext, Bytes& out) {
  const size_t start = out.size();
  if (k_) {
    out.resize(start + plaintext.size() + kTagSize);
    AeadKey(*k_).seal(CounterNonce(n_++), h_, plaintext, out.data() + start);
  } else {
    out.insert(out.end(), plaintext.begin(), plaintext.end());
  }
  mix_hash(ByteView(out).subspan(start));
}

Result<Bytes> Noise::decrypt_and_hash(ByteView ciphertext) {
  Bytes plaintext(ciphertext.begin(), ciphertext.end());
  if (k_) {
    if (!AeadKey(*k_).open(CounterNonce(n_++), h_, ciphertext, plaintext.data())) return Error::BadAuthTag;
    plaintext.resize(ciphertext.size() - kTagSize);
  }
  mix_hash(ciphertext);
  return plaintext;
}

}  // namespace ipop
